"""Who may do a task, leaving time aside: skill, employment, independence, guardrail. One home for each filter.

Everything is asked for all people at once: answers are arrays over people in the order of ``Firm.people``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np
from numpy.typing import NDArray

from solver.firm import Client, Firm, Task, TaskType
from solver.plan import Filter

FILTERS = tuple(Filter)
"""Filters in the order of the rule; code ``i + 1`` in an array means ``FILTERS[i]``, code 0 means none."""


def code(which: Filter) -> int:
    """Return the array code of a filter."""
    return FILTERS.index(which) + 1


@dataclass(frozen=True)
class Workforce:
    """The people of a firm as arrays of length ``people``.

    Attributes
    ----------
    efficiency_pct
        ``(skills, people)`` percent of the estimate needed, 0 where the skill is missing.
    mismatch_min
        ``(skills, people)`` price in minutes of giving the person such a task.
    rank
        Place of each person's level, 0 lowest.
    last_day
        Ordinal of the last day worked; a far day where no leave date is set.
    leavers
        Places of the people who have a leave date.
    id_order
        Place of each person when sorted by id: the last word in every tie.
    """

    row: dict[str, int]
    skill_row: dict[str, int]
    efficiency_pct: NDArray[np.int64]
    mismatch_min: NDArray[np.int64]
    rank: NDArray[np.int64]
    last_day: NDArray[np.int64]
    leavers: NDArray[np.int64]
    id_order: NDArray[np.int64]
    ids: tuple[str, ...]
    shared: dict[tuple[int, tuple[str, ...]], NDArray[np.int8]] = field(default_factory=dict, repr=False)

    @property
    def count(self) -> int:
        """Number of people."""
        return len(self.rank)

    def rows(self, people: tuple[str, ...]) -> list[int]:
        """Return the places of people by id."""
        return [self.row[person] for person in people]

    def stopped_for_good(self, skill: str, barred: tuple[str, ...]) -> NDArray[np.int8]:
        """Return per person the code of the filter that stops them at any time: skill, else independence. Shared: not to be written."""
        key = (self.skill_row[skill], barred)
        if key not in self.shared:
            stopped = np.zeros(self.count, dtype=np.int8)
            stopped[self.rows(barred)] = code(Filter.INDEPENDENCE)
            stopped[self.efficiency_pct[key[0]] == 0] = code(Filter.SKILL)
            stopped.flags.writeable = False
            self.shared[key] = stopped
        return self.shared[key]


def workforce(firm: Firm) -> Workforce:
    """Compile the people of a firm."""
    skills = sorted({kind.skill for kind in firm.task_types} | {s.skill for p in firm.people for s in p.skills})
    skill_row = {skill: k for k, skill in enumerate(skills)}
    efficiency = np.zeros((len(skills), len(firm.people)), dtype=np.int64)
    mismatch = np.zeros_like(efficiency)
    for p, person in enumerate(firm.people):
        for cell in person.skills:
            efficiency[skill_row[cell.skill], p] = cell.efficiency_pct
            mismatch[skill_row[cell.skill], p] = cell.mismatch_min
    by_id = sorted(range(len(firm.people)), key=lambda p: firm.people[p].id)
    ranks = {level.name: i for i, level in enumerate(firm.levels)}
    return Workforce(
        row={person.id: p for p, person in enumerate(firm.people)},
        skill_row=skill_row,
        efficiency_pct=efficiency,
        mismatch_min=mismatch,
        rank=np.array([ranks[person.level] for person in firm.people], dtype=np.int64),
        last_day=np.array([(person.leave_date or date.max).toordinal() for person in firm.people], dtype=np.int64),
        leavers=np.array([p for p, person in enumerate(firm.people) if person.leave_date], dtype=np.int64),
        id_order=np.argsort(np.array(by_id, dtype=np.int64)),
        ids=tuple(person.id for person in firm.people),
    )


def work_min(efficiency_pct: NDArray[np.int64], remaining_min: int | NDArray[np.int64]) -> NDArray[np.int64]:
    """Return ``ceil(efficiency x remaining / 100)`` per person: minutes the task takes; 0 where the skill is missing."""
    return -(-efficiency_pct * remaining_min // 100)


def needed_rank(firm: Firm, kind: TaskType, client: Client, reviewed: TaskType | None) -> int:
    """Return the lowest level rank that may do a task: type minimum, guardrail, and who may review the reviewed type."""
    guardrail = firm.policy.guardrail
    needs = [firm.level_rank(kind.min_level)]
    if kind.complexity >= guardrail.complex_from:
        needs.append(firm.level_rank(guardrail.complex_level))
    if client.tier.value == "high":
        needs.append(firm.level_rank(guardrail.high_value_level))
    if reviewed is not None and reviewed.review is not None:
        needs.append(firm.level_rank(reviewed.review.min_level))
    return max(needs)


def stopped_by(
    staff: Workforce, kind: TaskType, client: Client, task: Task, today: date, never_in_time: NDArray[np.bool_]
) -> NDArray[np.int8]:
    """Return per person the code of the first static filter before the deadline that stops them, 0 for none.

    ``never_in_time`` marks people who leave before they could finish, even with nothing else to do. Not to be written: tasks
    that ask the same share it.
    """
    begins = max(today, task.release or today).toordinal()
    stopped = staff.stopped_for_good(kind.skill, client.barred)
    gone = (staff.last_day < begins) | never_in_time
    gone &= stopped != code(Filter.SKILL)
    return np.where(gone, np.int8(code(Filter.EMPLOYMENT)), stopped) if gone.any() else stopped
