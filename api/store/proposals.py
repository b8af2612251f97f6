"""Proposals of moves from the plan that makes them to the manager who decides, each step in the firm's turn.

Whatever is kept was computed from a firm with marks for names (`api.store.records.load_marked_firm`). Approving checks the moves again
on the board as it is: they are made as decisions of that manager, or refused with what has changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.store.boards import labels_of
from api.store.deciding import Decided
from api.store.draft import require_storable
from api.store.facts import changes, facts_of, stand
from api.store.log import By, EntryKind, canonical
from api.store.names import named, without_names
from api.store.proposal_states import (
    WAITING_WORDS,
    ProposalStatus,
    begin,
    end,
)
from api.store.refusals import OutOfReach, changed, ended, not_found, stale
from api.store.tables import PlanRecord, ProposalRecord, ProposalStateRecord
from api.store.turn import Turn
from solver.plan import Move, Proposal
from solver.rechecking import Obstacle, recheck
from solver.refusal import Refusal, Refused

FRESH = {"populate_existing": True}
"""What a turn writes goes around the objects that its session knows."""
LIFE = timedelta(days=7)
"""How long a proposal waits where nothing else is said: a week later half of what it weighs has changed."""


class LeftOut(NamedTuple):
    """A proposal that was not kept, and why, with marks for names."""

    proposal: str
    reason: str


class Proposing(NamedTuple):
    """What became of the proposals of a plan.

    Attributes
    ----------
    ids
        Of those that wait now: new ones, and those that waited already.
    left_out
        Those not kept: the work has changed since the plan, or a manager declined them and the facts stand.
    """

    ids: list[str]
    left_out: list[LeftOut]


class Approved(NamedTuple):
    """What approving did.

    Attributes
    ----------
    number
        Of the entry in the decision log that approves.
    decided
        One assignment per move, in their order.
    gain_min
        What the moves gain on the board they were made on.
    """

    number: int
    decided: tuple[Decided, ...]
    gain_min: int


def propose(
    turn: Turn, proposals: Iterable[Proposal], *, plan: str | None, expires_at: datetime | None = None
) -> list[str]:
    """Keep the proposals of a plan for managers to decide, and tell the world; return the ids of those that wait."""
    return consider(turn, proposals, plan=plan, expires_at=expires_at).ids


def consider(
    turn: Turn, proposals: Iterable[Proposal], *, plan: str | None, expires_at: datetime | None = None
) -> Proposing:
    """Keep those proposals of a plan that are still right and were not declined on the same facts.

    One that waits already is brought up to date; what waits from other plans and is not made again is superseded, and so is what
    would move the same tasks. Called again with the same plan it keeps nothing twice.

    Parameters
    ----------
    plan
        Id of the stored plan; none: somebody's own idea.
    expires_at
        When they are void; none: after `LIFE`.
    """
    expires_at = turn.now + LIFE if expires_at is None else expires_at
    asked = list(proposals)
    found = _rechecked(turn, asked, plan)
    declined = _of_status(turn.session, [ProposalStatus.DECLINED.value])
    waiting = {_moves_of(record): record for record in _of_status(turn.session, WAITING_WORDS)}
    made, taken = Proposing([], []), set[str]()
    with turn.whole():
        for proposal, now in zip(asked, found, strict=True):
            if isinstance(now, Obstacle):
                made.left_out.append(LeftOut(proposal.id, now.sentence))
                continue
            refused = _declined(turn, declined, now)
            if refused is not None:
                made.left_out.append(LeftOut(proposal.id, f"was declined as {refused}, and the facts stand"))
                continue
            made.ids.append(_keep(turn, now, waiting.get(frozenset(now.moves)), plan, expires_at))
            taken |= {move.task for move in now.moves}
        for moves, record in waiting.items():
            other = record.plan is not None and plan is not None and record.plan != plan
            if record.id not in made.ids and (other or taken & {move.task for move in moves}):
                why = f"the plan {plan} does not make it again" if plan else "another proposal moves the same work"
                end(turn.draft, record.id, ProposalStatus.SUPERSEDED, reason=why, decision=None)
    return made


def approve(turn: Turn, ids: Sequence[str], *, reason: str, expected: int | None = None) -> Approved:
    """Make all moves of these proposals together, if they still fit and gain on the board as it is, as the manager's decisions.

    Parameters
    ----------
    expected
        Version of the one proposal that was read; none: whatever is there.

    Raises
    ------
    Ended
        Somebody has decided one of them; the refusal says who and when.
    Stale
        The moves do not fit, or gain nothing any more; the refusal says what has changed.
    Changed
        A later plan has brought the proposal up to date since it was read.
    """
    records = [_waiting(turn, id) for id in dict.fromkeys(ids)]
    _require_version(records, expected)
    moves = [move for record in records for move in Proposal.model_validate_json(record.document).moves]
    for move in moves:
        for person in (move.from_person, move.to_person):
            turn.require_reach("proposal", person)
    _require_apart(moves)
    (now,) = recheck(turn.fresh_board(), [moves])
    if isinstance(now, Obstacle):
        raise _stale(turn, records, moves, now)
    with turn.whole():
        said = without_names(reason, turn.compiled().labels)
        document = {"moves": [move.model_dump() for move in moves], "gain_min": now.gain_min}
        number = _enter(turn, records, ProposalStatus.APPROVED, By.MANAGER, said, document)
        for record in records:
            end(turn.draft, record.id, ProposalStatus.APPROVED, reason=said, decision=number)
        given = [(move.task, str(move.to_person)) for move in moves]
        decided = turn.hand_over(given, reason=said or now.reason, proposal=number)
    return Approved(number, decided, now.gain_min)


def decline(turn: Turn, id: str, *, reason: str, expected: int | None = None) -> int:
    """Let a manager decline a proposal; it is not made again while its facts stand. Return the number of the log entry."""
    record = _waiting(turn, id)
    _require_version([record], expected)
    moves = Proposal.model_validate_json(record.document).moves
    _require_a_say(turn, moves)
    with turn.whole():
        said = without_names(reason, turn.compiled().labels)
        facts = canonical(facts_of(turn.board, moves))
        number = _enter(turn, [record], ProposalStatus.DECLINED, By.MANAGER, said, {})
        end(turn.draft, id, ProposalStatus.DECLINED, reason=said, decision=number, facts=facts)
    return number


def undo(turn: Turn, id: str, *, reason: str) -> Approved:
    """Give the work of an approved proposal back to whom it was taken from, as the manager's decision.

    Raises
    ------
    Ended
        The proposal is not approved, or was undone.
    Stale
        Somebody has begun the work, or it is elsewhere.
    """
    record = _found(turn, id)
    if record.status != ProposalStatus.APPROVED.value:
        raise _ended(turn, record)
    moves = Proposal.model_validate_json(record.document).moves
    obstacles = [text for move in moves for text in _cannot_return(turn, move)]
    if obstacles:
        raise stale("proposal", id, [named(text, turn.compiled().labels) for text in obstacles])
    with turn.whole():
        said = without_names(reason, turn.compiled().labels)
        number = _enter(turn, [record], ProposalStatus.UNDONE, By.MANAGER, said, {})
        end(turn.draft, id, ProposalStatus.UNDONE, reason=said, decision=number)
        given = [(move.task, move.from_person) for move in moves]
        decided = turn.hand_over(given, reason=said, proposal=number)
    return Approved(number, decided, 0)


def expire(turn: Turn) -> list[str]:
    """End the proposals whose time is over at the turn's moment; return their ids. Called by whatever keeps the clock."""
    asked = select(ProposalRecord).where(ProposalRecord.status.in_(WAITING_WORDS))
    asked = asked.where(ProposalRecord.expires_at <= turn.now).order_by(ProposalRecord.id)
    turn.draft.write()
    records = turn.session.scalars(asked, execution_options=FRESH).all()
    for record in records:
        with turn.whole():
            reason = f"nobody decided until {record.expires_at:%Y-%m-%d %H:%M} UTC"
            number = _enter(turn, [record], ProposalStatus.EXPIRED, By.RULE, reason, {})
            end(turn.draft, record.id, ProposalStatus.EXPIRED, reason=reason, decision=number)
    return [record.id for record in records]


