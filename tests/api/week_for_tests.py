"""A stored week whose every decision can be worked out by hand, made by the calls of the service."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from api.store.saving import create_firm
from api.store.turns import Turns
from solver.firm import Skill, Status, TaskType
from solver.policy import Guardrail, Policy
from tests.firms_for_tests import day, firm, person, task

NOW = datetime(2027, 3, 1, 14, 0, tzinfo=UTC)
"""Nine o'clock on Monday where the firm is."""


def at(days: int, hour: int = 9, minute: int = 0) -> datetime:
    """Return a moment on the firm's clock, so many days after Monday."""
    return NOW + timedelta(days=days, hours=hour - 9, minutes=minute)


def guarded_week(turns: Turns, *, bob_pct: int = 100) -> Turns:
    """Make a week in which complex work goes to seniors only.

    Ann has 30 of her 40 hours before Friday when 20 more of complex work come: an escalation, while bob, no senior, has all of his. Then
    bob gets ten hours of plain work. Everybody works as estimated: ann from Monday to Thursday, bob on Monday and two hours on Tuesday.
    """
    types = (TaskType(id="complex", skill="tax", complexity=4), TaskType(id="return", skill="tax"))
    cell = Skill(skill="tax", efficiency_pct=bob_pct)
    bob = person("bob", name="Bob Cole").model_copy(update={"skills": (cell,)})
    people = (person("ann", level="senior", name="Ann Bell"), bob)
    policy = Policy(guardrail=Guardrail(complex_level="senior"))
    create_firm(turns.database, "one", firm(people, task_types=types, policy=policy), now=NOW, actor="test")
    with turns.turn("one", now=at(0, 9, 5), actor="test") as turn:
        turn.place(task("first", hours=30, type="complex"))
    with turns.turn("one", now=at(0, 9, 20), actor="test") as turn:
        turn.place(task("second", hours=20, type="complex"))
        turn.place(task("plain", hours=10))
    for days in range(4):
        logged = [("first", "ann", 480 if days < 3 else 360)]
        logged += [("plain", "bob", (480, 120)[days])] if days < 2 else []
        for name, who, minutes in logged:
            with turns.turn("one", now=at(days, 17, 5), actor="test") as turn:
                turn.log_time(f"{name}-{days}", task=name, person=who, day=day(days), minutes=minutes)
        for name, last in (("plain", 1), ("first", 3)):
            if days == last:
                with turns.turn("one", now=at(days, 18), actor="test") as turn:
                    turn.change_task(name, status=Status.DONE, completed_on=day(days))
    return turns
