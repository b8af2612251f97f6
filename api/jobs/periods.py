"""Past periods as text: a worker reads one from the database, and the processes that play it know none."""

from __future__ import annotations

import base64
import json
import zlib

from pydantic import TypeAdapter

from scenarios.past import Past

_PAST: TypeAdapter[Past] = TypeAdapter(Past)


def packed_past(past: Past) -> str:
    """Return a period as a small JSON document: the plans of its nights are much alike."""
    return json.dumps({"past": base64.b64encode(zlib.compress(_PAST.dump_json(past), 6)).decode()})


def unpacked_past(document: str) -> Past:
    """Return the period that was packed."""
    return _PAST.validate_json(zlib.decompress(base64.b64decode(json.loads(document)["past"])))
