"""A plan carried out on draws: who works on what when, once things turn out otherwise. Compiled.

The rule, the same for every plan: in each slot everybody works on what they have promised, earliest promise first, ties by
task id, as in the timetable, among what can be begun: documents are here, and the preparation was finished in an earlier slot.
Each task takes what it really takes, so work that overruns delays what follows, and time left over begins the next task early.
Nobody reacts: no task changes hands, nobody works longer; illness and late documents only take hours away. A further task goes
to whoever may do it and has the most room before its deadline beside what is promised by then; where nobody has room for it, it
escalates. Escalated work is not done.

Where nothing turns out otherwise every promise of a plan holds: earlier releases never hurt earliest-deadline-first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from scenarios.draws import Draws, Floats, Ints, Setting

NOBODY = -1
_DONE_MIN = 1e-6
"""Minutes below which nothing is left: sums of fractions never come to zero."""


@dataclass(frozen=True)
class Promised:
    """A plan as arrays: person of each task, -1 for nobody, and the slot it is promised by, the slot count beyond the horizon."""

    who: Ints
    due: Ints


@dataclass(frozen=True)
class Executed:
    """What became of a plan on ``N`` draws.

    Attributes
    ----------
    finish
        ``(N, T)`` slot in which each task was finished, the slot count where it was not.
    load_min
        ``(N, P)`` minutes each person's tasks took, arrivals included.
    arrived, arrived_late, arrived_escalated
        ``(N,)`` further tasks, those finished late, those nobody had room for.
    """

    finish: NDArray[np.int32]
    load_min: Floats
    arrived: Ints
    arrived_late: Ints
    arrived_escalated: Ints


def execute(place: Setting, plan: Promised, draws: Draws) -> Executed:
    """Carry a plan out on every draw."""
    count, people, slots = draws.open_min.shape
    tasks = len(plan.who)
    placed = np.flatnonzero(plan.who >= 0)
    names = np.argsort(np.argsort(np.array(place.tasks, dtype=object))) if tasks else np.zeros(0, dtype=np.int64)
    order = placed[np.lexsort((names[placed], plan.due[placed], plan.who[placed]))]
    starts = np.searchsorted(plan.who[order], np.arange(people + 1))
    factor = np.zeros(tasks)
    factor[placed] = place.efficiency_pct[placed, plan.who[placed]] / 100.0
    work = draws.left_min * factor
    work[:, placed] *= draws.pace[:, plan.who[placed]]
    done = Executed(
        finish=np.full((count, tasks), slots, dtype=np.int32),
        load_min=np.zeros((count, people)),
        arrived=(draws.arriving < slots).sum(axis=1).astype(np.int64),
        arrived_late=np.zeros(count, dtype=np.int64),
        arrived_escalated=np.zeros(count, dtype=np.int64),
    )
    expected = place.remaining_min * factor
    factors, blocks = place.efficiency_pct / 100.0, _blocks(place, plan)
    common = (order, starts, plan.due, blocks, expected, place.open_min, factors, place.allowed, place.estimate_min)
    for n in range(count):
        late, escalated = _execute(
            draws.open_min[n], draws.release[n], work[n], draws.pace[n], *common,
            draws.arriving[n], draws.like[n], draws.arriving_left_min[n], draws.arriving_due[n],
            done.finish[n], done.load_min[n],
        )  # fmt: skip
        done.arrived_late[n], done.arrived_escalated[n] = late, escalated
    return done


def _blocks(place: Setting, plan: Promised) -> Ints:
    """Return per task the preparation it waits for; one that nobody does holds nothing up."""
    if not len(plan.who):
        return place.preparation
    somebody = plan.who[np.maximum(place.preparation, 0)] >= 0
    return np.where((place.preparation >= 0) & somebody, place.preparation, NOBODY)


@njit(cache=True)
def _execute(
    open_min: Floats,
    release: Ints,
    work: Floats,
    pace: Floats,
    order: Ints,
    starts: Ints,
    due: Ints,
    blocks: Ints,
    expected: Floats,
    hoped_min: Floats,
    factor: Floats,
    allowed: NDArray[np.bool_],
    estimate: Floats,
    arriving: Ints,
    like: Ints,
    arriving_left: Floats,
    arriving_due: Ints,
    finish: NDArray[np.int32],
    load: Floats,
) -> tuple[int, int]:
    """Fill ``finish`` and ``load`` for one draw; return how many arrivals were late, and how many escalated."""
    people, slots = open_min.shape
    tasks, arrivals = len(work), len(arriving)
    left = np.zeros(tasks + arrivals)
    plans = np.zeros(tasks + arrivals)  # minutes still expected
    promise = np.zeros(tasks + arrivals, dtype=np.int64)
    left[:tasks], plans[:tasks], promise[:tasks] = work, expected, due
    length = 0
    for p in range(people):
        length = max(length, starts[p + 1] - starts[p])
    queue = np.zeros((people, length + arrivals), dtype=np.int64)
    count = np.zeros(people, dtype=np.int64)
    head = np.zeros(people, dtype=np.int64)
    for p in range(people):
        for i in range(starts[p], starts[p + 1]):
            queue[p, count[p]] = order[i]
            count[p] += 1
            load[p] += work[order[i]]
    late, escalated, next_one = 0, 0, 0
    for slot in range(slots):
        while next_one < arrivals and arriving[next_one] == slot:
            a, t = next_one, tasks + next_one
            next_one += 1
            best, best_room = -1, 0.0
            for p in range(people):
                if not allowed[like[a], p]:
                    continue
                room = 0.0
                for s in range(slot, min(arriving_due[a] + 1, slots)):
                    room += hoped_min[p, s]  # nobody knows yet who will be ill
                for i in range(head[p], count[p]):
                    if promise[queue[p, i]] <= arriving_due[a]:
                        room -= max(plans[queue[p, i]], 0.0)
                if room >= factor[like[a], p] * estimate[like[a]] and room > best_room:
                    best, best_room = p, room
            if best < 0:
                escalated += 1
                continue
            left[t] = arriving_left[a] * factor[like[a], best] * pace[best]
            plans[t] = estimate[like[a]] * factor[like[a], best]
            promise[t] = arriving_due[a]
            load[best] += left[t]
            late += 1  # taken back when it is finished in time
            i = count[best]
            while i > head[best] and promise[queue[best, i - 1]] > promise[t]:
                queue[best, i] = queue[best, i - 1]
                i -= 1
            queue[best, i] = t
            count[best] += 1
        for p in range(people):
            free = open_min[p, slot]
            i = head[p]
            while free > _DONE_MIN and i < count[p]:
                t = queue[p, i]
                if left[t] > 0.0 and (
                    t >= tasks or (release[t] <= slot and (blocks[t] < 0 or finish[blocks[t]] < slot))
                ):
                    minutes = min(free, left[t])
                    free -= minutes
                    left[t] -= minutes
                    plans[t] -= minutes
                    if left[t] <= _DONE_MIN:
                        left[t], plans[t] = 0.0, 0.0
                        if t < tasks:
                            finish[t] = slot
                        elif slot <= arriving_due[t - tasks]:
                            late -= 1
                if left[t] == 0.0 and i == head[p]:
                    head[p] += 1
                i += 1
    return late, escalated
