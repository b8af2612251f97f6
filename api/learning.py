"""What a firm's time sheets say: learnt once per version of the firm and local day, as suggestions that nobody has accepted yet."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from api.standing import Standing, Standings
from api.store.database import Database
from api.store.refusals import not_found
from api.store.suggestions import id_of, not_dismissed, settled
from api.store.time_sheets import observations_of
from solver.firm import Firm
from solver.observations import MOST_EFFECTS, Observation, effect_count
from solver.refusal import Refusal, Refused
from solver.stop import WorkBudget

if TYPE_CHECKING:
    from scenarios.difference import Difference
    from solver.adopting import Gain
    from solver.learnt import Learned, Suggestion

KEPT = 16
"""Firms whose lessons a process keeps."""


@dataclass(frozen=True)
class Lesson:
    """What the time sheets of a firm say at one version, seen from one local day.

    Attributes
    ----------
    firm
        With everything that is done; people have marks for names (`api.store.names`).
    """

    version: int
    as_of: date
    at: datetime
    firm: Firm
    seen: tuple[Observation, ...]
    settled: frozenset[str]
    labels: dict[str, str]

    @cached_property
    def learned(self) -> Learned:
        """How long work takes, and how fast people are."""
        from solver.learning import learn  # the libraries of the batch load for seconds, and placing needs none of them

        return learn(self.firm, self.seen, as_of=self.as_of)

    @cached_property
    def suggestions(self) -> tuple[Suggestion, ...]:
        """What could be changed after that, by kind and subject."""
        from solver.suggestions import suggest

        return suggest(self.firm, self.seen, as_of=self.as_of, settled=self.settled)


class Lessons:
    """The lessons of a process, one learnt at a time."""

    def __init__(self, database: Database, standings: Standings) -> None:
        self._database, self._standings = database, standings
        self._kept: OrderedDict[str, Lesson] = OrderedDict()
        self._learning = Lock()

    def of(self, firm: str, *, now: datetime) -> Lesson:
        """Return what a firm's time sheets say now.

        Raises
        ------
        Refused
            The firm is too large to learn of at once.
        """
        standing = self._standings.of(firm, now=now)
        as_of = standing.at.astimezone(ZoneInfo(standing.firm.time_zone)).date()
        with self._learning:
            kept = self._kept.pop(firm, None)
            if kept is None or (kept.version, kept.as_of) != (standing.version, as_of):
                kept = self._learnt(firm, standing, as_of)
            self._kept[firm] = kept
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return kept

    def offered(self, firm: str, *, now: datetime) -> tuple[Lesson, list[Suggestion]]:
        """Return what a firm's time sheets say, and what is offered of it: what nobody has dismissed on the same data."""
        lesson = self.of(firm, now=now)
        with self._database.reading(firm) as session:
            return lesson, not_dismissed(session, lesson.suggestions)

    def one(self, firm: str, id: str, *, now: datetime) -> tuple[Lesson, Suggestion]:
        """Return one suggestion that is offered.

        Raises
        ------
        NotFound
            Nothing of that id is offered (any more).
        """
        lesson, offered = self.offered(firm, now=now)
        found = {id_of(one): one for one in offered}
        if id not in found:
            raise not_found("suggestion", id, list(found))
        return lesson, found[id]

    def _learnt(self, firm: str, standing: Standing, as_of: date) -> Lesson:
        tasks = (*standing.firm.tasks, *standing.finished)
        whole = standing.firm.model_copy(update={"tasks": tasks})
        with self._database.reading(firm) as session:
            seen, already = observations_of(session, whole), settled(session, whole)
        _require_small(seen)
        made = Lesson(standing.version, as_of, standing.at, whole, seen, already, standing.labels)
        _ = made.learned, made.suggestions  # computed here, so that nobody else computes them as well
        return made


def gain_of(lesson: Lesson, some: tuple[Suggestion, ...], *, work_units: float) -> tuple[Gain, Difference, list[str]]:
    """Return what accepting suggestions gains, what differs between the plans without and with them, and what changes in words.

    Both are scenarios of the firm as it stands, planned within so much deterministic work each.
    """
    from scenarios.changes import Scenario, SuggestionsAccepted
    from scenarios.run import Solving, baseline, compare
    from solver.adopting import gained

    now = lesson.at
    solving = Solving(stop=lambda: WorkBudget(work_units))
    scenario = Scenario(name="suggestions accepted", changes=(SuggestionsAccepted(suggestions=some),))
    today = baseline(lesson.firm, now=now, solving=solving)
    found = compare(today, scenario, solving=solving, rounds=0)
    worth = gained(found.after, found.plan_before, found.plan_after, now=now)
    return worth, found.comparison.difference, list(found.comparison.changes)


def _require_small(seen: tuple[Observation, ...]) -> None:
    effects = effect_count(seen)
    if effects > MOST_EFFECTS:
        message = f"has {effects:,} types, people and people in types to learn of, more than {MOST_EFFECTS:,}"
        hint = "Maybe learn of its departments as firms of their own."
        raise Refused(Refusal(code="too_large_to_learn", field="firm", value="", message=message, hint=hint))
