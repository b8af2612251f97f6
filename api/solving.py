"""One solve for a command: stop rules from its options, Ctrl-C as a cancel, and everything a reader wants beside the plan."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from types import FrameType

from api.console import ProgressLine
from api.crew import processes
from api.report import ReportData
from api.stops import Cancel, WallClock
from solver.batch import solve, today
from solver.board import compile_board
from solver.firm import Firm
from solver.metrics import measure
from solver.plan import Plan, StopReason
from solver.rebalance import proposals
from solver.running import ProgressCallback
from solver.stop import FirstOf, Stop, TargetGap, WorkBudget


@dataclass(frozen=True)
class Budget:
    """When a command's solve ends: seconds, deterministic work units, a gap in percent; whichever comes first."""

    seconds: float | None
    work_units: float | None
    gap_pct: float | None

    @staticmethod
    def asked(seconds: float | None, work_units: float | None, gap_pct: float | None, *, default_s: float) -> Budget:
        """Return what the options of a command ask for: ``default_s`` seconds where neither seconds nor work are given."""
        return Budget(default_s if seconds is None and work_units is None else seconds, work_units, gap_pct)

    def rules(self) -> tuple[Stop, ...]:
        """Return the stop rules asked for."""
        rules: list[Stop] = []
        if self.work_units is not None:
            rules.append(WorkBudget(self.work_units))
        if self.gap_pct is not None:
            rules.append(TargetGap(self.gap_pct))
        if self.seconds is not None:
            rules.append(WallClock(self.seconds))
        return tuple(rules)


def plan_of(firm: Firm, *, now: datetime, budget: Budget, seed: int, on_progress: ProgressCallback) -> Plan:
    """Solve a firm. Ctrl-C ends the search and keeps the best plan; a second one ends the command."""
    cancel = Cancel()
    with cancelled_by_interrupt(cancel):
        stop = FirstOf((cancel, *budget.rules()))
        with processes(patient=budget.work_units is not None) as crew:
            return solve(firm, now=now, stop=stop, seed=seed, on_progress=on_progress, crew=crew)


def solved(firm: Firm, *, now: datetime, budget: Budget, seed: int, quiet: bool, notes: tuple[str, ...]) -> ReportData:
    """Solve a firm and gather plan, today, metrics and proposals."""
    with ProgressLine(quiet=quiet) as line:
        plan = plan_of(firm, now=now, budget=budget, seed=seed, on_progress=line)
        line.say("comparing with today")
        before = today(firm, now=now)
        line.say("cutting the difference into proposals")
        found = proposals(compile_board(firm, now=now), plan)
    return ReportData(
        firm=firm,
        plan=plan,
        today=before,
        before=measure(firm, before),
        after=measure(firm, plan),
        proposals=found,
        notes=notes,
    )


def was_cancelled(report: ReportData) -> bool:
    """Whether somebody ended the solve by hand."""
    return report.plan.certificate.stop_reason is StopReason.CANCELLED


@contextmanager
def cancelled_by_interrupt(cancel: Cancel) -> Iterator[None]:
    """Let the first Ctrl-C ask for an end, and the second one end the command."""

    def ask(signum: int, frame: FrameType | None) -> None:
        if cancel.asked:
            raise KeyboardInterrupt
        cancel.ask()

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
