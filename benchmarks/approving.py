"""What managers and receivers wait for: proposals kept, approved and declined; escalations tried again; messages handed out and sent."""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

from api.delivery.delivering import Post, deliver_all
from api.delivery.webhooks import register
from api.sealing import Seal, new_key
from api.store.database import Database
from api.store.log import verify
from api.store.migrating import migrate
from api.store.proposals import approve, consider, decline
from api.store.refusals import Stale
from api.store.saving import create_firm
from api.store.turn import Turn
from api.store.turns import Turns
from benchmarks.records import record
from scenarios.firms import Generated, generate_firm
from solver import Task, compile_board
from solver.plan import LoadChange, Move, Proposal
from solver.rechecking import recheck
from tests.api.delivery.receiving import receiver

T = TypeVar("T")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure on generated firms in an embedded database with ``synchronous=FULL``, and print milliseconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, nargs="*", default=(30, 100))
    parser.add_argument("--tasks-each", type=int, default=20)
    parser.add_argument("--decisions", type=int, default=20)
    parser.add_argument("--messages", type=int, default=500)
    asked = parser.parse_args(arguments)
    for people in asked.people:
        made = generate_firm(people=people, tasks=people * asked.tasks_each, load=0.6)
        with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
            database = Database(f"sqlite:///{folder}/evenhand.db")
            migrate(database)
            _measure(database, made, asked.decisions, asked.messages)
            database.close()


def _measure(database: Database, made: Generated, decisions: int, messages: int) -> None:
    now = made.now.replace(tzinfo=made.firm.zone).astimezone(UTC)
    create_firm(database, "one", made.firm, now=now, actor="benchmark")
    turns = Turns(database)
    found = _proposals(made, 2 * decisions)
    kept, (ids, left_out) = _timed(lambda: _acted(turns, now, lambda turn: consider(turn, found, plan=None)))
    half = len(ids) // 2
    took = [_timed(partial(_approved, turns, now, id)) for id in ids[:half]]
    approving, refused = [took_ms for took_ms, _ in took], sum(not approved for _, approved in took)
    declining = [_timed(partial(_declined, turns, now, id))[0] for id in ids[half:]]
    again, repeated = _timed(lambda: _acted(turns, now, lambda turn: consider(turn, found[half:], plan=None)))
    assert not repeated.ids
    like = next(task for task in made.firm.tasks if task.estimate_min)
    _acted(turns, now, lambda turn: [turn.place(_hopeless(like, i, made.now)) for i in range(200)])
    retrying, placed = _timed(lambda: _acted(turns, now, lambda turn: turn.retry("benchmark")))
    assert not placed
    with database.reading("one") as session:
        assert verify(session).broken is None
    assert turns.self_check("one") == ()
    figures = {
        "people": len(made.firm.people),
        "tasks": len(made.firm.tasks),
        "proposals": len(ids),
        "left_out": len(left_out),
        "keep_all_ms": round(kept),
        "refused": refused,
        "approve_median_ms": round(statistics.median(approving), 1),
        "approve_most_ms": round(max(approving), 1),
        "decline_median_ms": round(statistics.median(declining), 1),
        "declined_again_ms": round(again),
        "retry_200_ms": round(retrying),
        **_delivered(turns, now, like, messages),
    }
    print(", ".join(f"{name} {value}" for name, value in figures.items()), flush=True)
    record("approving", **figures)


def _delivered(turns: Turns, now: datetime, like: Task, count: int) -> dict[str, int]:
    """Place tasks and send what is said of them to a receiver on this machine."""
    post = Post(turns, Seal([new_key()]), private=True)
    later = now + timedelta(hours=1)
    deliver_all(post, "one", now=later)
    with receiver() as there:
        _acted(turns, later, lambda turn: register(turn, there.url, topics=["task.placed"], label="", seal=post.seal))
        far = {"deadline": like.deadline + timedelta(days=400), "estimate_min": 1, "release": None, "assignee": None}
        for i in range(count):
            task = Task.model_validate(
                like.model_dump() | far | {"id": f"told {i}", "status": "planned", "logged_min": 0}
            )
            with turns.turn("one", now=later, actor="benchmark") as turn:
                turn.place(task)
        took_ms, done = _timed(lambda: deliver_all(post, "one", now=later))
        assert (done.arrived, done.failed, len({one.id for one in there.came})) == (count, 0, count)
    return {"messages": count, "delivered_per_s": round(1e3 * count / took_ms)}


def _proposals(made: Generated, count: int) -> list[Proposal]:
    """Return single moves that gain today, found by trying each assigned task with the next people in turn."""
    board = compile_board(made.firm, now=made.now)
    people = [person.id for person in made.firm.people]
    assigned = [task for task in board.tasks if task.id in board.promises and not (task.pinned or task.started)]
    moves = [
        Move(
            task=task.id,
            from_person=task.assignee,
            to_person=people[(board.staff.row[str(task.assignee)] + step) % len(people)],
        )
        for task in assigned
        for step in range(1, len(people))
    ]
    found: dict[str, Proposal] = {}
    for proposal in recheck(board, [[move] for move in moves]):
        if isinstance(proposal, Proposal) and len(found) < count:
            found.setdefault(proposal.moves[0].task, proposal)
    return [_bare(proposal) for proposal in found.values()]


def _bare(proposal: Proposal) -> Proposal:
    """Return a proposal without names, as those of the store come."""
    nobody = LoadChange(person=str(proposal.moves[0].from_person), before_min=0, after_min=0, capacity_min=0)
    return proposal.model_copy(update={"reason": "benchmark", "loads": (nobody,)})


def _hopeless(like: Task, i: int, now: datetime) -> Task:
    fields = {"id": f"hopeless {i}", "deadline": now.date(), "release": None, "estimate_min": 5_000, "assignee": None}
    return Task.model_validate(like.model_dump() | fields | {"status": "planned", "logged_min": 0, "reviews": None})


def _approved(turns: Turns, now: datetime, id: str) -> bool:
    """Approve a proposal; ``False`` where what was approved before has made it worthless."""
    try:
        _acted(turns, now, lambda turn: approve(turn, [id], reason=""))
    except Stale:
        return False
    return True


def _declined(turns: Turns, now: datetime, id: str) -> int:
    return _acted(turns, now, lambda turn: decline(turn, id, reason="no"))


def _acted(turns: Turns, now: datetime, act: Callable[[Turn], T]) -> T:
    with turns.turn("one", now=now, actor="benchmark") as turn:
        return act(turn)


def _timed(act: Callable[[], T]) -> tuple[float, T]:
    start = time.perf_counter()
    answer = act()
    return 1e3 * (time.perf_counter() - start), answer


if __name__ == "__main__":
    main()
