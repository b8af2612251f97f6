"""``evenhand place``: one arrival through the routing rule, with everybody's reason."""

from __future__ import annotations

from rich.text import Text

from api.commands.reading import tell_rejects
from api.console import out, print_json, table
from api.errors import Exit
from api.opening import Opened
from solver.board import compile_board
from solver.firm import Task
from solver.plan import Candidate, Decision, Outcome
from solver.routing import dry_run
from solver.wording import hours_text

SHOWN_CANDIDATES = 12


def place(opened: Opened, task: Task, *, as_json: bool) -> Exit:
    """Print where the rule puts ``task``, and why; the firm's files stay as they are."""
    decision = dry_run(compile_board(opened.firm, now=opened.now, also=(task,)), task)
    if as_json:
        print_json(decision)
    else:
        tell_rejects(opened)
        _print(opened, decision)
    return Exit.DONE if decision.outcome is Outcome.PLACED else Exit.UNPLACED


def _print(opened: Opened, decision: Decision) -> None:
    console = out()
    people = {person.id: person.label for person in opened.firm.people}
    if decision.person is not None:
        by = f", done by {decision.promised_day}" if decision.promised_day else ""
        console.print(Text(f"{decision.task} goes to {people[decision.person]}{by}."))
    else:
        console.print(Text(f"{decision.task} is {decision.outcome.value}."))
    console.print(Text(decision.reason))
    if decision.overload_min:
        console.print(Text(f"{hours_text(decision.overload_min)} of it do not fit before the deadline."))
    for way in decision.ways_out:
        console.print(Text(f"way out: {way.sentence}"))
    rows = [
        (people[one.person], hours_text(one.remaining_min), _verdict(one))
        for one in decision.candidates[:SHOWN_CANDIDATES]
    ]
    if rows:
        console.print(
            table("Candidates, most open hours this week first", ("person", "open this week", "result"), rows)
        )
    if len(decision.candidates) > SHOWN_CANDIDATES:
        console.print(Text(f"... and {len(decision.candidates) - SHOWN_CANDIDATES} more"))


def _verdict(one: Candidate) -> str:
    if one.stopped_by is None:
        return "passes every filter"
    return one.stopped_by.meaning + (f" ({hours_text(one.gap_min)} short)" if one.gap_min else "")