def next_end(session: Session) -> datetime | None:
    """Return when the first waiting proposal of the session's firm expires, ``None`` where none does; no turn is needed to ask."""
    return session.scalars(
        select(func.min(ProposalRecord.expires_at)).where(ProposalRecord.status.in_(WAITING_WORDS))
    ).one()


def _rechecked(turn: Turn, asked: Sequence[Proposal], plan: str | None) -> list[Proposal | Obstacle]:
    """Return the proposals as they are on today's board; as they came where nothing has changed since their plan."""
    turn.draft.write()
    version = turn.session.scalars(select(PlanRecord.version).where(PlanRecord.id == plan)).one_or_none()
    if not asked or version == turn.version:
        return list(asked)
    return recheck(turn.fresh_board(), [proposal.moves for proposal in asked])


def _keep(turn: Turn, proposal: Proposal, there: ProposalRecord | None, plan: str | None, expires_at: datetime) -> str:
    draft, facts = turn.draft, canonical(facts_of(turn.board, proposal.moves))
    if there is not None:
        fresh = {"document": proposal.model_dump_json(), "facts": facts, "version": turn.version}
        draft.update(ProposalRecord, {"id": there.id}, plan=plan or there.plan, expires_at=expires_at, **fresh)
        return there.id
    asked = canonical([plan or turn.version, sorted(canonical(move.model_dump()) for move in proposal.moves)])
    id = "p" + hashlib.sha256(asked.encode()).hexdigest()[:16]
    draft.write()
    if turn.session.scalars(select(ProposalRecord.id).where(ProposalRecord.id == id)).one_or_none() is None:
        begin(draft, id, proposal, plan=plan, expires_at=expires_at, facts=facts)
    return id


