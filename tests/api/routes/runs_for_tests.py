"""Runs of scenarios done at once, in the test's own process: what a worker would come to, with little search."""

from __future__ import annotations

from api.jobs.asks import SweepAsk, SweepResult, WhatIfAsk, WhatIfResult
from api.store.loading import firm_at
from api.store.points import add_points, begin_run, claim_point, finish_point, finish_run
from api.store.run_states import NewPoint
from api.store.runs import one_run
from scenarios.run import Solving, baseline, compare
from scenarios.sweeps import run_sweep
from solver.stop import WorkBudget
from tests.api.routes.asking import Api

BRIEF = Solving(stop=lambda: WorkBudget(0.0))


def work_out(api: Api, run: str, *, firm: str = "one") -> None:
    """Do a comparison or a sweep as workers do, with the least search."""
    database, now = api.database, api.at
    assert begin_run(database, firm, run, now=now) is not None
    with database.reading(firm) as session:
        found = one_run(session, run)
        here = firm_at(session, found.version, marked=True)
    if found.kind == "sweep":
        sweep = SweepAsk.model_validate_json(found.asked).sweep
        swept = run_sweep(here, sweep, now=found.planned_at, work_units=0)
        documents = [one.model_dump_json() for one in swept.in_order()]
        result = SweepResult(points=swept.results, knees=swept.knees(), refused=swept.refused).model_dump_json()
    else:
        scenario = WhatIfAsk.model_validate_json(found.asked).scenario
        base = baseline(here, now=found.planned_at, solving=BRIEF)
        compared = compare(base, scenario, solving=BRIEF, rounds=0)
        result = WhatIfResult(
            comparison=compared.comparison, plan_before=compared.plan_before, plan_after=compared.plan_after
        ).model_dump_json()
        documents = [result]
    for stage, some in ((1, documents), (2, [result])):
        first = 0 if stage == 1 else len(documents)
        points = [NewPoint(first + n, "point", "{}", stage == 1, f"{run}-{first + n}") for n in range(len(some))]
        assert add_points(database, firm, run, stage, points, now=now)
        for point, document in zip(points, some, strict=True):
            assert claim_point(database, firm, run, point.number, "test", now=now) is not None
            assert finish_point(database, firm, run, point.number, "test", document, now=now).kept
    assert finish_run(database, firm, run, now=now)
