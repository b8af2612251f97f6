"""Runs asked for in a database with its queue, and what a test reads of them."""

from __future__ import annotations

from sqlalchemy import select

from api.jobs.asks import RunAsk, SweepAsk
from api.store.loading import firm_at
from api.store.run_states import PointAnswer, Run
from api.store.runs import cancel_run, one_run, points_of, result_of
from api.store.tables import PointRecord
from scenarios.changes import ExtraHours, Scenario
from scenarios.grids import Axis, Sweep
from solver.firm import Firm
from tests.api.jobs.solving import NOW, Solving, until
from tests.firms_for_tests import day

HOURS = Scenario(name="Bob works longer", changes=(ExtraHours(first_day=day(0), last_day=day(4), per_week_min=0),))


def sweep_of(*minutes: int, work_units: float = 0.02, seed: int = 0) -> SweepAsk:
    """Return a sweep over minutes of overtime a week."""
    sweep = Sweep(scenario=HOURS, axes=(Axis(field="0.per_week_min", values=minutes),))
    return SweepAsk(sweep=sweep, work_units=work_units, today_work_units=0.02, seed=seed)


class Running(Solving):
    """What a web process and a test do with runs."""

    def ask(self, id: str, ask: RunAsk, *, firm: str = "one", most_waiting: int | None = None) -> Run:
        with self.turns.turn(firm, now=NOW, actor="test") as turn:
            return self.jobs.start_run(turn, id, ask, most_waiting=most_waiting)

    def stop(self, id: str, firm: str = "one") -> Run:
        with self.turns.turn(firm, now=NOW, actor="test") as turn:
            return cancel_run(turn, id)

    def run(self, id: str, firm: str = "one") -> Run:
        with self.database.reading(firm) as session:
            return one_run(session, id)

    def run_ended(self, id: str, firm: str = "one") -> Run:
        """Wait until a run has ended."""
        until(lambda: self.run(id, firm).state.ended)
        return self.run(id, firm)

    def points(self, id: str, firm: str = "one", *, done: bool = False) -> list[PointAnswer]:
        with self.database.reading(firm) as session:
            return points_of(session, id, limit=1_000, done=done)

    def tries(self, id: str, firm: str = "one") -> list[int]:
        """Return how often each point was begun, those that nobody asked for included."""
        with self.database.reading(firm) as session:
            return list(
                session.scalars(select(PointRecord.tries).where(PointRecord.run == id).order_by(PointRecord.number))
            )

    def result(self, id: str, firm: str = "one") -> str:
        with self.database.reading(firm) as session:
            found = result_of(session, id)
        assert found is not None
        return found

    def marked(self, firm: str = "one") -> Firm:
        with self.database.reading(firm) as session:
            return firm_at(session, self._version(firm), marked=True)

    def _version(self, firm: str) -> int:
        with self.turns.turn(firm, now=NOW, actor="test") as turn:
            return turn.version
