"""The kinds of runs: what each is asked, and into which points it falls. How points are worked out: `api.jobs.point_work`.

A run is worked out in stages, one after another; the points of a stage know the results of the stages before, and not each other's, so
that any worker may do any of them in any order. The last stage has one point, whose result is the run's. A new kind is an ask in
`api.jobs.asks`, an entry here, and its functions there.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, NamedTuple

from api.jobs.asks import DRAWS_TOGETHER, Effort, ReplayAsk, RiskAsk, RunAsk, SeasonAsk, SweepAsk, WhatIfAsk
from scenarios.grids import Value
from solver.refusal import Refused, refuse

LIBRARIES = ("evenhand", "highspy", "numba", "numpy", "ortools", "scipy")
REVISION = 1
"""Part of every key; raised when the same point comes to another result by our own doing."""
PAST = "past"
"""What a worker reads from the database itself. What it finds may become otherwise (a time entry is corrected), so it is read once in
a run, for all that comes of it, and is no other run's."""
_NO_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)
"""Stands where the moment of the run will: every key has that beside."""


def engine() -> str:
    """Return what works points out: results of another engine are not taken for this one's."""
    return ", ".join([f"points {REVISION}", *(f"{name} {version(name)}" for name in LIBRARIES)])


class Spec(NamedTuple):
    """A point of a stage.

    Attributes
    ----------
    does
        Name of the function that works it out (`api.jobs.point_work`).
    arguments
        What it is told beside the ask: JSON.
    content
        What its result depends on, beside the firm, the moment and the stages before: JSON, without what only has a name.
    counted
        Whether it is one of those that were asked for.
    """

    does: str
    arguments: Mapping[str, Any]
    content: Mapping[str, Any]
    counted: bool = False


Stages = tuple[tuple[Spec, ...], ...]


@dataclass(frozen=True)
class Kind:
    """One kind of run.

    Attributes
    ----------
    ask
        The model of what is asked.
    points
        Returns how many points are asked for.
    stages
        Returns the stages; the last one has one point.
    point_s
        Returns about how many seconds of a core a point takes at 30 people and 600 tasks: how many are done in one stretch.
    learns
        Whether its points are told what the firm's time sheets say.
    """

    name: str
    ask: type[RunAsk]
    points: Callable[[Any], int]
    stages: Callable[[Any], Stages]
    point_s: Callable[[Any], float]
    learns: bool = False


def _today(ask: Effort, seconds: float | None = None) -> tuple[Spec, ...]:
    """Return the first stage of whatever starts from today's plan: the same point for all that ask for as much of it."""
    content = {"seed": ask.seed, "work_units": ask.today_work_units, "seconds": seconds}
    return (Spec("today", {}, content),)


def _what_if_stages(ask: WhatIfAsk) -> Stages:
    content = ask.model_dump(mode="json", exclude={"today_work_units": True})
    return _today(ask, ask.seconds), (Spec("comparison", {}, content, counted=True),)


def _sweep_stages(ask: SweepAsk) -> Stages:
    points = tuple(
        Spec("grid point", {"values": list(values)}, _point_content(ask, values), counted=True)
        for values in ask.sweep.cells()
    )
    return _today(ask), points, (Spec("sweep", {}, ask.model_dump(mode="json")),)


def _point_content(ask: SweepAsk, values: tuple[Value, ...]) -> Mapping[str, Any]:
    """Return what a point's result depends on; of one that is no point at all, what says so."""
    try:
        point = ask.sweep.point(values, now=_NO_MOMENT, seed=ask.seed, work_units=ask.work_units)
    except Refused:  # it is worked out as any other, and comes to the same refusal
        return {"sweep": ask.sweep.model_dump(mode="json", exclude={"scenario": {"name"}}), "values": list(values)}
    return point.model_dump(mode="json", exclude={"now": True, "values": True, "scenario": {"name"}})


def _risk_stages(ask: RiskAsk) -> Stages:
    changes = None if ask.scenario is None else ask.scenario.model_dump(mode="json", exclude={"name"})
    plans: list[tuple[Spec, ...]] = [_today(ask)]
    if ask.scenario is not None:
        plans.append(
            (Spec("changed plan", {}, {"scenario": changes, "seed": ask.seed, "work_units": ask.today_work_units}),)
        )
    if ask.robust:
        plans.append((Spec("robust plan", {}, {"arrivals_per_week": ask.arrivals_per_week}),))
    portions = tuple(
        Spec(
            "draws",
            {"first_draw": first, "draws": min(DRAWS_TOGETHER, ask.draws - first)},
            {
                "first_draw": first,
                "draws": min(DRAWS_TOGETHER, ask.draws - first),
                "seed": ask.seed,
                "arrivals_per_week": ask.arrivals_per_week,
                "scenario": changes,
            },
            counted=True,
        )
        for first in range(0, ask.draws, DRAWS_TOGETHER)
    )
    return (*plans, portions, (Spec("risk", {}, ask.model_dump(mode="json")),))


def _season_stages(ask: SeasonAsk) -> Stages:
    content = ask.model_dump(mode="json", exclude={"scenario": {"name"}})
    return ((Spec("season", {}, content, counted=True),),)


def _replay_stages(ask: ReplayAsk) -> Stages:
    work = {"work_units": ask.work_units, "seed": ask.seed}
    sides = [Spec("replay as it was", {}, work, counted=True)]
    if ask.other:
        # Both with the same means for every batch: what differs is then the policy's doing.
        approvals = {"approvals": ask.approvals.value}
        sides += [
            Spec("replay in force", {}, {**work, **approvals}, counted=True),
            Spec("replay otherwise", {}, ask.model_dump(mode="json"), counted=True),
        ]
    return (Spec(PAST, {}, {}),), tuple(sides), (Spec("replay", {}, ask.model_dump(mode="json")),)


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("what_if", WhatIfAsk, lambda ask: 1, _what_if_stages, lambda ask: 5.0),
        Kind(
            "sweep",
            SweepAsk,
            lambda ask: math.prod(len(axis.values) for axis in ask.sweep.axes),
            _sweep_stages,
            lambda ask: 0.8 + ask.work_units,
        ),
        Kind(
            "risk",
            RiskAsk,
            lambda ask: math.ceil(ask.draws / DRAWS_TOGETHER),
            _risk_stages,
            lambda ask: 0.5,
            learns=True,
        ),
        Kind("season", SeasonAsk, lambda ask: 1, _season_stages, lambda ask: 8.0),
        Kind("replay", ReplayAsk, lambda ask: 3 if ask.other else 1, _replay_stages, lambda ask: 8.0),
    )
}
"""By name."""


def kind_of(ask: RunAsk) -> Kind:
    """Return the kind of an ask.

    Raises
    ------
    Refused
        It is of none.
    """
    found = next((kind for kind in KINDS.values() if kind.ask is type(ask)), None)
    if found is None:
        raise refuse("unknown_kind", "kind", type(ask).__name__, f"is none of {', '.join(KINDS)}")
    return found


def read_ask(kind: str, document: str) -> RunAsk:
    """Return what a run was asked, from the JSON that its row keeps."""
    return KINDS[kind].ask.model_validate(json.loads(document))
