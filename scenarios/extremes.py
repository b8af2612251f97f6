"""How far apart the busiest and the idlest are, by what is known of the draws beforehand: a number a draw whose mean is zero, exactly.

The spread of a draw hangs on two people, other ones in other plans, so weighted sums of surprises tell little of it. But a person's
utilisation is nearly one log-normal over their hours: its logarithm is moved by the sum of the surprises in their tasks, which is
normal, and the hours follow from a chain of well and ill days. Both are independent between people, so the mean of the largest less the
least of such stand-ins is an integral over one line, whatever the plan, and what a sample has more of it than that is chance (control
variates, `scenarios.uncertainty.adjusted`). Stand-ins need not be right for the result to be, only their mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from math import gcd

import numpy as np
from scipy.special import ndtr
from scipy.stats import binom

from scenarios.chances import Chances, Pace
from scenarios.draws import ON_A_WEEK, Draws, Floats, Setting, ratios
from scenarios.execution import Promised

STEPS = 400
"""Points of the line on which means are worked out, from nothing to `MOST`: with ten times as many the mean moves by a millionth."""
NEVER = 1e-9
"""Chances below this are left out."""
MOST = 4.0
"""Utilisation beyond which stand-ins count as this much: somebody with a day's hours and a week's work."""


@dataclass(frozen=True)
class StandIns:
    """Utilisation of each person, as a log-normal load over hours that illness takes from. Of numbers only, so that it can be looked up.

    Attributes
    ----------
    mean_min, sd
        Of each person: mean of the load, and the deviation of its logarithm.
    day_min
        Of each person: the minutes of each day from ``first`` to the end of the period.
    week_share, mean_days
        Chance of an illness in a week, and the days it lasts on average.
    """

    mean_min: tuple[float, ...]
    sd: tuple[float, ...]
    day_min: tuple[tuple[int, ...], ...]
    first: date
    week_share: float
    mean_days: float

    def load_min(self, moved: Floats) -> Floats:
        """Return ``(N, P)`` loads whose logarithm is moved so far, by normal numbers of deviation ``sd``."""
        found: Floats = np.array(self.mean_min) * np.exp(moved - np.array(self.sd) ** 2 / 2)
        return found


@lru_cache(maxsize=100)
def mean_spread(these: StandIns) -> float:
    """Return the mean of the largest less the least utilisation, cut off at `MOST`; people without hours do not count."""
    line = (np.arange(STEPS) + 0.5) * (MOST / STEPS)
    none_above, none_below = np.ones(STEPS), np.ones(STEPS)
    for mean, sd, days in zip(these.mean_min, these.sd, these.day_min, strict=True):
        minutes, chance = hours_of(days, these.first, these.week_share, these.mean_days)
        able = minutes > 0
        under = chance[able] @ _under(mean, sd, line[None, :] * minutes[able][:, None])
        none_above *= under + chance[~able].sum()
        none_below *= 1.0 - under
    return float((1.0 - none_above - none_below).sum() * (MOST / STEPS))


def _under(mean: float, sd: float, load: Floats) -> Floats:
    """Return the chance of a load of at most so many minutes."""
    if sd <= 0:
        return np.where(load >= mean, 1.0, 0.0)
    found: Floats = ndtr((np.log(load / mean) + sd**2 / 2) / sd)
    return found


def spread_surprise(place: Setting, plan: Promised, chances: Chances, draws: Draws) -> Floats:
    """Return ``(N,)`` how much farther apart than on average the busiest and the idlest are by their stand-ins."""
    count, people = draws.open_min.shape[:2]
    if not people or place.last_slot < 0:
        return np.zeros(count)
    middle, pace_sd = _paces(place, chances)
    mine = _of_whom(plan, people)
    mean, sd = _loads(place, plan, chances)
    work = np.maximum(mine @ mean, 1e-9)
    busy = mine.any(axis=1)
    total = np.where(busy, np.hypot(np.sqrt(mine @ (mean * sd) ** 2) / work, pace_sd), 0.0)
    loads = np.where(busy, work * middle * np.exp(pace_sd**2 / 2), 0.0)
    these = StandIns(
        tuple(loads.tolist()),
        tuple(total.tolist()),
        day_min_of(place),
        place.first_day,
        chances.absent_week_share,
        chances.absent_mean_days,
    )
    moved = (draws.own * (mean * sd)) @ mine.T / work + np.log(draws.pace / middle)
    hours = draws.open_min[:, :, : place.last_slot + 1].sum(axis=2)
    share = np.divide(these.load_min(moved), hours, out=np.zeros_like(hours), where=hours > 0)
    busiest = np.minimum(share.max(axis=1), MOST)
    idlest = np.where(hours > 0, share, MOST).min(axis=1, initial=MOST)
    surprise: Floats = busiest - idlest - mean_spread(these)
    return surprise


def _of_whom(plan: Promised, people: int) -> Floats:
    """Return ``(P, T)`` ones where a person has a task."""
    mine: Floats = (plan.who[None, :] == np.arange(people)[:, None]).astype(np.float64)
    return mine


def _loads(place: Setting, plan: Promised, chances: Chances) -> tuple[Floats, Floats]:
    """Return of each task the mean minutes it takes whoever has it, and the deviation of their logarithm, ``(T,)`` each."""
    ratio, sd = ratios(place, chances)
    factor = place.efficiency_pct[np.arange(len(plan.who)), np.maximum(plan.who, 0)] / 100.0
    mean: Floats = factor * place.remaining_min * ratio * np.exp(sd**2 / 2)
    return mean, sd


def _paces(place: Setting, chances: Chances) -> tuple[Floats, Floats]:
    paces = [chances.people.get(person, Pace()) for person in place.people]
    middle, sd = (np.array([getattr(one, name) for one in paces], dtype=np.float64) for name in ("ratio", "ratio_sd"))
    return middle, sd


def day_min_of(place: Setting) -> tuple[tuple[int, ...], ...]:
    """Return everybody's minutes of each day from today to the end of the period."""
    day = place.day[: place.last_slot + 1] - place.first_day.toordinal()
    minutes = np.zeros((len(place.people), int(day[-1]) + 1))
    np.add.at(minutes.T, day, place.open_min[:, : place.last_slot + 1].T)
    return tuple(tuple(row) for row in minutes.astype(np.int64).tolist())


