"""Runs done at once, in the test's own process: what a worker would come to, with little search."""

from __future__ import annotations

from api.jobs.asks import ReplayAsk, SeasonAsk, SweepAsk, SweepResult, WhatIfAsk, WhatIfResult
from api.store.loading import firm_at
from api.store.past import days_of, read_past
from api.store.points import add_points, begin_run, claim_point, finish_point, finish_run
from api.store.run_states import NewPoint
from api.store.runs import one_run
from scenarios.past import Terms
from scenarios.past_replay import outcome, play
from scenarios.recurring import year_ahead
from scenarios.run import Solving, baseline, compare
from scenarios.season import season
from scenarios.sweeps import run_sweep
from solver.stop import WorkBudget
from tests.api.routes.asking import Api

BRIEF = Solving(stop=lambda: WorkBudget(0.0))


def work_out(api: Api, run: str, *, firm: str = "one") -> None:
    """Do a comparison, a sweep, a season or a replay as workers do, with the least search."""
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
    elif found.kind == "season":
        season_ask = SeasonAsk.model_validate_json(found.asked)
        there = here if season_ask.scenario is None else season_ask.scenario.apply(here)
        result = season(year_ahead(there, now=api.at, days=season_ask.days), now=api.at).model_dump_json()
        documents = [result]
    elif found.kind == "replay":
        replay_ask = ReplayAsk.model_validate_json(found.asked)
        with database.reading(firm) as session:
            begin, end = days_of(here, replay_ask.first_day, replay_ask.last_day)
            past = read_past(session, first=begin, last=end)
        was, before, after = (play(past, terms) for terms in (Terms(), Terms(), replay_ask.terms))
        result = outcome(past, was, (before, after) if replay_ask.other else None).model_dump_json()
        documents = ["{}"] * found.points
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
