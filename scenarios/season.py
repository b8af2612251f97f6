"""The season plan: week by week demand against hours, when the firm runs out and of whom, and the cheapest mix that closes it.

Two looks at the same program (`scenarios.season_program`): first with nothing but the people there are, priced as the detailed plan
prices an escalation, which says what is missing; then with hires, overtime, extensions and refusals at their prices, which says what
to do about it. Each shortage names the tasks behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from scenarios.demand import Demand, WorkClass, demand
from scenarios.recurring import extended_deadline
from scenarios.season_figures import LevelWeek, Measure, Season, Shortage, SkillRange, SkillWeek
from scenarios.season_model import Floats
from scenarios.season_program import Closed, Hire, Options, Pool, closed, refused_ranges, weekly
from solver.firm import Firm
from solver.policy import Frozen
from solver.windows import BEYOND_HORIZON_DAYS

_HALF_HOUR = 30.0
"""Minutes below which a shortage or a measure is a matter of rounding."""
Price = Annotated[float, Field(ge=0)]


class Costs(Frozen):
    """What each measure costs, in minutes of ordinary pay of the lowest level. All A unless said otherwise."""

    level_factor: tuple[Price, ...] = Field(
        default=(1.0, 1.4, 2.0, 3.0), description="pay of each level, lowest first; levels beyond the last cost as much"
    )
    overtime_pct: Price = Field(default=150, description="of ordinary pay, per minute of overtime")
    longest_week_min: Price = Field(
        default=3_600, description="hours of a week including overtime: above 60 quality falls (AOS 2021, S)"
    )
    most_overtime_min: Price = Field(default=900, description="overtime of a person in a week")
    hire_lead_weeks: Annotated[int, Field(ge=0, le=104)] = Field(
        default=8, description="weeks until somebody hired today begins"
    )
    onboarding_days: Price = Field(default=20, description="days of pay before a hire is of use")
    extension_min: Price = Field(default=60, description="filing an extension and telling the client, per task")
    fee_min: Price = Field(default=3, description="per minute of work refused: a fee is three times the pay")
    goodwill_min: Price = Field(
        default=0.5,
        description="added per minute refused and priority factor (normal: 2): what the client thinks of it",
    )

    def refusal_min(self, factor: int) -> float:
        """Return the price of a minute of work refused."""
        return self.fee_min + self.goodwill_min * factor


def season(firm: Firm, *, now: datetime, costs: Costs | None = None) -> Season:
    """Plan a year of work; `scenarios.recurring.year_ahead` makes the firm with it."""
    year, prices = demand(firm, now=now), costs or Costs()
    as_is = closed(year, shortage_only(year))
    last = _last_place(year)
    mended = as_is if as_is.refused.sum() < _HALF_HOUR else closed(year, _options(year, as_is, prices))
    measures = () if mended is as_is else tuple(_measures(year, mended, _options(year, as_is, prices), prices))
    return Season(
        firm=firm.name,
        now=now,
        tasks=sum(len(one.tasks) for one in year.classes) + len(year.nobody),
        demand_min=sum(one.minutes for one in year.classes),
        open_min=int(sum(group.open_min[: last + 1].sum() for group in year.groups)),
        short_min=round(float(as_is.refused.sum())),
        skills=tuple(_skill_weeks(year, as_is)),
        levels=tuple(_level_weeks(year, as_is, last)),
        shortages=tuple(_shortages(year, as_is)),
        ranges=() if mended is as_is else _ranges(year, as_is),
        measures=measures,
        cost_min=sum(measure.cost_min for measure in measures),
        nobody=year.nobody,
        slow=year.slow,
    )


def shortage_only(year: Demand, *, whole: bool = True) -> Options:
    """Return the first look: nothing may be bought, and a minute refused costs what the detailed plan's escalation does.

    Tasks that are long for the days they have stay in one hand, unless not ``whole``.
    """
    weights, end = year.firm.policy.weights, year.board.axis.last_day + timedelta(days=BEYOND_HORIZON_DAYS)
    # An escalation is dearer than any lateness the task may have (`solver.problem`), so than the latest of all: beyond the horizon.
    latest = [(end - year.days[one.late_from]).days if one.late_from >= 0 else 0 for one in year.classes]
    prices = [
        float(one.factor * (weights.escalation + weights.late_day * days))
        for one, days in zip(year.classes, latest, strict=True)
    ]
    late_day = np.array([float(weights.late_day * one.factor) for one in year.classes])
    return Options(refusal=np.array(prices), whole=whole, late_day=late_day)


def short_by_skill(year: Demand, found: Closed) -> dict[str, float]:
    """Return the minutes of each skill that nobody has time for."""
    total: dict[str, float] = {}
    for one, minutes in zip(year.classes, found.refused.tolist(), strict=True):
        total[one.skill] = total.get(one.skill, 0.0) + minutes
    return total


def ranges_by_skill(year: Demand, *, slack: float = 0.01) -> dict[str, tuple[float, float]]:
    """Return the least and most minutes of each skill that nobody has time for, in any answer at ``1 + slack`` times the least cost.

    Which of several skills of the same people is left undone is nearly a tie: a hundredth of the cost may move a tenth of all that is
    short from one skill to another, so a single number says more than is known. Two linear programs a skill, in which long tasks may
    be split: with the long ones fixed as in one answer, detailed plans lie outside more often.
    """
    skills = sorted({one.skill for one in year.classes})
    parts = [[k for k, one in enumerate(year.classes) if one.skill == skill] for skill in skills]
    return dict(zip(skills, refused_ranges(year, shortage_only(year, whole=False), parts, slack=slack), strict=True))


def told_by_skill(year: Demand, found: Closed, *, slack: float = 0.01) -> dict[str, tuple[float, float, float]]:
    """Return the minutes of each skill that nobody has time for: the least, those of the answer found and the most.

    That answer has long tasks in one hand and may cost more than those of the range, so it may widen it.
    """
    short, ranges = short_by_skill(year, found), ranges_by_skill(year, slack=slack)
    return {
        skill: (min(low, short[skill]), short[skill], max(high, short[skill])) for skill, (low, high) in ranges.items()
    }


def _ranges(year: Demand, as_is: Closed) -> tuple[SkillRange, ...]:
    found = []
    for skill, (least, shown, most) in told_by_skill(year, as_is).items():
        if most < _HALF_HOUR:
            continue
        found.append(
            SkillRange(
                skill=skill,
                minutes=round(shown),
                least_min=round(least),
                most_min=round(most),
                sentence=f"Between {least / 60:,.0f} and {most / 60:,.0f} hours of {skill} find nobody.",
            )
        )
    return tuple(sorted(found, key=lambda one: (-one.minutes, -one.most_min, one.skill)))


def _last_place(year: Demand) -> int:
    deadlines = [(task.deadline - year.days[0]).days for task in year.board.tasks]
    return min(max([0, *deadlines]), len(year.days) - 1)


def _options(year: Demand, as_is: Closed, costs: Costs) -> Options:
    pay = _pay(year.firm, costs)
    short = {(one.skill, one.rank) for one, m in zip(year.classes, as_is.refused, strict=True) if m >= 1.0}
    open_days = [day for i, day in enumerate(year.days) if any(group.open_min[i] for group in year.groups)]
    tasks = {task.id: task for task in year.board.tasks}
    extended = np.full(len(year.classes), -1, dtype=np.int64)
    for k, one in enumerate(year.classes):
        dues = [extended_deadline(tasks[name], open_days) for name in one.tasks]
        if all(dues):
            extended[k] = min((due - year.days[0]).days for due in dues if due)
    sizes = np.array([one.minutes / len(one.tasks) for one in year.classes])
    return Options(
        refusal=np.array([costs.refusal_min(one.factor) for one in year.classes]),
        overtime=tuple(_overtime(year, g, pay, costs) for g in range(len(year.groups))),
        hires=tuple(_hires(year, short, pay, costs)),
        extended=extended,
        extension=costs.extension_min / np.maximum(sizes, 1.0),
    )


def _pay(firm: Firm, costs: Costs) -> Mapping[str, float]:
    factors = costs.level_factor or (1.0,)
    return {level.name: factors[min(rank, len(factors) - 1)] for rank, level in enumerate(firm.levels)}


def _overtime(year: Demand, g: int, pay: Mapping[str, float], costs: Costs) -> Pool:
    group = year.groups[g]
    hours = weekly(year, group.open_min)
    heads = len(group.people)
    most = np.minimum(np.maximum(costs.longest_week_min * heads - hours, 0.0), costs.most_overtime_min * heads)
    return Pool(np.where(hours > 0, most, 0.0), pay[group.level] * costs.overtime_pct / 100)


def _hires(year: Demand, short: Iterable[tuple[str, int]], pay: Mapping[str, float], costs: Costs) -> Iterable[Hire]:
    """Give a profile for each team and level there is, with the skills half of its people have, where one of them is short."""
    wanted = sorted(short)
    rank = {level.name: place for place, level in enumerate(year.firm.levels)}
    teams: dict[tuple[str, str], list[dict[str, int]]] = {}
    for person in year.firm.people:
        cells = {cell.skill: cell.efficiency_pct for cell in person.skills}
        teams.setdefault((person.team, person.level), []).append(cells)
    first = year.days[0] + timedelta(weeks=costs.hire_lead_weeks)
    worked = np.array([any(group.open_min[i] for group in year.groups) for i in range(len(year.days))])
    for (team, level), people in sorted(teams.items()):
        names = sorted({skill for cells in people for skill in cells})
        usual = [skill for skill in names if 2 * sum(skill in cells for cells in people) >= len(people)]
        pct = {skill: float(np.mean([cells[skill] for cells in people if skill in cells])) for skill in usual}
        if not any(skill in pct and rank[level] >= need for skill, need in wanted):
            continue
        hours = [
            480.0 if day >= first and ok and day.weekday() < 5 else 0.0
            for day, ok in zip(year.days, worked, strict=True)
        ]
        last = _last_place(year)
        hours[last + 1 :] = [0.0] * len(hours[last + 1 :])
        price = pay[level] * (sum(hours) + 480.0 * costs.onboarding_days)
        if sum(hours):
            yield Hire(level, team, rank[level], pct, Pool(weekly(year, hours), price))


def _skill_weeks(year: Demand, found: Closed) -> Iterable[SkillWeek]:
    weeks, week_of = len(year.mondays), year.week_of
    keys = sorted({(one.skill, one.rank) for one in year.classes})
    place = {key: i for i, key in enumerate(keys)}
    due, done, short = (np.zeros((len(keys), weeks)) for _ in range(3))
    for one, missing in zip(year.classes, found.refused.tolist(), strict=True):
        row = place[one.skill, one.rank]
        due[row, week_of[one.last_day]] += one.minutes
        short[row, week_of[one.last_day]] += missing
    k, _, w, minutes = found.done
    row_of = np.array([place[one.skill, one.rank] for one in year.classes], dtype=np.int64)
    np.add.at(done, (row_of[k], w), minutes)
    for (skill, rank), row in place.items():
        for w_, monday in enumerate(year.mondays):
            if due[row, w_] or done[row, w_] >= 1.0:
                yield SkillWeek(
                    skill=skill,
                    level=year.firm.levels[rank].name,
                    week_start=monday,
                    due_min=round(float(due[row, w_])),
                    done_min=round(float(done[row, w_])),
                    short_min=round(float(short[row, w_])),
                )


def _level_weeks(year: Demand, found: Closed, last: int) -> Iterable[LevelWeek]:
    levels = [level.name for level in year.firm.levels]
    weeks = int(year.week_of[last]) + 1
    open_min, used = np.zeros((len(levels), len(year.mondays))), np.zeros((len(levels), len(year.mondays)))
    level_of = np.array([levels.index(group.level) for group in year.groups], dtype=np.int64)
    for g, group in enumerate(year.groups):
        open_min[level_of[g]] += weekly(year, group.open_min)
    k, g_, w, minutes = found.done
    pct = [year.groups[g].efficiency_pct[year.classes[c].skill] for c, g in zip(k.tolist(), g_.tolist(), strict=True)]
    np.add.at(used, (level_of[g_], w), minutes * np.array(pct) / 100 if len(pct) else minutes)
    for row, level in enumerate(levels):
        for week in range(weeks):
            if open_min[row].any():
                yield LevelWeek(
                    level=level,
                    week_start=year.mondays[week],
                    open_min=round(float(open_min[row, week])),
                    used_min=round(float(used[row, week])),
                )


def _shortages(year: Demand, found: Closed) -> list[Shortage]:
    behind: dict[tuple[str, int], list[tuple[WorkClass, float]]] = {}
    for one, minutes in zip(year.classes, found.refused.tolist(), strict=True):
        if minutes >= 1.0:
            behind.setdefault((one.skill, one.rank), []).append((one, minutes))
    shortages = []
    for (skill, rank), classes in behind.items():
        minutes = sum(m for _, m in classes)
        if minutes < _HALF_HOUR:
            continue
        weeks = sorted({int(year.week_of[one.last_day]) for one, _ in classes})
        first, level = year.mondays[weeks[0]], year.firm.levels[rank].name
        names = _tasks(classes)
        shortages.append(
            Shortage(
                skill=skill,
                level=level,
                first_week=first,
                weeks=len(weeks),
                minutes=round(minutes),
                tasks=names,
                sentence=f"{minutes / 60:,.0f} hours of {skill} ({level} or above) find nobody, the first due in the week of "
                f"{first:%d %B %Y}.",
            )
        )
    return sorted(shortages, key=lambda one: (-one.minutes, one.skill, one.level))


def _tasks(classes: Sequence[tuple[WorkClass, float]]) -> tuple[str, ...]:
    """Return the tasks that make up missing minutes: of each class the smallest number of them, lowest priority first."""
    named: list[str] = []
    for one, minutes in sorted(classes, key=lambda pair: (pair[0].factor, pair[0].last_day)):
        left = minutes
        for name, size in sorted(zip(one.tasks, one.task_min, strict=True), key=lambda pair: (-pair[1], pair[0])):
            if left < 1.0:
                break
            named.append(name)
            left -= size
    return tuple(named)


def _measures(year: Demand, found: Closed, options: Options, costs: Costs) -> Iterable[Measure]:
    for hire, count in zip(options.hires, found.hired.tolist(), strict=True):
        if count:
            weeks = np.flatnonzero(hire.pool.most > 0)
            who = f"{hire.level}{'' if count == 1 else 's'}{f' in {hire.team}' if hire.team else ''}"
            begins = year.mondays[int(weeks[0])]
            yield Measure(
                kind="hire",
                subject=f"{hire.level} {hire.team}".strip(),
                week_start=begins,
                weeks=len(weeks),
                minutes=round(count * float(hire.pool.most.sum())),
                count=count,
                cost_min=round(count * hire.pool.price),
                sentence=f"Hire {count} {who} to begin in the week of {begins:%d %B %Y}.",
            )
    yield from _overtime_measures(year, found.overtime, options)
    yield from _task_measures(year, found.extended, "extension", costs)
    yield from _task_measures(year, found.refused, "refusal", costs)


def _overtime_measures(year: Demand, overtime: Floats, options: Options) -> Iterable[Measure]:
    for g, group in enumerate(year.groups):
        weeks = np.flatnonzero(overtime[g] >= 1.0)
        minutes = float(overtime[g].sum())
        if minutes >= _HALF_HOUR and len(weeks):
            most = float(overtime[g].max()) / len(group.people)
            yield Measure(
                kind="overtime",
                subject=group.name,
                week_start=year.mondays[int(weeks[0])],
                weeks=len(weeks),
                minutes=round(minutes),
                count=len(group.people),
                cost_min=round(minutes * options.overtime[g].price),
                sentence=f"{group.name}: {minutes / 60:,.0f} hours of overtime in {len(weeks)} week{'' if len(weeks) == 1 else 's'} from "
                f"{year.mondays[int(weeks[0])]:%d %B %Y}, at most {most / 60:.1f} hours a week each.",
            )


def _task_measures(year: Demand, minutes: NDArray[np.float64], kind: str, costs: Costs) -> Iterable[Measure]:
    by_skill: dict[str, list[tuple[WorkClass, float]]] = {}
    for one, some in zip(year.classes, minutes.tolist(), strict=True):
        if some >= 1.0:
            by_skill.setdefault(one.skill, []).append((one, some))
    for skill, classes in sorted(by_skill.items()):
        total, names = sum(some for _, some in classes), _tasks(classes)
        if total < _HALF_HOUR:
            continue
        weeks = sorted({int(year.week_of[one.last_day]) for one, _ in classes})
        extending = kind == "extension"
        verb = "File extensions for" if extending else "Refuse, or postpone with the client,"
        price = (
            costs.extension_min * len(names)
            if extending
            else sum(costs.refusal_min(one.factor) * some for one, some in classes)
        )
        yield Measure(
            kind=kind,
            subject=skill,
            week_start=year.mondays[weeks[0]],
            weeks=len(weeks),
            minutes=round(total),
            count=len(names),
            cost_min=round(price),
            tasks=names,
            sentence=f"{verb} {len(names)} task{'' if len(names) == 1 else 's'} of {skill}, {total / 60:,.0f} hours.",
        )
