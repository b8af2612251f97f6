"""Which deadlines are at risk, and who or what is the bottleneck: what the draws of one plan say."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from scenarios.draws import Floats, Setting
from scenarios.execution import Promised
from scenarios.uncertainty import CONFIDENCE, Outcomes


class Cause(StrEnum):
    """What made a task late on a draw, the first that holds."""

    OVERDUE = "overdue"
    DOCUMENTS = "documents"
    PREPARATION = "preparation"
    HOURS = "hours"

    @property
    def meaning(self) -> str:
        """The cause in words."""
        return {
            "overdue": "the deadline has passed already",
            "documents": "its documents came after the deadline",
            "preparation": "its preparation was not finished before the deadline",
            "hours": "other work took the hours",
        }[self.value]


@dataclass(frozen=True)
class Risk:
    """One deadline.

    Attributes
    ----------
    late_share, low, high
        Share of the draws on which it was missed, and the interval that holds the true chance in 90 of 100 cases (Wilson).
    mean_days_late
        Calendar days, over the draws on which it was missed; work not finished within the horizon counts to its end.
    cause
        The most frequent one, ``None`` where the task was never late.
    """

    task: str
    person: str | None
    late_share: float
    low: float
    high: float
    mean_days_late: float
    cause: Cause | None


@dataclass(frozen=True)
class Bottleneck:
    """A person or a skill whose hours make work late.

    Attributes
    ----------
    mean_late
        Late tasks per draw for want of their hours, work that waits for their preparation included.
    any_late_share
        Share of the draws with at least one.
    utilisation_pct
        Mean load over hours until the last deadline; ``None`` for skills, whose people have others too.
    """

    name: str
    mean_late: float
    any_late_share: float
    utilisation_pct: float | None


def risks(place: Setting, plan: Promised, found: Outcomes) -> tuple[Risk, ...]:
    """Return the risk of every deadline, greatest first. A task that nobody has is missed for certain."""
    late = late_of(place, plan, found)
    causes = _causes(place, plan, found)
    share = late.mean(axis=0)
    low, high = wilson(share, found.draws)
    slot = np.minimum(found.finish, len(place.day) - 1)
    days = np.where(late, np.maximum(place.day[slot] - place.deadline_day, 0), 0).sum(axis=0) / np.maximum(
        late.sum(axis=0), 1
    )
    order = (
        np.lexsort((np.array(place.tasks, dtype=object), -days, -share)) if len(share) else np.zeros(0, dtype=np.int64)
    )
    return tuple(
        Risk(
            task=place.tasks[t],
            person=place.people[plan.who[t]] if plan.who[t] >= 0 else None,
            late_share=float(share[t]) if plan.who[t] >= 0 else 1.0,
            low=float(low[t]) if plan.who[t] >= 0 else 1.0,
            high=float(high[t]) if plan.who[t] >= 0 else 1.0,
            mean_days_late=round(float(days[t]), 1),
            cause=_most(causes[:, t]) if share[t] > 0 and plan.who[t] >= 0 else None,
        )
        for t in order
    )


def late_of(place: Setting, plan: Promised, found: Outcomes) -> NDArray[np.bool_]:
    """Return ``(N, T)`` which tasks were late on which draw; tasks of nobody are none of them."""
    late: NDArray[np.bool_] = (found.finish > place.deadline) & (plan.who >= 0)
    return late


def wilson(share: Floats, draws: int) -> tuple[Floats, Floats]:
    """Return the interval that holds a true chance in 90 of 100 cases, given the share of some draws (Wilson 1927)."""
    z = float(ndtri((1 + CONFIDENCE) / 2))
    middle = (share + z**2 / (2 * draws)) / (1 + z**2 / draws)
    half = z / (1 + z**2 / draws) * np.sqrt(share * (1 - share) / draws + z**2 / (4 * draws**2))
    # At the ends rounding would leave the share itself out.
    return np.clip(middle - half, 0.0, share), np.clip(middle + half, share, 1.0)


def bottlenecks(
    place: Setting, plan: Promised, found: Outcomes
) -> tuple[tuple[Bottleneck, ...], tuple[Bottleneck, ...]]:
    """Return people and skills for want of whose hours work was late, worst first; those without any are left out."""
    blamed, _ = _blamed(place, plan, found)
    open_min, load = np.maximum(found.open_min, 1.0), found.load_min
    use = 100 * (load / open_min).mean(axis=0)
    draw, task = np.nonzero(blamed >= 0)
    culprit = blamed[draw, task]
    people = np.zeros((found.draws, len(place.people)), dtype=np.int64)
    np.add.at(people, (draw, plan.who[culprit]), 1)
    names = sorted(set(place.skills))
    skill = np.array([names.index(one) for one in place.skills], dtype=np.int64)
    skills = np.zeros((found.draws, len(names)), dtype=np.int64)
    np.add.at(skills, (draw, skill[culprit]), 1)
    return (
        _worst(place.people, people, [round(float(one), 1) for one in use]),
        _worst(names, skills, [None] * len(names)),
    )


def _worst(
    names: tuple[str, ...] | list[str], counts: NDArray[np.int64], use: list[float] | list[None]
) -> tuple[Bottleneck, ...]:
    found = [
        Bottleneck(name, round(float(mean), 2), float(some), pct)
        for name, mean, some, pct in zip(names, counts.mean(axis=0), (counts > 0).mean(axis=0), use, strict=True)
        if mean > 0
    ]
    return tuple(sorted(found, key=lambda one: (-one.mean_late, one.name)))


_CODES = tuple(Cause)


def _causes(place: Setting, plan: Promised, found: Outcomes) -> NDArray[np.int8]:
    """Return ``(N, T)`` the code of each late task's cause, -1 where it was not late."""
    late = late_of(place, plan, found)
    before = place.preparation
    waits = (before >= 0) & (plan.who[np.maximum(before, 0)] >= 0) if len(before) else before >= 0
    prepared = np.where(waits, found.finish[:, np.maximum(before, 0)], -1) if len(before) else found.finish
    code = np.full(late.shape, _CODES.index(Cause.HOURS), dtype=np.int8)
    code[prepared >= place.deadline] = _CODES.index(Cause.PREPARATION)
    code[found.release > place.deadline] = _CODES.index(Cause.DOCUMENTS)
    code[:, place.deadline < 0] = _CODES.index(Cause.OVERDUE)
    code[~late] = -1
    return code


def _most(codes: NDArray[np.int8]) -> Cause:
    return _CODES[int(np.bincount(codes[codes >= 0], minlength=len(_CODES)).argmax())]


def _blamed(place: Setting, plan: Promised, found: Outcomes) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """Return ``(N, T)`` the task whose person lacked the hours for a late one: itself, or the preparation it waited for; -1 for none."""
    codes = _causes(place, plan, found)
    blamed = np.where(codes == _CODES.index(Cause.HOURS), np.arange(len(place.tasks)), -1)
    for t in np.flatnonzero(place.preparation >= 0).tolist():
        first = t
        while place.preparation[first] >= 0 and plan.who[place.preparation[first]] >= 0:
            first = int(place.preparation[first])
            if (found.release[:, first] <= place.deadline[t]).all():
                break
        waiting = codes[:, t] == _CODES.index(Cause.PREPARATION)
        blamed[waiting & (found.release[:, first] <= place.deadline[t]), t] = first
    return blamed, codes