def _declined(turn: Turn, declined: Sequence[ProposalRecord], proposal: Proposal) -> str | None:
    """Return the declined proposal all of whose moves this one makes, on the same facts; ``None`` where there is none."""
    for record in declined:
        moves = _moves_of(record)
        if moves <= frozenset(proposal.moves) and record.facts is not None:
            before = json.loads(record.facts)
            ordered = Proposal.model_validate_json(record.document).moves
            now = facts_of(turn.board, ordered, since=date.fromisoformat(before["since"]))
            if stand(before, now):
                return record.id
    return None


def _cannot_return(turn: Turn, move: Move) -> list[str]:
    task = turn.board.known.get(move.task)
    if task is None or not task.open:
        return [f"{move.task} needs no work any more"]
    if task.assignee != move.to_person:
        return [f"{move.task} is not with {move.to_person} any more"]
    return [f"{move.task} was started"] if task.started else []


def _enter(
    turn: Turn,
    records: Sequence[ProposalRecord],
    state: ProposalStatus,
    by: By,
    said: str,
    more: dict[str, object],
) -> int:
    document = {"proposals": [record.id for record in records], **more}
    return turn.enter(EntryKind.PROPOSAL, by, state.value, said, turn.seen(), document)


def _stale(turn: Turn, records: Sequence[ProposalRecord], moves: Sequence[Move], obstacle: Obstacle) -> Refused:
    found = [obstacle.sentence]
    for record in records:
        if record.facts is not None:
            before = json.loads(record.facts)
            mine = Proposal.model_validate_json(record.document).moves
            now = facts_of(turn.board, mine, since=date.fromisoformat(before["since"]))
            found += [one for one in changes(before, now) if one not in found]
    labels = turn.compiled().labels
    return stale("proposal", ", ".join(record.id for record in records), [named(one, labels) for one in found])


def _found(turn: Turn, id: str) -> ProposalRecord:
    require_storable("proposal", {"id": id})
    turn.draft.write()
    asked = select(ProposalRecord).where(ProposalRecord.id == id)
    record = turn.session.scalars(asked, execution_options=FRESH).one_or_none()
    if record is None:
        known = turn.session.scalars(select(ProposalRecord.id).where(ProposalRecord.status.in_(WAITING_WORDS)))
        raise not_found("proposal", id, list(known))
    return record


def _waiting(turn: Turn, id: str) -> ProposalRecord:
    record = _found(turn, id)
    if not ProposalStatus(record.status).waits:
        raise _ended(turn, record)
    if record.expires_at is not None and record.expires_at <= turn.now:
        raise ended("proposal", id, "expired", at=record.expires_at)
    return record


def _ended(turn: Turn, record: ProposalRecord) -> Refused:
    here = ProposalStateRecord.proposal == record.id, ProposalStateRecord.state == record.status
    state = turn.session.scalars(select(ProposalStateRecord).where(*here)).one()
    reason = named(state.reason, labels_of(turn.session))
    return ended("proposal", record.id, record.status, actor=state.actor, at=state.at, reason=reason)


def _of_status(session: Session, words: Sequence[str]) -> Sequence[ProposalRecord]:
    asked = select(ProposalRecord).where(ProposalRecord.status.in_(words)).order_by(ProposalRecord.created_at)
    return session.scalars(asked.order_by(ProposalRecord.id), execution_options=FRESH).all()


def _moves_of(record: ProposalRecord) -> frozenset[Move]:
    return frozenset(Proposal.model_validate_json(record.document).moves)


def _require_version(records: Sequence[ProposalRecord], expected: int | None) -> None:
    if expected is not None and any(record.version != expected for record in records):
        raise changed("proposal.version", expected, records[0].version)


def _require_a_say(turn: Turn, moves: Sequence[Move]) -> None:
    """Refuse whoever is held to a team that neither gives nor gets the work of a move; approving it needs both."""
    for move in moves:
        try:
            turn.require_reach("proposal", move.from_person)
        except OutOfReach:
            turn.require_reach("proposal", move.to_person)


def _require_apart(moves: Sequence[Move]) -> None:
    """Refuse to approve two proposals together that move the same task."""
    tasks = [move.task for move in moves]
    twice = next((task for task in tasks if tasks.count(task) > 1), None)
    if twice is not None:
        message, hint = "is moved by two of the proposals", "Maybe approve one of them."
        raise Refused(Refusal(code="moved_twice", field="proposals", value=twice, message=message, hint=hint))
