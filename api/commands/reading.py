"""``evenhand check``: read a firm and say what was taken, what was refused and why, and what the engine sees in it."""

from __future__ import annotations

from rich.text import Text

from api.console import err, out, print_json, table
from api.errors import Exit
from api.opening import Opened
from solver.board import Board, compile_board

SHOWN_REJECTS = 20


def check(opened: Opened, *, as_json: bool) -> Exit:
    """Print counts, rejects, notes and the state of the firm."""
    facts = _facts(compile_board(opened.firm, now=opened.now))
    if as_json:
        print_json({**opened.document(), "facts": facts})
    else:
        console = out()
        counts = [(one.sheet, f"{one.read:,}", f"{one.taken:,}", f"{one.rejected:,}") for one in opened.intake.counts]
        console.print(table("Rows", ("sheet", "read", "taken", "rejected"), counts))
        _print_rejects(opened)
        for note in opened.intake.notes:
            console.print(Text(f"note: {note}"))
        console.print(table(f"{opened.firm.name}, seen from {opened.now:%Y-%m-%d %H:%M}", ("", ""), facts.items()))
    return opened.exit_code()


def tell_rejects(opened: Opened) -> None:
    """Say on standard error how many rows were refused and where they are explained."""
    if opened.intake.rejects:
        rows = sum(count.rejected for count in opened.intake.counts)
        where = f"; see {opened.rejects_path}" if opened.rejects_path else "; `evenhand check` explains each"
        err().print(Text(f"{rows:,} rows were not taken{where}"))


def _print_rejects(opened: Opened) -> None:
    rejects = opened.intake.rejects
    if not rejects:
        return
    rows = [(one.sheet, one.row, one.field, one.value, one.reason, one.nearest) for one in rejects[:SHOWN_REJECTS]]
    console = out()
    title = f"Not taken ({len(rejects):,} reasons)"
    console.print(table(title, ("sheet", "row", "field", "value", "reason", "nearest"), rows))
    if len(rejects) > SHOWN_REJECTS:
        console.print(Text(f"... and {len(rejects) - SHOWN_REJECTS:,} more"))
    if opened.rejects_path:
        console.print(Text(f"wrote {opened.rejects_path}"))


def _facts(board: Board) -> dict[str, object]:
    firm = board.firm
    open_tasks = [task for task in firm.tasks if task.open]
    return {
        "people": len(firm.people),
        "open tasks": len(open_tasks),
        "without a person": sum(task.assignee is None for task in open_tasks),
        "waiting for an estimate": len(board.held),
        "overdue": sum(task.deadline < board.now.date() for task in open_tasks),
        "held by somebody who may not do it any more": len(board.flagged),
        "finished or cancelled": len(firm.tasks) - len(open_tasks),
        "time zone": firm.time_zone,
    }
