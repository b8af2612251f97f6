"""Everybody as one arrival found them: arrays for the decision, candidates in rank order for whoever reads it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from solver.eligibility import FILTERS
from solver.plan import Candidate


@dataclass(frozen=True, eq=False)
class Seen:
    """The people before one decision, ``(people,)`` each; nothing here changes when the board goes on.

    Attributes
    ----------
    remaining_min
        Open minutes this week that no promise needs: the ranking.
    stops
        Code of the first filter that stops each person, in the rule's order, 0 for none.
    work_min, gap_min, load_min
        Minutes the task takes, minutes of them missing before the deadline, minutes of open work assigned.
    """

    ids: tuple[str, ...]
    id_order: NDArray[np.int64]
    remaining_min: NDArray[np.int32]
    stops: NDArray[np.int8]
    work_min: NDArray[np.int64]
    gap_min: NDArray[np.int64]
    load_min: NDArray[np.int64]

    def ranking(self) -> NDArray[np.int64]:
        """Step 3 of the rule: most remaining minutes this week first; ties by id."""
        return np.lexsort((self.id_order, -self.remaining_min)).astype(np.int64)

    def passing(self) -> NDArray[np.int64]:
        """Return who passes every filter."""
        return np.flatnonzero(self.stops == 0).astype(np.int64)

    def first(self, people: NDArray[np.int64]) -> int:
        """Return the one of ``people`` who ranks first."""
        rank = self.remaining_min[people].astype(np.int64) * len(self.ids) - self.id_order[people]
        return int(people[rank.argmax()])


class Choice(NamedTuple):
    """Whom a routing policy chose, and why in words."""

    person: int
    reason: str


class Candidates(Sequence[Candidate]):
    """Everybody in rank order as data, made when first read: a decision is due at once, its reasons when asked for.

    Equal to the tuple of the same candidates, and serialised as one.
    """

    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    @cached_property
    def columns(self) -> dict[str, list[Any]]:
        """The fields of everybody, in rank order, as one list each: what is written costs no candidates."""
        seen, ranked = self._seen, self._seen.ranking()
        stopped_by = (None, *FILTERS)
        return {
            "person": [seen.ids[p] for p in ranked.tolist()],
            "remaining_min": seen.remaining_min[ranked].tolist(),
            "stopped_by": [stopped_by[stop] for stop in seen.stops[ranked].tolist()],
            "work_min": seen.work_min[ranked].tolist(),
            "gap_min": seen.gap_min[ranked].tolist(),
            "load_min": seen.load_min[ranked].tolist(),
        }

    def rows(self) -> tuple[dict[str, Any], ...]:
        """Return everybody as plain data: what a candidate is dumped as."""
        names = tuple(self.columns)
        return tuple(dict(zip(names, row, strict=True)) for row in zip(*self.columns.values(), strict=True))

    @cached_property
    def _made(self) -> tuple[Candidate, ...]:
        # model_construct: these values come from our own arrays, and validation would cost more than the decision.
        return tuple(Candidate.model_construct(**row) for row in self.rows())

    def __len__(self) -> int:
        return len(self._seen.ids)

    @overload
    def __getitem__(self, place: int) -> Candidate: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[Candidate, ...]: ...

    def __getitem__(self, place: int | slice) -> Candidate | tuple[Candidate, ...]:
        return self._made[place]

    def __iter__(self) -> Iterator[Candidate]:
        return iter(self._made)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Candidates | tuple):
            return self._made == tuple(other)
        return NotImplemented

    def __hash__(self) -> int:
        return self._made.__hash__()

    def __repr__(self) -> str:
        return repr(self._made)

    def __reduce__(self) -> tuple[type, tuple[tuple[Candidate, ...]]]:
        return tuple, (self._made,)  # pickled, or copied in depth, it is what it stands for
