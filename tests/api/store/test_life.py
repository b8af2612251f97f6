"""A firm lives through many things in a row; what is stored must be of one piece."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from api.delivery.handing_out import hand_out
from api.store.database import Database
from api.store.loading import load_firm
from api.store.log import verify
from api.store.parts import PartKind
from api.store.proposal_listing import WantedProposals, proposals_after
from api.store.proposals import approve, consider, decline, expire, undo
from api.store.refusals import Ended, Stale
from api.store.replaying import replay
from api.store.saving import create_firm
from api.store.tables import ExceptionRecord
from api.store.turn import Turn
from api.store.turns import Turns
from solver.firm import Status, TimeOff
from solver.plan import LoadChange, Move, Proposal
from solver.task_row import is_held
from tests.firms_for_tests import day, firm, person, task

NOW = datetime(2027, 3, 1, 14, 0, tzinfo=UTC)
STEPS, SEED = 80, 4


class Life:
    """Things that happen, drawn at random from a seed."""

    def __init__(self, turns: Turns, seed: int) -> None:
        self.turns, self.draw, self.at, self.count = turns, random.Random(seed), NOW, 0
        self.off: list[str] = []
        self.happened: dict[str, int] = {}

    def step(self) -> None:
        self.at += timedelta(minutes=self.draw.choice((0, 0, 5, 40)))
        act = self.draw.choice(self._acts())
        with self.turns.turn("one", now=self.at, actor=f"step-{self.count}") as turn:
            self.count += 1
            try:
                done = act(turn)
            except (Stale, Ended):
                done = False
            if done is not False:
                self.happened[act.__name__] = self.happened.get(act.__name__, 0) + 1
        if self.draw.random() < 0.3:
            hand_out(self.turns, "one", now=self.at)

    def _acts(self) -> list[Callable[[Turn], Any]]:
        common = [self.place, self.place, self.place, self.propose, self.propose, self.approve, self.decline]
        return [*common, self.estimate, self.finish, self.assign, self.away, self.back, self.undo, self.expire]

    def place(self, turn: Turn) -> None:
        hours = self.draw.choice((None, 1, 4, 8, 20))
        turn.place(task(f"n{self.count}", hours=hours, due=self.draw.randrange(1, 12)))

    def propose(self, turn: Turn) -> bool:
        some = self.draw.sample(self._mine(turn), k=min(2, len(self._mine(turn))))
        people = [one.id for one in turn.board.firm.people]
        moves = tuple(
            Move(task=id, from_person=turn.board.known[id].assignee, to_person=self.draw.choice(people)) for id in some
        )
        load = LoadChange(person="p0", before_min=0, after_min=0, capacity_min=0)
        made = Proposal(id="m", moves=moves, gain_min=1, gain_per_move_min=1, loads=(load,), reason="")
        return bool(moves) and bool(consider(turn, [made], plan=None).ids)

    def approve(self, turn: Turn) -> bool:
        ids = self._proposals(turn, waiting=True)
        return bool(ids) and bool(approve(turn, [self.draw.choice(ids)], reason="yes"))

    def decline(self, turn: Turn) -> bool:
        ids = self._proposals(turn, waiting=True)
        return len(ids) > 1 and bool(decline(turn, self.draw.choice(ids), reason="no"))

    def undo(self, turn: Turn) -> bool:
        ids = self._proposals(turn, waiting=False)
        return bool(ids) and bool(undo(turn, self.draw.choice(ids), reason="back"))

    def expire(self, turn: Turn) -> bool:
        return bool(expire(turn))

    def estimate(self, turn: Turn) -> bool:
        held = [id for id, one in turn.board.known.items() if one.open and one.estimate_min is None]
        if held:
            turn.change_task(self.draw.choice(sorted(held)), estimate_min=self.draw.choice((30, 240, 900)))
        return bool(held)

    def finish(self, turn: Turn) -> bool:
        mine = self._mine(turn)
        if mine:
            turn.change_task(self.draw.choice(mine), status=Status.DONE, completed_on=day(0))
        return bool(mine)

    def assign(self, turn: Turn) -> bool:
        mine = self._mine(turn)
        if mine:
            turn.assign(self.draw.choice(mine), self.draw.choice(["p0", "p1", "p2"]), reason="by hand")
        return bool(mine)

    def away(self, turn: Turn) -> None:
        who, first = self.draw.choice(["p0", "p1", "p2"]), self.draw.randrange(0, 8)
        self.off.append(f"time_off-{turn.put(TimeOff(person=who, first_day=day(first), last_day=day(first + 2)))}")

    def back(self, turn: Turn) -> bool:
        if self.off:
            turn.remove(PartKind.TIME_OFF, self.off.pop())
            return True
        return False

    def _mine(self, turn: Turn) -> list[str]:
        return sorted(id for id, one in turn.board.known.items() if one.open and one.assignee is not None)

    def _proposals(self, turn: Turn, *, waiting: bool) -> list[str]:
        turn.draft.write()
        found = proposals_after(turn.session, WantedProposals(waiting=waiting), None, 500)
        return [one.id for one in found if waiting or one.status.value == "approved"]


def require_whole(turns: Turns) -> None:
    """Refuse a firm whose proposals, exceptions and tasks do not agree."""
    with turns.database.reading("one") as session:
        made = load_firm(session)
        tasks, types = {one.id: one for one in made.tasks}, {kind.id: kind for kind in made.task_types}
        for one in proposals_after(session, WantedProposals(), None, 999):
            states = [state.state for state in one.states]
            assert states[-1] is one.status
            assert states[0].value == "created"
            assert one.status.waits == (one.ended_at is None)
            if one.status.waits:
                for move in one.proposal.moves:
                    assert tasks[move.task].open
                    assert tasks[move.task].assignee == move.from_person
        open_ones = session.scalars(select(ExceptionRecord).where(ExceptionRecord.closed_at.is_(None))).all()
        assert len({one.task for one in open_ones}) == len(open_ones)
        for exception in open_ones:
            waiting = tasks[exception.task]
            assert waiting.open
            assert waiting.assignee is None
            assert (exception.kind == "hold") == is_held(made, waiting, types[waiting.type])
        told_waiting = {one.id for one in made.tasks if one.open and one.assignee is None}
        assert told_waiting == {one.task for one in open_ones}
    assert turns.self_check("one") == ()


def test_whatever_happens_in_whatever_order_all_is_of_one_piece(database: Database) -> None:
    happened = lived(Turns(database), SEED, STEPS, every=10)
    assert {"propose", "approve", "decline", "undo", "estimate", "finish", "assign", "away", "back"} <= happened.keys()


def lived(turns: Turns, seed: int, steps: int, *, every: int) -> dict[str, int]:
    """Let a firm live, looking at it ``every`` few steps; return how often each thing happened."""
    people = tuple(person(f"p{i}", name=f"Name {i}") for i in range(3))
    work = tuple(task(f"t{i}", hours=6, due=11, assignee="p0") for i in range(8))
    create_firm(turns.database, "one", firm(people, work), now=NOW, actor="test")
    life = Life(turns, seed)
    for step in range(steps):
        life.step()
        if step % every == every - 1:
            require_whole(turns)
    with turns.database.reading("one") as session:
        walked = verify(session)
        assert walked.broken is None
        assert all(replay(session, number).same for number in range(1, walked.entries + 1, 3))
    return life.happened
