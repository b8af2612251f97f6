"""An independent check of a peer's answer, from the neutral file alone: every rule, then the price.

Hours are checked by working through them day by day, earliest promise first, which finds room exactly where the windows of the
model do (work may be interrupted), by other means.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from benchmarks.peers.instance import ESCALATED, Instance, Whole


@dataclass(frozen=True)
class Answer:
    """What a peer says: the person and the window (by place in the task's list) of each task, -1 for escalated."""

    who: Whole
    window: Whole


def objective_min(instance: Instance, answer: Answer) -> int:
    """Return what an answer costs.

    Raises
    ------
    ValueError
        The answer breaks a rule; the message names the first ones.
    """
    wrong = problems(instance, answer)
    if wrong:
        raise ValueError("; ".join(wrong[:5]))
    total = 0
    loads: Whole = np.zeros_like(instance.share_min)
    for t, (p, k) in enumerate(zip(answer.who.tolist(), answer.window.tolist(), strict=True)):
        if p == ESCALATED:
            total += int(instance.escalation_min[t])
            continue
        w = int(instance.first_window[t]) + k
        work_min, price_min = instance.pairs[t, p]
        total += int(instance.late_min[w]) + price_min
        loads[p, 0] += work_min
        loads[p, 1:] += np.where(instance.due[w] <= instance.end_slots, work_min, 0)
    return total + sum(_imbalance_min(instance, p, loads[p].tolist()) for p in range(instance.person_count))


def problems(instance: Instance, answer: Answer) -> list[str]:
    """Return everything that is wrong with an answer, one sentence each; empty when it keeps every rule."""
    if answer.who.shape != instance.escalation_min.shape or answer.window.shape != answer.who.shape:
        return [
            f"{instance.task_count} tasks asked, {len(answer.who)} people and {len(answer.window)} windows answered"
        ]
    found = list(_choices(instance, answer))
    if not found:
        found = [*_separate(instance, answer), *_order(instance, answer), *_hours(instance, answer)]
    return found


def _imbalance_min(instance: Instance, p: int, loads: list[int]) -> int:
    near_pct, far_pct, week_pct = map(int, instance.balance_pct)
    away: list[int] = [abs(load - share) for load, share in zip(loads, instance.share_min[p].tolist(), strict=True)]
    far = max(away[0] - int(instance.far_min[p]), 0)
    return -(-(near_pct * away[0] + far_pct * far + week_pct * sum(away[1:])) // 100)


def _choices(instance: Instance, answer: Answer) -> Iterable[str]:
    for t, (p, k) in enumerate(zip(answer.who.tolist(), answer.window.tolist(), strict=True)):
        if p == ESCALATED:
            if not instance.may_escalate[t]:
                yield f"task {t} may not be escalated"
        elif (t, p) not in instance.pairs:
            yield f"person {p} may not do task {t}"
        elif not 0 <= k < instance.first_window[t + 1] - instance.first_window[t]:
            yield f"task {t} has no window {k}"


def _separate(instance: Instance, answer: Answer) -> Iterable[str]:
    for one, other in instance.separate.tolist():
        if answer.who[one] != ESCALATED and answer.who[one] == answer.who[other]:
            yield f"tasks {one} and {other} of one piece of work both went to person {answer.who[one]}"


def _order(instance: Instance, answer: Answer) -> Iterable[str]:
    chosen = instance.first_window[:-1] + answer.window
    for review in np.flatnonzero(instance.preparation >= 0).tolist():
        before = int(instance.preparation[review])
        if ESCALATED in (answer.who[review], answer.who[before]):
            continue
        release, promised = instance.release[chosen[review]], instance.due[chosen[before]]
        if release < instance.slot_count and release <= promised:
            yield f"review {review} is released in slot {release}, its preparation {before} is promised for slot {promised}"


def _hours(instance: Instance, answer: Answer) -> Iterable[str]:
    jobs: list[list[tuple[int, int, int, int]]] = [[] for _ in range(instance.person_count)]
    for t, p in enumerate(answer.who.tolist()):
        if p != ESCALATED:
            w = int(instance.first_window[t] + answer.window[t])
            if instance.due[w] < instance.slot_count:
                jobs[p].append((int(instance.release[w]), int(instance.due[w]), t, instance.pairs[t, p][0]))
    for p, his in enumerate(jobs):
        for t, missing in _unfinished(instance.open_min[p].tolist(), sorted(his)):
            yield f"person {p} lacks {missing} minutes for task {t}"


def _unfinished(open_min: list[int], jobs: list[tuple[int, int, int, int]]) -> Iterable[tuple[int, int]]:
    """Work through the slots, earliest promise first; return each task that is not done in time with the minutes it lacks."""
    waiting: list[list[int]] = []
    place = 0
    for slot, minutes in enumerate(open_min):
        while place < len(jobs) and jobs[place][0] <= slot:
            _, due, t, asked = jobs[place]
            heapq.heappush(waiting, [due, t, asked])
            place += 1
        while waiting and (minutes > 0 or waiting[0][0] <= slot):
            due, t, asked = waiting[0]
            done = min(asked, minutes) if due >= slot else 0
            minutes -= done
            waiting[0][2] = asked - done
            if asked == done:
                heapq.heappop(waiting)
            elif due <= slot:
                heapq.heappop(waiting)
                yield t, asked - done
    yield from ((t, asked) for _, t, asked in waiting)
