"""What draws say of a plan before it is carried out: a few numbers a draw whose true mean is zero, exactly.

Two plans that give most tasks to different people are struck by the same draws in different places, so common random numbers alone save
little. How many tasks a draw makes late is to a good part a sum, though: of minutes of surprise, each weighed by how many deadlines they
endanger, which the plan itself says (Hajek's projection, linearised). Its mean is known, so what a sample of draws has more of it than
that is chance and can be taken off (control variates; Lavenberg and Welch 1981). The weights need not be right for the result to be:
good ones save draws, bad ones save none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scenarios.chances import Chances, Pace
from scenarios.draws import Draws, Floats, Ints, Setting, ratios, well_share
from scenarios.execution import Promised
from scenarios.extremes import spread_surprise

DEADLINES, SPREAD = [0, 1], [2]
"""Which of them say something of late tasks, and of the spread: any other one costs draws to estimate its weight and saves none."""
_BLUR = 2.0
"""Hours also pass unused, while documents or preparations are awaited: a deadline is this many times as uncertain as the sum of the
work before it. Of 1.0, 1.5 and 2.0 the last saved most draws on a firm of 30 people and 600 tasks (4.2, 5.0, 5.2 times)."""


@dataclass(frozen=True)
class Weights:
    """Deadlines endangered by a minute more.

    Attributes
    ----------
    task
        ``(T,)`` by a minute more of each task.
    hour
        ``(P, S)`` by a minute less of each person in each slot.
    """

    task: Floats
    hour: Floats


def surprises(place: Setting, plan: Promised, chances: Chances, draws: Draws) -> Floats:
    """Return ``(N, 3)``: deadlines endangered by what work takes, and by illness, and the spread, each more than on average."""
    well = well_share(place, chances)
    weights = deadline_weights(place, plan, chances, well)
    ratio, _ = ratios(place, chances)
    middle = np.array([chances.people.get(person, Pace()).ratio for person in place.people], dtype=np.float64)
    slower = np.log(draws.pace / middle) if len(middle) else draws.pace
    by_person = np.zeros(len(place.people))
    placed = np.flatnonzero(plan.who >= 0)
    np.add.at(by_person, plan.who[placed], (weights.task * place.remaining_min * ratio)[placed])
    work = draws.surprise_min @ weights.task + slower @ by_person
    lost = (place.open_min * well - draws.open_min).reshape(len(work), -1) @ weights.hour.ravel()
    return np.stack([work, lost, spread_surprise(place, plan, chances, draws)], axis=1)


def deadline_weights(place: Setting, plan: Promised, chances: Chances, well: Floats) -> Weights:
    """Return how many deadlines a minute endangers, by the plan alone: normal sums of the work promised before each."""
    slots = len(place.day)
    task, hour = np.zeros(len(plan.who)), np.zeros(place.open_min.shape)
    ratio, sd = ratios(place, chances)
    for p in range(len(place.people)):
        mine = np.flatnonzero(plan.who == p)
        mine = mine[np.argsort(plan.due[mine], kind="stable")]
        if not len(mine) or not slots:
            continue
        factor = place.efficiency_pct[mine, p] / 100.0
        work = place.remaining_min[mine] * ratio[mine] * factor
        margin, spread = _margins(place, p, place.deadline[mine], work, work * sd[mine], chances, well)
        uncertain = (spread > 0) & (place.deadline[mine] >= 0)
        spread = np.where(uncertain, _BLUR * spread, 1.0)
        density = np.where(uncertain, np.exp(-0.5 * (margin / spread) ** 2) / (np.sqrt(2 * np.pi) * spread), 0.0)
        task[mine] = factor * np.cumsum(density[::-1])[::-1]
        by_slot = np.bincount(_last_slot(place, mine), weights=density, minlength=slots)
        hour[p] = np.cumsum(by_slot[::-1])[::-1]
    return Weights(task, hour)


def _last_slot(place: Setting, tasks: Ints) -> Ints:
    return np.clip(place.deadline[tasks], 0, len(place.day) - 1)


def _margins(
    place: Setting, p: int, deadline: Ints, work: Floats, sd: Floats, chances: Chances, well: Floats
) -> tuple[Floats, Floats]:
    """Return the minutes between all work promised up to each task and the hours up to its deadline, and their deviation."""
    at = np.clip(deadline, 0, len(place.day) - 1)
    hours = np.cumsum(place.open_min[p] * well)[at]
    lost = np.cumsum(place.open_min[p] * (1.0 - well))[at]
    # An illness takes whole days on end: minutes lost vary as a sum of rare lumps of about twice its mean length.
    lump = 2.0 * chances.absent_mean_days * float(place.open_min[p].mean())
    return hours - np.cumsum(work), np.sqrt(np.cumsum(sd**2) + lost * lump)
