"""A plan under uncertainty: the four metrics over hundreds of draws, the risk of each deadline, and two plans on the same draws.

A portion of draws is a pure function of setting, plans, chances, seed and its place (`Portion`), so any worker can do it; portions have a
fixed size and are put together in order, so the answer does not depend on how many workers there are. How a plan is carried out:
`scenarios.execution`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from scenarios.chances import Chances
from scenarios.controls import DEADLINES, SPREAD, surprises
from scenarios.draws import Floats, Ints, Setting, drawn, setting
from scenarios.execution import Executed, Promised, execute
from solver.board import compile_board
from solver.firm import Firm
from solver.plan import Plan

PORTION = 50
"""Draws that one worker makes at once."""
CONFIDENCE = 0.9
FEWEST = 30
"""Draws from which known chance is taken off: with fewer, estimating its share costs about as much as it saves."""
_SAME = 1e-9
"""Controls that differ by less, in parts of the largest, count as one: plans that share all their work have the same."""
METRICS = ("utilisation_pct", "spread_pct", "on_time_pct", "late", "escalations")


@dataclass(frozen=True)
class Outcomes:
    """What a plan came to on ``N`` draws: an array of length ``N`` for each metric, and ``(N, T)``, ``(N, P)`` behind them.

    Attributes
    ----------
    utilisation_pct, spread_pct
        Load over hours until the last deadline; busiest less idlest. Hours of the ill do not count.
    on_time_pct
        Share of open work, arrivals included, finished by its deadline; what is escalated is not.
    late, escalations
        Tasks of somebody finished after their deadline or not at all; tasks of nobody.
    finish
        Slot in which each task was finished, the slot count where it was not.
    load_min, open_min
        Minutes of work and of hours of each person.
    surprises
        ``(N, 3)`` what the draws say of the plan beforehand, zero on average (`scenarios.controls`).
    """

    utilisation_pct: Floats
    spread_pct: Floats
    on_time_pct: Floats
    late: Floats
    escalations: Floats
    finish: NDArray[np.int16]
    release: NDArray[np.int16]
    load_min: Floats
    open_min: Floats
    surprises: Floats

    @property
    def draws(self) -> int:
        """How many draws."""
        return len(self.late)


@dataclass(frozen=True)
class Portion:
    """Some draws for some plans: pure, and small enough to be sent to another process."""

    place: Setting
    plans: tuple[Promised, ...]
    chances: Chances
    seed: int
    first_draw: int
    draws: int

    def __call__(self) -> tuple[Outcomes, ...]:
        """Return what each plan comes to on these draws."""
        made = drawn(self.place, self.chances, seed=self.seed, first_draw=self.first_draw, draws=self.draws)
        open_min = made.open_min[:, :, : self.place.last_slot + 1].sum(axis=2)
        return tuple(
            _outcomes(
                self.place,
                plan,
                execute(self.place, plan, made),
                open_min,
                made.release,
                surprises(self.place, plan, self.chances, made),
            )
            for plan in self.plans
        )


Workers = Callable[[Callable[[Portion], tuple[Outcomes, ...]], Sequence[Portion]], Iterable[tuple[Outcomes, ...]]]
"""Like ``map``: does the portions anywhere, and gives their results in the order of the portions."""


def make(portion: Portion) -> tuple[Outcomes, ...]:
    """Do one portion; a function with a name, so that it can be sent."""
    return portion()


def outcomes(
    place: Setting, plans: Sequence[Promised], chances: Chances, *, draws: int, seed: int = 0, workers: Workers = map
) -> tuple[Outcomes, ...]:
    """Return what each plan comes to on the same ``draws`` draws.

    Parameters
    ----------
    workers
        Who does the portions: here, one after another, unless told; the result is the same with any.
    """
    stretches = [(first, min(PORTION, draws - first)) for first in range(0, draws, PORTION)]
    portions = [Portion(place, tuple(plans), chances, seed, first, count) for first, count in stretches]
    found = list(workers(make, portions))
    return tuple(joined([portion[i] for portion in found]) for i in range(len(plans)))


def promised(firm: Firm, plan: Plan, place: Setting) -> Promised:
    """Return a plan of the firm as arrays; tasks it does not name have nobody."""
    axis = compile_board(firm, now=plan.now).axis
    task = {name: t for t, name in enumerate(place.tasks)}
    person = {name: p for p, name in enumerate(place.people)}
    who = np.full(len(place.tasks), -1, dtype=np.int64)
    due = np.full(len(place.tasks), axis.count, dtype=np.int64)
    for item in plan.tasks:
        who[task[item.task]] = person[item.person]
        if item.promised_day is not None:
            due[task[item.task]] = axis.due_slot(item.promised_day, item.promised_time)
    return Promised(who, due)


def simulated(
    firm: Firm, plan: Plan, chances: Chances, *, now: datetime, draws: int = 400, seed: int = 0, workers: Workers = map
) -> tuple[Setting, Promised, Outcomes]:
    """Return the setting of a firm, a plan in it, and what the plan comes to on some draws."""
    place = setting(firm, now=now)
    plan_arrays = promised(firm, plan, place)
    (found,) = outcomes(place, (plan_arrays,), chances, draws=draws, seed=seed, workers=workers)
    return place, plan_arrays, found


def joined(parts: Sequence[Outcomes]) -> Outcomes:
    """Return portions put together, in the order given."""
    columns = {one.name: np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(Outcomes)}
    return Outcomes(**columns)


def _outcomes(
    place: Setting, plan: Promised, done: Executed, open_min: Floats, release: Ints, surprise: Floats
) -> Outcomes:
    placed = plan.who >= 0
    late = (done.finish[:, placed] > place.deadline[placed]).sum(axis=1) + done.arrived_late
    escalated = int((~placed).sum()) + done.arrived_escalated
    every = len(plan.who) + done.arrived
    share = np.divide(done.load_min, open_min, out=np.full_like(open_min, np.nan), where=open_min > 0)
    able = np.isfinite(share)
    busiest, idlest = (
        np.where(able, share, -np.inf).max(axis=1, initial=-np.inf),
        np.where(able, share, np.inf).min(axis=1, initial=np.inf),
    )
    return Outcomes(
        utilisation_pct=100 * np.where(able, done.load_min, 0).sum(axis=1) / np.maximum(open_min.sum(axis=1), 1.0),
        spread_pct=100 * np.where(able.sum(axis=1) > 1, busiest - idlest, 0.0),
        on_time_pct=100 * (1.0 - (late + escalated) / np.maximum(every, 1)),
        late=late.astype(np.float64),
        escalations=escalated.astype(np.float64),
        finish=done.finish.astype(np.int16),  # an axis has some hundred slots; processes send each other these
        release=release.astype(np.int16),
        load_min=done.load_min,
        open_min=open_min,
        surprises=surprise,
    )


@dataclass(frozen=True)
class Range:
    """A figure over the draws.

    Attributes
    ----------
    mean, mean_low, mean_high
        Its mean, and the interval that holds the mean of all draws in 90 of 100 cases (Student).
    low, median, high
        What a single outcome is above in 95, 50 and 5 of 100 cases: it lies between the ends in 90 of 100.
    """

    mean: float
    mean_low: float
    mean_high: float
    low: float
    median: float
    high: float


def range_of(sample: Floats) -> Range:
    """Return mean and quantiles of a figure that was drawn at least twice.

    Quantiles are by order statistics (Weibull): a further draw lies between two of them with just the stated chance.
    """
    mean, half = float(sample.mean()), _half_width(sample)
    low, median, high = np.quantile(sample, [(1 - CONFIDENCE) / 2, 0.5, (1 + CONFIDENCE) / 2], method="weibull")
    return Range(mean, mean - half, mean + half, float(low), float(median), float(high))


def _half_width(sample: Floats) -> float:
    quantile = float(student.ppf((1 + CONFIDENCE) / 2, len(sample) - 1))
    return quantile * float(sample.std(ddof=1)) / float(np.sqrt(len(sample)))


@dataclass(frozen=True)
class Difference:
    """How much more of a figure one plan has than another, on the same draws.

    Attributes
    ----------
    mean, low, high
        The mean difference, less what chance is known to have added to it, and the interval that holds the true one in 90 of 100 cases.
    variance_saved
        How many times less the mean difference varies than if each plan had draws of its own: as many times fewer draws are needed.
        ``None`` where the difference does not vary at all.
    by_common_draws
        The part of it that common draws save, without the knowledge of `scenarios.controls`.
    """

    name: str
    mean: float
    low: float
    high: float
    variance_saved: float | None
    by_common_draws: float | None

    @property
    def decided(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low > 0 or self.high < 0


def difference(name: str, first: Outcomes, second: Outcomes) -> Difference:
    """Return how much more of a figure ``second`` has than ``first``; both were drawn with the same seed, draw by draw."""
    ours, theirs = getattr(first, name), getattr(second, name)
    apart = theirs - ours
    alone, common = float(ours.var(ddof=1) + theirs.var(ddof=1)) / len(apart), float(apart.var(ddof=1)) / len(apart)
    known = SPREAD if name == "spread_pct" else DEADLINES
    mean, varies, freedom = adjusted(apart, np.hstack([first.surprises[:, known], second.surprises[:, known]]))
    half = float(student.ppf((1 + CONFIDENCE) / 2, freedom)) * float(np.sqrt(varies))
    return Difference(name, mean, mean - half, mean + half, _times(alone, varies), _times(alone, common))


def _times(variance: float, less: float) -> float | None:
    return variance / less if less > 0 else None


def adjusted(sample: Floats, controls: Floats) -> tuple[float, float, int]:
    """Return the mean of a sample at the known mean of its controls, zero; its variance; and the degrees of freedom behind it.

    Ordinary regression: with the coefficients estimated from the same draws the interval is that of the intercept. What is left varies
    more in some draws than in others, so each counts by how far it lies from what all others say of it (HC3; MacKinnon and White 1985):
    of 90 % intervals from 60 draws 86 % held the truth without, and 90 % do. Samples of fewer than `FEWEST` draws are taken as they are.
    """
    count, off = len(sample), controls.mean(axis=0)
    around, apart = controls - off, sample - sample.mean()
    scale = around.std(axis=0)
    around, off = around / np.where(scale > 0, scale, 1.0), off / np.where(scale > 0, scale, 1.0)
    if count < FEWEST or not apart.any():
        return float(sample.mean()), float(sample.var(ddof=1)) / count, count - 1
    slope, _, rank, _ = np.linalg.lstsq(around, apart, rcond=_SAME)
    inverse = np.linalg.pinv(around.T @ around, rcond=_SAME)
    weight, lever = 1.0 / count - around @ (inverse @ off), 1.0 / count + ((around @ inverse) * around).sum(axis=1)
    unseen = (apart - around @ slope) / np.maximum(1.0 - lever, _SAME)
    return float(sample.mean() - off @ slope), float(((weight * unseen) ** 2).sum()), count - 1 - int(rank)


def compared(first: Outcomes, second: Outcomes) -> tuple[Difference, ...]:
    """Return the difference of each metric, second plan less first."""
    return tuple(difference(name, first, second) for name in METRICS)