@lru_cache(maxsize=1_000)
def hours_of(day_min: tuple[int, ...], first: date, week_share: float, mean_days: float) -> tuple[Floats, Floats]:
    """Return what the minutes of the days without illness may add up to, and the chance of each.

    Exact but for chances below `NEVER`: a chain from day to day of how many illnesses last, whether this week's has begun, and what is
    lost so far. They begin as in `scenarios.draws`: one a week at most, on any of its days from Monday to Friday, and not before today.
    """
    unit = max(gcd(*day_min), 1)
    size, most = sum(day_min) // unit + 1, len(day_min) // 7 + 2
    stays = 1.0 - 1.0 / mean_days
    fewer = np.array([[binom.pmf(after, before, stays) for before in range(most + 1)] for after in range(most + 1)])
    passed = min(first.weekday(), ON_A_WEEK)
    chance = np.zeros((most + 1, 2, size))
    chance[0, :, 0] = 1.0 - week_share * passed / ON_A_WEEK, week_share * passed / ON_A_WEEK
    for i, minutes in enumerate(day_min):
        weekday = (first + timedelta(days=i)).weekday()
        chance = np.tensordot(fewer, chance, axes=1)
        if weekday == 0:
            chance = np.stack([chance.sum(axis=1), np.zeros_like(chance[:, 0])], axis=1)
        if weekday < ON_A_WEEK:
            begins = (week_share / ON_A_WEEK) / (1.0 - week_share * weekday / ON_A_WEEK)
            fresh = begins * chance[:-1, 0]
            chance[:, 0] *= 1.0 - begins
            chance[1:, 1] += fresh
        if lost := minutes // unit:
            chance[1:, :, lost:] = chance[1:, :, :-lost].copy()
            chance[1:, :, :lost] = 0.0
    total: Floats = chance.sum(axis=(0, 1))
    there = np.flatnonzero(total > NEVER)
    share: Floats = total[there] / float(total[there].sum())
    return (sum(day_min) - there * unit).astype(np.float64), share
