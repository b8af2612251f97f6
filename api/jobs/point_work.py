"""How the points of each kind of run are worked out: pure functions of what a stage shares and what a point is told.

Nothing here depends on who works, in what order, or how many there are: a crew changes who does the jobs of a search, and not what comes
of it, as long as work is counted. JSON texts in, JSON texts out.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, fields
from functools import cached_property
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from api.crew import processes
from api.jobs.asks import (
    DrawsResult,
    Effort,
    Packed,
    ReplayAsk,
    RiskAsk,
    RiskResult,
    RobustPlan,
    RobustResult,
    RunAsk,
    SeasonAsk,
    SweepAsk,
    SweepResult,
    WhatIfAsk,
    WhatIfResult,
)
from api.jobs.kinds import read_ask
from api.jobs.messages import PointGround
from api.jobs.periods import unpacked_past
from api.stops import WallClock
from scenarios.chances import Chances, chances_of
from scenarios.draws import Setting, setting
from scenarios.execution import Promised
from scenarios.grids import PointRefused, PointResult, ground_of
from scenarios.past import Past, Terms
from scenarios.past_replay import PastReplay, outcome, play
from scenarios.recurring import year_ahead
from scenarios.risks import bottlenecks, risks
from scenarios.robust import robust
from scenarios.run import Baseline, Solving, compare
from scenarios.season import season
from scenarios.sweeps import Swept, result_or_refused, solve_point
from scenarios.uncertainty import METRICS, Outcomes, Portion, compared, joined, promised, range_of
from solver.calendar import local_now
from solver.crew import Alone, Crew
from solver.firm import Firm
from solver.plan import Plan
from solver.refusal import Refused
from solver.stop import FirstOf, Stop, WorkBudget

_POINT: TypeAdapter[PointResult | PointRefused] = TypeAdapter(PointResult | PointRefused)
_PLAYED: TypeAdapter[PastReplay] = TypeAdapter(PastReplay)
SMALL = 2_000
"""People times tasks up to which a single search is done in this process: it is over before another one has started."""


class Ground:
    """What the points of a stage share, read once."""

    def __init__(self, told: PointGround) -> None:
        self.firm, self.now, self.last, self.earlier = told.firm, told.now, told.last, told.earlier
        self.ask: RunAsk = read_ask(told.kind, told.ask)
        self._cores, self._learned = told.cores, told.learned

    def crew(self, *, patient: bool = True) -> AbstractContextManager[Crew]:
        """Return who does the jobs of the only search of a stage."""
        small = len(self.firm.people) * len(self.firm.tasks) <= SMALL
        return nullcontext(Alone()) if small or self._cores == 1 else processes(self._cores, patient=patient)

    @cached_property
    def today(self) -> Plan:
        """Today's plan."""
        return Plan.model_validate_json(self.earlier[0][0])

    @cached_property
    def ground(self) -> str:
        """Key of what a sweep starts from."""
        return ground_of(self.firm, self.today)

    # Of a replay

    @cached_property
    def past(self) -> Past:
        """The period, as a worker read it."""
        return unpacked_past(self.earlier[0][0])

    # Of a risk

    @cached_property
    def risk_firm(self) -> Firm:
        """The firm whose plan is carried out."""
        ask = self.asked(RiskAsk)
        return self.firm if ask.scenario is None else ask.scenario.apply(self.firm)

    @cached_property
    def plan(self) -> Plan:
        """The plan that is carried out."""
        return self.today if self.asked(RiskAsk).scenario is None else Plan.model_validate_json(self.earlier[1][0])

    @cached_property
    def robust(self) -> RobustPlan | None:
        """The robust plan beside it."""
        ask = self.asked(RiskAsk)
        place = 1 if ask.scenario is None else 2
        return RobustPlan.model_validate_json(self.earlier[place][0]) if ask.robust else None

    @cached_property
    def chances(self) -> Chances:
        """The odds."""
        arrivals = {"arrivals_per_week": self.asked(RiskAsk).arrivals_per_week}
        return chances_of(self.risk_firm, self._learned).model_copy(update=arrivals)

    @cached_property
    def place(self) -> Setting:
        """Where plans are carried out."""
        return setting(self.risk_firm, now=self.now)

    @cached_property
    def plans(self) -> tuple[Promised, ...]:
        """The plan as arrays, and the robust one."""
        plans = (self.plan,) if self.robust is None else (self.plan, self.robust.plan)
        return tuple(promised(self.risk_firm, plan, self.place) for plan in plans)

    def asked(self, model: type[Any]) -> Any:
        """Return the ask, which is of a kind."""
        assert isinstance(self.ask, model)
        return self.ask


