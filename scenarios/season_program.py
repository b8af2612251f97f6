"""The year as a linear program with whole hires: minutes of each class of work, by group of people and week (HiGHS, through scipy;
by itself where one program is asked many things).

The constraints are those of the detailed plan, added up by week: who may do what, nobody beyond their minutes, nothing before its
release or after its deadline. A deadline or release within a week counts to the day, as a cut of that week's minutes. Tasks that are
long for their days are one person's where asked; other work may be split between people, as in no detailed plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import LinearConstraint

from scenarios.demand import LONG_SHARE, Demand, WorkClass
from scenarios.season_model import Floats, Model, NearBest

WHOLE_MOST = 60
"""Tasks kept in one hand, the longest of those that are long for their days: what it takes to settle them grows fast."""
_EARLY = 1e-4
"""Price of a minute and week of waiting, so that of plans that cost the same the one that works early is shown."""


@dataclass(frozen=True)
class Pool:
    """Minutes by week that may be bought: of a group's overtime, or of each person hired.

    Attributes
    ----------
    most
        ``(weeks,)`` overtime: the most minutes; hire: the minutes of one person.
    price
        Overtime: of a minute; hire: of a person.
    """

    most: Floats
    price: float


@dataclass(frozen=True)
class Hire:
    """Somebody who might be hired."""

    level: str
    team: str
    rank: int
    efficiency_pct: dict[str, float]
    pool: Pool


@dataclass(frozen=True)
class Options:
    """What may be done about a shortage; nothing at all in the first look.

    Attributes
    ----------
    refusal
        ``(classes,)`` price of a minute that nobody does.
    whole
        Long tasks are done by one person, or by nobody.
    late_day
        ``(classes,)`` price of a minute and day that work is done later than one person could have; unless given, the share of a
        refusal that it costs of an escalation by the policy.
    overtime
        By group, empty for none.
    extended
        ``(classes,)`` place of the day until which an extension would allow the work, -1 where there is none.
    extension
        ``(classes,)`` price of an extended minute.
    """

    refusal: Floats
    whole: bool = False
    late_day: Floats | None = None
    overtime: tuple[Pool, ...] = ()
    hires: tuple[Hire, ...] = ()
    extended: NDArray[np.int64] | None = None
    extension: Floats | None = None


@dataclass(frozen=True)
class Closed:
    """The cheapest way found.

    Attributes
    ----------
    done
        ``(classes, groups, weeks)`` is too large to keep: rows of class, group (hires behind the groups), week and minutes.
    refused, extended
        ``(classes,)`` minutes.
    overtime
        ``(groups, weeks)`` minutes.
    hired
        People of each profile.
    """

    done: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], Floats]
    refused: Floats
    extended: Floats
    overtime: Floats
    hired: NDArray[np.int64]
    cost: float


def refused_ranges(
    year: Demand, options: Options, parts: Sequence[Sequence[int]], *, slack: float
) -> list[tuple[float, float]]:
    """Return for each part of the classes the least and most minutes refused of it, at a cost of ``1 + slack`` times the least.

    People who do several things leave nearly as well one of them undone as another; what is short of each is known that far.
    """
    return _Program(year, options).ranges(parts, slack)


def closed(year: Demand, options: Options) -> Closed:
    """Return the cheapest mix of work done, overtime, hires, extensions and refusals."""
    return _Program(year, options).solved()


def _ends(one: WorkClass) -> list[int]:
    """Return the places of the days by which a class may be promised: of late work, week after week from the first possible one."""
    return [*range(one.late_from, one.last_day, 7), one.last_day] if one.late_from >= 0 else [one.last_day]


class _Program:
    """Columns first, then the rows over them."""

    def __init__(self, year: Demand, options: Options) -> None:
        self.year, self.options = year, options
        self.week = year.week_of
        self.weeks = int(self.week[-1]) + 1
        self.factor = [
            {**{skill: pct / 100 for skill, pct in group.efficiency_pct.items()}} for group in year.groups
        ] + [{skill: pct / 100 for skill, pct in hire.efficiency_pct.items()} for hire in options.hires]
        open_min = np.array([group.open_min for group in year.groups], dtype=np.int64).reshape(-1, len(year.days))
        self.until_min = np.concatenate(
            [np.zeros((len(year.groups), 1), dtype=np.int64), open_min.cumsum(axis=1)], axis=1
        )
        # Where nothing can be bought the detailed plan's rule holds; with help the work before is in time, and so is its review.
        helped = bool(options.overtime)
        blocks = [
            self._columns(k, one, one.first_day, last, late=False)
            for k, one in enumerate(year.classes)
            if helped or not one.after_late
            for last in _ends(one)
        ]
        if options.extended is not None:
            for k, one in enumerate(year.classes):
                if options.extended[k] > one.last_day:
                    blocks.append(self._columns(k, one, one.first_day, int(options.extended[k]), late=True))
        joined = [np.concatenate(column) if blocks else np.zeros(0) for column in zip(*blocks, strict=True)]
        if not blocks:
            joined = [np.zeros(0)] * 6
        self.k, self.g, self.w, self.first, self.last, self.late = (column.astype(np.int64) for column in joined)
        skill = [one.skill for one in year.classes]
        self.use = np.array(
            [self.factor[g][skill[k]] for k, g in zip(self.k.tolist(), self.g.tolist(), strict=True)], dtype=np.float64
        )

    def _columns(self, k: int, one: WorkClass, first: int, last: int, *, late: bool) -> tuple[NDArray[np.int64], ...]:
        weeks = np.arange(self.week[first], self.week[last] + 1)
        hires = [
            len(self.year.groups) + j
            for j, hire in enumerate(self.options.hires)
            if hire.rank >= one.rank and one.skill in hire.efficiency_pct
        ]
        who = np.array([*self._able(one, first, last), *hires], dtype=np.int64)
        g, w = np.repeat(who, len(weeks)), np.tile(weeks, len(who))
        same = np.ones_like(g)
        return k * same, g, w, first * same, last * same, int(late) * same

    def _able(self, one: WorkClass, first: int, last: int) -> Sequence[int]:
        """Return the groups with time for a whole task between two days, had they nothing else to do: no other does a part of it.

        Everybody where none has: that task is late beyond the last day.
        """
        if self.options.overtime:
            return one.groups
        need, open_min = min(one.task_min), self.until_min[:, last + 1] - self.until_min[:, first]
        return [g for g in one.groups if need * self.factor[g][one.skill] <= open_min[g]] or one.groups

    def solved(self) -> Closed:
        if not self.year.classes:
            return self._read(np.zeros(len(self.options.hires)), 0, 0, 0, 0.0)
        model = self._model()
        answer, cost = model.least(rough=self.options.whole)
        return self._read(answer, model.columns, model.over, model.first_hire, cost)

    def ranges(self, parts: Sequence[Sequence[int]], slack: float) -> list[tuple[float, float]]:
        if not self.year.classes:
            return [(0.0, 0.0) for _ in parts]
        model = self._model()
        near, found = NearBest(model, slack), []
        for part in parts:
            refused = np.zeros(len(model.price))
            refused[model.columns + np.array(part, dtype=np.int64)] = 1.0
            least, most = near.least(refused), -near.least(-refused)
            found.append((max(least, 0.0), max(most, 0.0)))
        return found

    def _model(self) -> Model:
        year, options = self.year, self.options
        classes, groups, hires = len(year.classes), len(year.groups), len(options.hires)
        minutes = np.array([one.minutes for one in year.classes], dtype=np.float64)
        columns = len(self.k)
        over = groups * self.weeks if options.overtime else 0
        hands = self._hands() if options.whole else np.zeros((0, 2), dtype=np.int64)
        size = columns + classes + over + hires + len(hands)
        first_hire = columns + classes + over
        every = sp.coo_matrix((np.ones(columns), (self.k, np.arange(columns))), shape=(classes, columns))
        balance = sp.hstack([every, sp.eye(classes), sp.csr_matrix((classes, over + hires + len(hands)))], format="csr")
        rows, room = self._capacity(size, columns + classes, first_hire)
        price = np.zeros(size)
        price[:columns] = _EARLY * (self.w - self.week[self.first])
        price[:columns] += self._late_price()
        if options.extension is not None:
            price[:columns] += options.extension[self.k] * (self.late > 0)
        price[columns : columns + classes] = options.refusal
        upper = np.full(size, np.inf)
        if over:
            price[columns + classes : columns + classes + over] = np.repeat(
                [pool.price for pool in options.overtime], self.weeks
            )
            upper[columns + classes : columns + classes + over] = np.concatenate(
                [pool.most for pool in options.overtime]
            )
        price[first_hire : first_hire + hires] = [hire.pool.price for hire in options.hires]
        whole = np.zeros(size)
        whole[first_hire:] = 1
        upper[first_hire + hires :] = 1
        constraints = [LinearConstraint(balance, minutes, minutes), LinearConstraint(rows, -np.inf, room)]
        if len(hands):
            constraints += self._one_hand(hands, minutes, size, columns)
        if year.apart:
            constraints.append(self._two_people(minutes, size))
        return Model(price, tuple(constraints), upper, whole, columns, over, first_hire)

    def _hands(self) -> NDArray[np.int64]:
        """Return the choices of long task, person, first and last day of which one is made, ``(hands, 4)``."""
        alone = np.array([len(group.people) == 1 for group in self.year.groups], dtype=np.bool_)
        long = [
            k
            for k, one in enumerate(self.year.classes)
            if LONG_SHARE <= one.share <= 1 and alone[list(one.groups)].all()
        ]
        kept = sorted(long, key=lambda k: -self.year.classes[k].minutes)[:WHOLE_MOST]
        mine = np.isin(self.k, np.array(kept, dtype=np.int64))
        hands: NDArray[np.int64] = np.unique(self._spans()[mine], axis=0)
        return hands

    def _spans(self) -> NDArray[np.int64]:
        """Return the class, group, first and last day of each column, ``(columns, 4)``."""
        return np.stack([self.k, self.g, self.first, self.last], axis=1)

    def _one_hand(self, hands: NDArray[np.int64], minutes: Floats, size: int, columns: int) -> list[LinearConstraint]:
        """Return "nobody does minutes of a long task who has not got it" and "who has it does all of it"."""
        place = {tuple(one): i for i, one in enumerate(hands.tolist())}
        found = np.array([place.get(tuple(one), -1) for one in self._spans().tolist()], dtype=np.int64)
        used = np.flatnonzero(found >= 0)
        number, first = np.arange(len(hands)), size - len(hands)
        only = sp.coo_matrix(
            (
                np.concatenate([np.ones(len(used)), -minutes[hands[:, 0]]]),
                (np.concatenate([found[used], number]), np.concatenate([used, first + number])),
            ),
            shape=(len(hands), size),
        )
        tasks, task_row = np.unique(hands[:, 0], return_inverse=True)
        whole = sp.coo_matrix(
            (
                np.concatenate([minutes[hands[:, 0]], np.ones(len(tasks))]),
                (np.concatenate([task_row, np.arange(len(tasks))]), np.concatenate([first + number, columns + tasks])),
            ),
            shape=(len(tasks), size),
        )
        return [
            LinearConstraint(only.tocsr(), -np.inf, 0),
            LinearConstraint(whole.tocsr(), minutes[tasks], minutes[tasks]),
        ]

    def _two_people(self, minutes: Floats, size: int) -> LinearConstraint:
        """Return "of two tasks of one piece of work nobody does more than one": the shares a person has of both add up to one at most.

        For groups of one; of several people each may do one of the two.
        """
        alone = np.array([len(group.people) == 1 for group in self.year.groups] + [False] * len(self.options.hires))
        columns: dict[tuple[int, int], list[int]] = {}
        for column, (k, g) in enumerate(zip(self.k.tolist(), self.g.tolist(), strict=True)):
            if alone[g]:
                columns.setdefault((k, g), []).append(column)
        rows: list[Floats] = []
        place: list[tuple[int, int]] = []
        for first, second in self.year.apart:
            for g in sorted({*self.year.classes[first].groups} & {*self.year.classes[second].groups}):
                used = [(k, column) for k in (first, second) for column in columns.get((k, g), ())]
                place += [(len(rows), column) for _, column in used]
                rows.append(np.array([1.0 / minutes[k] for k, _ in used]))
        row, column_of = np.array(place, dtype=np.int64).reshape(-1, 2).T
        share = np.concatenate(rows) if rows else np.zeros(0)
        matrix = sp.coo_matrix((share, (row, column_of)), shape=(len(rows), size))
        return LinearConstraint(matrix.tocsr(), -np.inf, 1.0)

    def _late_price(self) -> Floats:
        """Return the price of work that is promised later than one person alone could have done it; all of it is as late as its end.

        With an extension it is in time.
        """
        weights = self.year.firm.policy.weights
        share = weights.late_day / max(weights.escalation, 1)
        a_day = share * self.options.refusal if self.options.late_day is None else self.options.late_day
        late_from = np.array([one.late_from for one in self.year.classes], dtype=np.int64)[self.k]
        late = (late_from >= 0) & (self.late == 0)
        price: Floats = np.where(late, a_day[self.k] * (self.last - late_from), 0.0)
        return price

    def _capacity(self, size: int, first_over: int, first_hire: int) -> tuple[sp.csr_matrix, Floats]:
        """Return the rows "minutes used in these days by work that has no other days, at most the minutes there are"."""
        year, options = self.year, self.options
        groups = len(year.groups)
        open_min = [group.open_min.astype(np.float64) for group in year.groups]
        row_of: list[NDArray[np.int64]] = []
        column_of: list[NDArray[np.int64]] = []
        value: list[Floats] = []
        room: list[float] = []
        ends = np.flatnonzero(np.append(self.week[1:] != self.week[:-1], True))
        starts = np.append(0, ends[:-1] + 1)
        order = np.lexsort((self.w, self.g))
        keys = self.g[order] * self.weeks + self.w[order]
        bounds = np.searchsorted(keys, np.arange((groups + len(options.hires)) * self.weeks + 1))
        for g in range(groups + len(options.hires)):
            for w in range(self.weeks):
                mine = order[bounds[g * self.weeks + w] : bounds[g * self.weeks + w + 1]]
                if not len(mine):
                    continue
                a, b = int(starts[w]), int(ends[w])
                windows = [(a, b)]
                if g < groups:
                    windows += [(a, int(d)) for d in np.unique(self.last[mine]) if d < b]
                    windows += [(int(d), b) for d in np.unique(self.first[mine]) if d > a]
                whole = float(open_min[g][a : b + 1].sum()) if g < groups else 0.0
                for begin, end in windows:
                    inside = mine[(self.last[mine] <= end) | (end == b)]
                    inside = inside[(self.first[inside] >= begin) | (begin == a)]
                    row = len(room)
                    row_of.append(np.full(len(inside), row))
                    column_of.append(inside)
                    value.append(self.use[inside])
                    mins = float(open_min[g][begin : end + 1].sum()) if g < groups else 0.0
                    room.append(mins)
                    if g < groups and options.overtime:
                        share = mins / whole if whole else 0.0
                        row_of.append(np.array([row]))
                        column_of.append(np.array([first_over + g * self.weeks + w]))
                        value.append(np.array([-share]))
                    if g >= groups:
                        row_of.append(np.array([row]))
                        column_of.append(np.array([first_hire + g - groups]))
                        value.append(np.array([-options.hires[g - groups].pool.most[w]]))
        if not room:
            return sp.csr_matrix((0, size)), np.zeros(0)
        matrix = sp.coo_matrix(
            (np.concatenate(value), (np.concatenate(row_of), np.concatenate(column_of))), shape=(len(room), size)
        )
        return matrix.tocsr(), np.array(room)

    def _read(self, x: Floats, columns: int, over: int, first_hire: int, cost: float) -> Closed:
        classes, groups, hires = len(self.year.classes), len(self.year.groups), len(self.options.hires)
        extended = np.zeros(classes)
        np.add.at(extended, self.k, np.where(self.late > 0, x[:columns], 0.0))
        overtime = x[columns + classes : columns + classes + over]
        return Closed(
            done=(self.k, self.g, self.w, x[:columns]),
            refused=np.maximum(x[columns : columns + classes], 0.0),
            extended=extended,
            overtime=overtime.reshape(groups, self.weeks) if over else np.zeros((groups, self.weeks)),
            hired=np.rint(x[first_hire : first_hire + hires]).astype(np.int64),
            cost=cost,
        )


def weekly(year: Demand, per_day: Sequence[float] | NDArray[np.int64]) -> Floats:
    """Return sums by week of something given by day."""
    total = np.zeros(len(year.mondays))
    np.add.at(total, year.week_of, np.asarray(per_day, dtype=np.float64))
    return total
