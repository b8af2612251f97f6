"""``evenhand config``: what the service would run with."""

from __future__ import annotations

from rich.text import Text

from api.console import err, out, print_json
from api.errors import Exit
from api.settings import find_settings, unknown_variables


def config(*, as_json: bool) -> Exit:
    """Print every setting and its source; variables that are none are told."""
    shown, unknown = find_settings().shown(), unknown_variables()
    if as_json:
        print_json({"settings": [one._asdict() for one in shown], "unknown": [one.value for one in unknown]})
        return Exit.DONE
    name, value = (max(len(one[column]) for one in shown) for column in (0, 1))
    for one in shown:
        out().print(Text(f"{one.name:{name}}  {one.value:{value}}  {one.source}"))
    for refusal in unknown:
        err().print(Text(refusal.sentence()))
    return Exit.DONE