def work_out(ground: Ground, does: str, arguments: Mapping[str, Any]) -> str:
    """Work a point out and return its result as JSON.

    Raises
    ------
    Refused
        A change cannot be made to the firm.
    """
    return WORK[does](ground, arguments)


def _today(ground: Ground, _: Mapping[str, Any]) -> str:
    ask: Effort = ground.asked(Effort)
    seconds = ask.seconds if isinstance(ask, WhatIfAsk) else None
    with ground.crew(patient=seconds is None) as crew:
        solving = _solving(ask, ask.today_work_units, seconds, crew)
        return solving.plan(ground.firm, ground.now, ground.last).model_dump_json()


def _solving(ask: Effort, work_units: float | None, seconds: float | None, crew: Crew) -> Solving:
    def stop() -> Stop:
        rules: list[Stop] = [] if work_units is None else [WorkBudget(work_units)]
        return FirstOf((*rules, *([] if seconds is None else [WallClock(seconds)])))

    return Solving(stop=stop, seed=ask.seed, crew=crew)


def _comparison(ground: Ground, _: Mapping[str, Any]) -> str:
    ask: WhatIfAsk = ground.asked(WhatIfAsk)
    base = Baseline(ground.firm, ground.now, ground.today)
    with ground.crew(patient=ask.seconds is None) as crew:
        solving = _solving(ask, ask.work_units, ask.seconds, crew)
        found = compare(base, ask.scenario, solving=solving, rounds=ask.rounds)
    return WhatIfResult(
        comparison=found.comparison, plan_before=found.plan_before, plan_after=found.plan_after
    ).model_dump_json()


def _grid_point(ground: Ground, arguments: Mapping[str, Any]) -> str:
    ask: SweepAsk = ground.asked(SweepAsk)
    values = arguments["values"]

    def solved() -> PointResult:
        point = ask.sweep.point(values, now=ground.now, seed=ask.seed, work_units=ask.work_units)
        return solve_point(ground.firm, point, ground=ground.ground, last=ground.today)

    return result_or_refused(values, solved).model_dump_json()


def _sweep(ground: Ground, _: Mapping[str, Any]) -> str:
    ask: SweepAsk = ground.asked(SweepAsk)
    # A result that was known may have been another sweep's, with values of its own.
    found = [
        _POINT.validate_json(document).model_copy(update={"values": values})
        for values, document in zip(ask.sweep.cells(), ground.earlier[1], strict=True)
    ]
    results = tuple(one for one in found if isinstance(one, PointResult))
    refused = tuple(one for one in found if isinstance(one, PointRefused))
    if not results:
        raise Refused(refused[0].refusal)
    knees = Swept(ask.sweep, results, len(results), refused).knees()
    return SweepResult(points=results, knees=knees, refused=refused).model_dump_json()


def _changed_plan(ground: Ground, _: Mapping[str, Any]) -> str:
    ask: RiskAsk = ground.asked(RiskAsk)
    with ground.crew() as crew:
        solving = _solving(ask, ask.today_work_units, None, crew)
        return solving.plan(ground.risk_firm, ground.now, ground.today).model_dump_json()


def _robust_plan(ground: Ground, _: Mapping[str, Any]) -> str:
    found = robust(ground.risk_firm, ground.plan, ground.chances, now=ground.now)
    return RobustPlan(plan=found.plan, moved=found.moved, taken=found.taken).model_dump_json()


