"""Draws of how things may turn out, as arrays: who is ill when, what tasks really take, when documents come, what else arrives.

A draw knows nothing of plans. Its numbers are keyed by person and week, task, type, client (`scenarios.counters`), so the same
draw is the same for every plan, and draws may be made in any portions by anybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from scenarios.chances import Chances, Pace
from scenarios.counters import uniforms
from solver.board import compile_board
from solver.firm import Firm

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
ON_A_WEEK = 5
"""Days of a week on which an illness may begin or work arrive: Monday to Friday."""


@dataclass(frozen=True)
class Setting:
    """A firm at one moment as arrays, for any plan: ``T`` open tasks, ``P`` people, ``S`` slots of the axis.

    Attributes
    ----------
    tasks, types, clients
        Names, of each task.
    open_min
        ``(P, S)`` minutes each person can work.
    day
        ``(S,)`` ordinal of the local day of each slot.
    estimate_min, logged_min
        ``(T,)`` the estimate is never below the logged minutes and the policy's floor, so what is left is as the engine counts it.
    release, deadline
        ``(T,)`` first slot of work and last slot on time, -1 where the deadline has passed.
    release_day, deadline_day
        ``(T,)`` ordinals; the release is 0 where there is none.
    preparation
        ``(T,)`` the task to be finished before, -1 for none.
    efficiency_pct, allowed
        ``(T, P)`` percent of the estimate each person needs, and who may do the task.
    last_slot
        The last slot up to the last deadline: where figures of the period end.
    """

    people: tuple[str, ...]
    tasks: tuple[str, ...]
    types: tuple[str, ...]
    clients: tuple[str, ...]
    skills: tuple[str, ...]
    first_day: date
    open_min: Floats
    day: Ints
    estimate_min: Floats
    logged_min: Floats
    release: Ints
    deadline: Ints
    release_day: Ints
    deadline_day: Ints
    preparation: Ints
    efficiency_pct: Floats
    allowed: NDArray[np.bool_]
    last_slot: int

    @property
    def remaining_min(self) -> Floats:
        """``(T,)`` minutes of estimate left."""
        return self.estimate_min - self.logged_min


@dataclass(frozen=True)
class Draws:
    """``N`` draws.

    Attributes
    ----------
    open_min
        ``(N, P, S)`` minutes of work, illness taken off.
    left_min
        ``(N, T)`` minutes of work really left, at 100 percent.
    surprise_min
        ``(N, T)`` the part of what each task takes that grows evenly with its chance: normal, and zero on average, exactly.
    own
        ``(N, T)`` how many deviations each task is from the middle by itself, independent of all else: normal.
    pace
        ``(N, P)`` factor of each person on everything they do.
    release
        ``(N, T)`` first slot of work, late documents included.
    arriving
        ``(N, A)`` slot in which each further task comes, the slot count where there is none; ``like`` the open task it resembles;
        ``arriving_left_min`` what it really takes at 100 percent, ``arriving_due`` its last slot on time.
    """

    open_min: Floats
    left_min: Floats
    surprise_min: Floats
    own: Floats
    pace: Floats
    release: Ints
    arriving: Ints
    like: Ints
    arriving_left_min: Floats
    arriving_due: Ints


def setting(firm: Firm, *, now: datetime) -> Setting:
    """Compile a firm for draws; ``now`` is local to the firm when it has no zone."""
    board = compile_board(firm, now=now)
    axis, rows = board.axis, board.rows
    tasks = [row.task for row in rows]
    logged = np.array([task.logged_min for task in tasks], dtype=np.float64)
    remaining = np.array([row.remaining_min for row in rows], dtype=np.float64)
    last = max((task.deadline for task in tasks), default=axis.first_day)
    last = last if last > axis.first_day else axis.first_day + timedelta(days=firm.policy.horizon_days)
    shape = (len(rows), board.staff.count)
    return Setting(
        people=board.staff.ids,
        tasks=tuple(task.id for task in tasks),
        types=tuple(task.type for task in tasks),
        clients=tuple(task.client for task in tasks),
        skills=tuple(board.types[task.type].skill for task in tasks),
        first_day=axis.first_day,
        open_min=board.open_min.astype(np.float64),
        day=np.array([day.toordinal() for day in axis.days], dtype=np.int64),
        estimate_min=remaining + logged,
        logged_min=logged,
        release=np.array([axis.release_slot(task.release) for task in tasks], dtype=np.int64),
        deadline=np.array([axis.due_slot(task.deadline, task.deadline_time) for task in tasks], dtype=np.int64),
        release_day=np.array([task.release.toordinal() if task.release else 0 for task in tasks], dtype=np.int64),
        deadline_day=np.array([task.deadline.toordinal() for task in tasks], dtype=np.int64),
        preparation=np.array([board.task_index.get(task.reviews or "", -1) for task in tasks], dtype=np.int64),
        efficiency_pct=np.array([row.efficiency_pct for row in rows], dtype=np.float64).reshape(shape),
        allowed=np.array([row.allowed for row in rows], dtype=np.bool_).reshape(shape),
        last_slot=axis.due_slot(last),
    )


def ratios(place: Setting, chances: Chances) -> tuple[Floats, Floats]:
    """Return per task the middle of minutes taken over minutes expected, and the deviation of its log around it, ``(T,)`` each."""
    takes = [chances.takes(*pair) for pair in zip(place.types, place.clients, strict=True)]
    ratio, sd = (np.array([getattr(one, name) for one in takes], dtype=np.float64) for name in ("ratio", "task_sd"))
    return ratio, sd


def mondays(place: Setting, last: date) -> list[date]:
    """Return the Mondays of the weeks from the first day to ``last``."""
    monday = place.first_day - timedelta(days=place.first_day.weekday())
    return [monday + timedelta(weeks=w) for w in range((last - monday).days // 7 + 1)]


def well_share(place: Setting, chances: Chances) -> Floats:
    """Return per slot the chance that a person is not ill on its day, ``(S,)``: exactly the share that draws have on average."""
    share = np.ones(len(place.day))
    if not len(place.day):
        return share
    goes_on = 1.0 - 1.0 / chances.absent_mean_days
    for monday in mondays(place, date.fromordinal(int(place.day[-1]))):
        ill = np.zeros(len(place.day))
        for first in range(monday.toordinal(), monday.toordinal() + ON_A_WEEK):
            if first >= place.first_day.toordinal():
                ill += np.where(place.day >= first, goes_on ** np.maximum(place.day - first, 0), 0.0) / ON_A_WEEK
        share *= 1.0 - chances.absent_week_share * ill
    return share


def drawn(place: Setting, chances: Chances, *, seed: int, first_draw: int, draws: int) -> Draws:
    """Return draws ``first_draw`` to ``first_draw + draws - 1`` of a seed."""
    return _Drawing(place, chances, seed, first_draw, draws).done()


@dataclass(frozen=True)
class _Drawing:
    place: Setting
    chances: Chances
    seed: int
    first: int
    count: int

    def done(self) -> Draws:
        slot, like, arriving_left, due = self._arrivals()
        ratio, error, sd = self._middles()
        left, own = self._left_min(ratio + error, sd)
        return Draws(
            open_min=self._open_min(),
            left_min=left,
            surprise_min=self.place.remaining_min * np.exp(ratio) * (error + sd * own),
            own=own,
            pace=self._pace(),
            release=self._release(),
            arriving=slot,
            like=like,
            arriving_left_min=arriving_left,
            arriving_due=due,
        )

    def _uniforms(self, what: str, names: list[str], each: int = 1) -> Floats:
        return uniforms(self.seed, what, names, first_draw=self.first, draws=self.count, each=each)

    def _middles(self) -> tuple[Floats, Floats, Floats]:
        """Return the log of the middle ratio of each task, ``(T,)``, by how much it errs, ``(N, T)``, and the spread around it."""
        place = self.place
        pairs = sorted(set(zip(place.types, place.clients, strict=True)))
        takes = {pair: self.chances.takes(*pair) for pair in pairs}
        # What is known of the client in the type errs alone; what is known of the type only errs for all its clients at once.
        own = {
            pair: f"{pair[0]}\x1f{pair[1]}" if pair[1] in self.chances.clients.get(pair[0], {}) else pair[0]
            for pair in pairs
        }
        names = sorted(set(own.values()))
        row = {name: i for i, name in enumerate(names)}
        error = ndtri(self._uniforms("middle", names)[:, :, 0])
        columns = [
            takes[pair].ratio_sd * error[row[own[pair]]] for pair in zip(place.types, place.clients, strict=True)
        ]
        errs = np.array(columns, dtype=np.float64).reshape(len(columns), self.count).T
        ratio, sd = ratios(place, self.chances)
        return np.log(ratio), errs, sd

    def _left_min(self, middle: Floats, sd: Floats) -> tuple[Floats, Floats]:
        """Return what is left of each task, and how many deviations its chance is from the middle.

        Begun ones are known to take longer than is logged: the rest of the log-normal.
        """
        place = self.place
        chance = self._uniforms("task", list(place.tasks))[:, :, 0].T.reshape(middle.shape)
        begun = place.logged_min / np.maximum(place.estimate_min, 1.0)
        with np.errstate(divide="ignore"):
            passed = np.where(begun > 0, ndtr((np.log(begun) - middle) / np.maximum(sd, 1e-12)), 0.0)
        error = ndtri(np.clip(passed + chance * (1.0 - passed), 1e-12, 1.0 - 1e-12))
        left: Floats = place.estimate_min * np.exp(middle + sd * error) - place.logged_min
        return np.maximum(left, 1.0), ndtri(chance)

    def _pace(self) -> Floats:
        paces = [self.chances.people.get(person, Pace()) for person in self.place.people]
        error = ndtri(self._uniforms("pace", list(self.place.people))[:, :, 0])
        ratio, sd = (np.array([[getattr(one, name)] for one in paces]).reshape(-1, 1) for name in ("ratio", "ratio_sd"))
        pace: Floats = (ratio * np.exp(sd * error)).T
        return np.ascontiguousarray(pace.reshape(self.count, len(paces)))

    def _open_min(self) -> Floats:
        place, chances = self.place, self.chances
        open_min = np.repeat(place.open_min[None], self.count, axis=0)
        if len(place.day) == 0 or chances.absent_week_share == 0 or not place.people:
            return open_min
        weeks = mondays(place, date.fromordinal(int(place.day[-1])))
        names = [f"{person}\x1f{monday}" for person in place.people for monday in weeks]
        chance = self._uniforms("illness", names, each=3)
        ill, draw = np.nonzero(chance[:, :, 0] < chances.absent_week_share)
        monday_day = np.array([monday.toordinal() for monday in weeks])[ill % len(weeks)]
        first = monday_day + (chance[ill, draw, 1] * ON_A_WEEK).astype(np.int64)
        ends = 1.0 / chances.absent_mean_days
        more = np.log(chance[ill, draw, 2]) / np.log1p(-ends) if ends < 1.0 else np.zeros(len(ill))
        last = first + more.astype(np.int64)
        well = first < place.first_day.toordinal()  # who is here today did not fall ill yesterday
        starts, stops = np.searchsorted(place.day, first, "left"), np.searchsorted(place.day, last, "right")
        for i in np.flatnonzero(~well).tolist():
            open_min[draw[i], ill[i] // len(weeks), starts[i] : stops[i]] = 0.0
        return open_min

    def _release(self) -> Ints:
        place, chances = self.place, self.chances
        release = np.repeat(place.release[None], self.count, axis=0)
        waits = place.release_day > place.first_day.toordinal()
        if not waits.any() or chances.late_document_share == 0:
            return release
        clients = sorted({place.clients[t] for t in np.flatnonzero(waits).tolist()})
        chance = self._uniforms("documents", clients, each=2)
        late = chance[:, :, 0] < chances.late_document_share
        days = np.where(late, np.ceil(-chances.late_document_mean_days * np.log(chance[:, :, 1])), 0.0).astype(np.int64)
        row = {client: i for i, client in enumerate(clients)}
        for t in np.flatnonzero(waits).tolist():
            release[:, t] = np.searchsorted(place.day, place.release_day[t] + days[row[place.clients[t]]], "left")
        return release

    def _arrivals(self) -> tuple[Ints, Ints, Floats, Ints]:
        """Return slot, resembled task, real minutes and due slot of each further task, ``(N, A)`` each."""
        place, chances = self.place, self.chances
        none = np.zeros((self.count, 0), dtype=np.int64)
        if chances.arrivals_per_week == 0 or not place.tasks or place.last_slot < 0:
            return none, none, none.astype(np.float64), none
        weeks = mondays(place, date.fromordinal(int(place.day[place.last_slot])))
        counts = _poisson(
            chances.arrivals_per_week, self._uniforms("arrivals", [str(monday) for monday in weeks])[:, :, 0]
        )
        names = [(w, i) for w in range(len(weeks)) for i in range(int(counts[w].max(initial=0)))]
        if not names:
            return none, none, none.astype(np.float64), none
        chance = self._uniforms("arrival", [f"{weeks[w]}\x1f{i}" for w, i in names], each=3)
        week, number = (np.array(column) for column in zip(*names, strict=True))
        monday_day = np.array([monday.toordinal() for monday in weeks])[week]
        day = monday_day[:, None] + (chance[:, :, 0] * ON_A_WEEK).astype(np.int64)
        comes = (number[:, None] < counts[week]) & (day >= place.first_day.toordinal())
        slots = len(place.day)
        slot = np.where(comes, np.searchsorted(place.day, day, "left"), slots)
        slot = np.where(slot <= place.last_slot, slot, slots)
        like = (chance[:, :, 1] * len(place.tasks)).astype(np.int64)
        ratio, sd = ratios(place, chances)
        left = place.estimate_min[like] * ratio[like] * np.exp(sd[like] * ndtri(chance[:, :, 2]))
        due = np.searchsorted(place.day, day + chances.arrival_lead_days, "right") - 1
        order = np.argsort(slot.T, axis=1, kind="stable")
        slot, like, left, due = (np.take_along_axis(one.T, order, axis=1) for one in (slot, like, left, due))
        return slot, like, left, due


def _poisson(mean: float, chance: Floats) -> Ints:
    """Return Poisson counts by inversion, so that one number gives one count."""
    numbers = np.arange(1, int(mean + 12 * np.sqrt(mean) + 20))
    log_share = np.concatenate([[0.0], np.cumsum(np.log(mean) - np.log(numbers))]) - mean
    return np.searchsorted(np.cumsum(np.exp(log_share)), chance, "left").astype(np.int64)