def _draws(ground: Ground, arguments: Mapping[str, Any]) -> str:
    first, draws = int(arguments["first_draw"]), int(arguments["draws"])
    made = Portion(ground.place, ground.plans, ground.chances, ground.asked(RiskAsk).seed, first, draws)()
    metrics = {name: tuple(getattr(made[0], name).tolist()) for name in METRICS}
    packed = tuple({one.name: _packed(getattr(found, one.name)) for one in fields(Outcomes)} for found in made)
    return DrawsResult(first_draw=first, draws=draws, metrics=metrics, packed=packed).model_dump_json()


def _risk(ground: Ground, _: Mapping[str, Any]) -> str:
    portions = [DrawsResult.model_validate_json(document).packed for document in ground.earlier[-1]]
    made = [joined([_outcomes(portion[i]) for portion in portions]) for i in range(len(ground.plans))]
    people, skills = bottlenecks(ground.place, ground.plans[0], made[0])
    return RiskResult(
        plan=ground.plan,
        draws=made[0].draws,
        samples={name: tuple(getattr(made[0], name).tolist()) for name in METRICS},
        metrics=_metrics(made[0]),
        deadlines=tuple(asdict(one) for one in risks(ground.place, ground.plans[0], made[0])),
        people=tuple(asdict(one) for one in people),
        skills=tuple(asdict(one) for one in skills),
        robust=None if ground.robust is None else _robust_result(ground.robust, made[0], made[1]),
    ).model_dump_json()


def _robust_result(found: RobustPlan, plain: Outcomes, made: Outcomes) -> RobustResult:
    apart = tuple({**asdict(one), "decided": one.decided} for one in compared(plain, made))
    return RobustResult(
        plan=found.plan, moved=found.moved, taken=found.taken, metrics=_metrics(made), differences=apart
    )


def _metrics(made: Outcomes) -> Any:
    return {name: asdict(range_of(getattr(made, name))) for name in METRICS}


def _season(ground: Ground, _: Mapping[str, Any]) -> str:
    ask: SeasonAsk = ground.asked(SeasonAsk)
    firm = ground.firm if ask.scenario is None else ask.scenario.apply(ground.firm)
    now = local_now(firm, ground.now)
    return season(year_ahead(firm, now=now, days=ask.days), now=now).model_dump_json()


def _as_it_was(ground: Ground, _: Mapping[str, Any]) -> str:
    return _played(ground, Terms(), anew=False)


def _in_force(ground: Ground, _: Mapping[str, Any]) -> str:
    return _played(ground, Terms(approvals=ground.asked(ReplayAsk).approvals), anew=True)


def _otherwise(ground: Ground, _: Mapping[str, Any]) -> str:
    return _played(ground, ground.asked(ReplayAsk).terms, anew=True)


def _played(ground: Ground, terms: Terms, *, anew: bool) -> str:
    ask: ReplayAsk = ground.asked(ReplayAsk)
    found = play(ground.past, terms, units=ask.work_units, seed=ask.seed, anew=anew)
    return _PLAYED.dump_json(found).decode()


def _replay(ground: Ground, _: Mapping[str, Any]) -> str:
    was, *others = (_PLAYED.validate_json(document) for document in ground.earlier[1])
    other = (others[0], others[1]) if others else None
    return outcome(ground.past, was, other).model_dump_json()


def _packed(array: Any) -> Packed:
    data = base64.b64encode(zlib.compress(np.ascontiguousarray(array).tobytes(), 6)).decode()
    return Packed(dtype=str(array.dtype), shape=array.shape, data=data)


def _outcomes(packed: Mapping[str, Packed]) -> Outcomes:
    return Outcomes(
        **{
            name: np.frombuffer(zlib.decompress(base64.b64decode(one.data)), dtype=one.dtype).reshape(one.shape)
            for name, one in packed.items()
        }
    )


WORK: Mapping[str, Callable[[Ground, Mapping[str, Any]], str]] = {
    "today": _today,
    "comparison": _comparison,
    "grid point": _grid_point,
    "sweep": _sweep,
    "changed plan": _changed_plan,
    "robust plan": _robust_plan,
    "draws": _draws,
    "risk": _risk,
    "season": _season,
    "replay as it was": _as_it_was,
    "replay in force": _in_force,
    "replay otherwise": _otherwise,
    "replay": _replay,
}
"""By what a point does (`api.jobs.kinds.Spec`)."""
