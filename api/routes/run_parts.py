"""Runs, between what routes take and what workers are asked."""

from __future__ import annotations

import itertools
import math
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated

from pydantic import Field, TypeAdapter
from sqlalchemy.orm import Session

from api.jobs.asks import ReplayAsk, RiskAsk, SeasonAsk, SweepAsk, WhatIfAsk
from api.routes.problems import problem
from api.routes.scenario_models import AnyRun, ReplayRun, RiskRun, SeasonRun, SweepRun, WhatIfRun
from api.store.correcting import require_references
from api.store.loading import load_firm
from api.store.past import days_of, require_history
from api.store.refusals import NotFound, not_found
from api.store.run_states import Run
from api.store.runs import one_run, result_of
from api.store.scenarios import KeptScenario
from api.store.scenarios_today import Today
from scenarios.change import refuse_change
from scenarios.changes import Change, Scenario, apply_all
from scenarios.grids import MOST_POINTS, Axis, Point, Sweep
from scenarios.rebasing import applying
from solver.calendar import local_now
from solver.firm import Firm
from solver.refusal import Refusal, Refused

Ask = WhatIfAsk | SweepAsk | RiskAsk | SeasonAsk
ASKS: dict[str, type[Ask | ReplayAsk]] = {
    "what_if": WhatIfAsk,
    "sweep": SweepAsk,
    "risk": RiskAsk,
    "season": SeasonAsk,
    "replay": ReplayAsk,
}
_ANY: TypeAdapter[AnyRun] = TypeAdapter(Annotated[AnyRun, Field(discriminator="kind")])


def run_of(session: Session, scenario: str | None, id: str) -> Run:
    """Return a run: of a scenario, or, with none, any run of the firm.

    Raises
    ------
    NotFound
        There is no such run.
    """
    found = one_run(session, id)
    if scenario not in (None, found.scenario):
        raise not_found("run", id)
    return found


def finished(
    session: Session, scenario: str | None, id: str, *, kinds: tuple[str, ...] = tuple(ASKS)
) -> tuple[Run, str]:
    """Return a run, as `run_of`, that is done and of one of these kinds, and what came of it as JSON.

    Raises
    ------
    NotFound
        There is no such run.
    Problem
        It is not done, or of another kind.
    """
    run = run_of(session, scenario, id)
    if run.kind not in kinds:
        message, hint = f"is none of {', '.join(kinds)}", "Maybe start a run of another kind."
        raise problem(HTTPStatus.CONFLICT, "other_kind", "kind", run.kind, message, nearest=kinds[0], hint=hint)
    document = result_of(session, id)
    if document is None:
        message, hint = "has no result", "Maybe watch its progress, or read its points."
        raise problem(HTTPStatus.CONFLICT, "no_result", "state", run.state.value, message, nearest="done", hint=hint)
    return run, document


def asked_by(ask: WhatIfRun | SweepRun | RiskRun | SeasonRun, kept: KeptScenario, today: Today) -> Ask:
    """Return what workers are asked: the same about the scenario as it applies to today's firm.

    Raises
    ------
    Problem
        Nothing of it applies, or what is swept over does not.
    Refused
        A value of a sweep cannot be.
    """
    changes = applying(today.changes)
    if not changes:
        message, hint = "has no change that applies to today's firm", "Maybe see what its answer says about today."
        raise problem(HTTPStatus.CONFLICT, "nothing_applies", "scenario", kept.id, message, hint=hint)
    scenario = Scenario(name=kept.scenario.name, changes=changes)
    effort = ask.model_dump(exclude={"kind", "axes"})
    if isinstance(ask, WhatIfRun):
        return WhatIfAsk(scenario=scenario, **effort)
    if isinstance(ask, RiskRun):
        return RiskAsk(scenario=scenario, **effort)
    if isinstance(ask, SeasonRun):
        return SeasonAsk(scenario=scenario, **effort)
    sweep = Sweep(scenario=scenario, axes=tuple(_moved(n, axis, today) for n, axis in enumerate(ask.axes)))
    _require_a_corner(sweep, today)
    return SweepAsk(sweep=sweep, **effort)


def asked_of_firm(ask: SeasonRun | ReplayRun, session: Session, *, now: datetime) -> SeasonAsk | ReplayAsk:
    """Return what workers are asked about the firm itself.

    Raises
    ------
    Problem
        The period is not over, or is before the firm's history.
    Refused
        The firm cannot have such a policy.
    """
    if isinstance(ask, SeasonRun):
        return SeasonAsk(days=ask.days)
    firm = load_firm(session)
    _require_over(ask, firm, session, now)
    if ask.policy is not None:
        require_references(firm, ask.policy)
        firm = firm.model_copy(update={"policy": ask.policy})
    apply_all(firm, ask.changes)
    return ReplayAsk.model_validate(ask.model_dump(exclude={"kind"}))


def _require_over(ask: ReplayRun, firm: Firm, session: Session, now: datetime) -> None:
    today, status = local_now(firm, now).date(), HTTPStatus.UNPROCESSABLE_ENTITY
    if ask.last_day >= today:
        said, near = ask.last_day.isoformat(), (today - timedelta(days=1)).isoformat()
        raise problem(status, "not_over", "last_day", said, "is not over yet", nearest=near)
    try:
        require_history(session, days_of(firm, ask.first_day, ask.last_day)[1])
    except NotFound as error:
        found = error.refusal
        near = local_now(firm, datetime.fromisoformat(str(found.nearest))).date().isoformat()
        raise problem(status, found.code, "last_day", ask.last_day.isoformat(), found.message, nearest=near) from error


def ask_of(run: Run) -> AnyRun:
    """Return what was asked of a run; axes count the changes as they were applied."""
    asked = ASKS[run.kind].model_validate_json(run.asked)
    more = {"axes": asked.sweep.axes} if isinstance(asked, SweepAsk) else {}
    fields = asked.model_dump(exclude={"scenario", "sweep", "seconds"})
    return _ANY.validate_python({**fields, **more, "kind": run.kind})


def changes_of(run: Run) -> tuple[Change, ...]:
    """Return the changes of a run as they were applied."""
    scenario = scenario_of_run(run)
    return () if scenario is None else scenario.changes


def scenario_of_run(run: Run) -> Scenario | None:
    """Return the scenario of a run as it was applied, ``None`` where it is the firm as it is."""
    asked = ASKS[run.kind].model_validate_json(run.asked)
    if isinstance(asked, ReplayAsk):
        return None
    return asked.sweep.scenario if isinstance(asked, SweepAsk) else asked.scenario


def _moved(number: int, axis: Axis, today: Today) -> Axis:
    """Return an axis that counts the changes that apply, instead of those that are kept."""
    change, _, field = axis.field.partition(".")
    kept = [str(one.number) for one in today.changes if one.change is not None]
    if change in kept:
        return axis.model_copy(update={"field": f"{kept.index(change)}.{field}"})
    gone = next((one for one in today.changes if str(one.number) == change), None)
    why = "names no change" if gone is None else f"is of a change that does not apply any more: {gone.reason}"
    status, value, near = HTTPStatus.UNPROCESSABLE_ENTITY, axis.field[:80], f"{kept[-1]}.{field[:80]}"
    raise problem(status, "unknown_reference", f"axes.{number}.field", value, why, nearest=near)


def _require_a_corner(sweep: Sweep, today: Today) -> None:
    """Refuse a sweep that is too large, or of whose outermost points none can be; others that cannot be are told in the result."""
    count = math.prod(len(axis.values) for axis in sweep.axes)
    if count > MOST_POINTS:
        words, hint = f"are more than {MOST_POINTS:,} points", "Maybe use larger steps."
        refuse_change("too_many_points", "axes", count, words, nearest=MOST_POINTS, hint=hint)
    ends = [tuple(dict.fromkeys((axis.values[0], axis.values[-1]))) for axis in sweep.axes]
    wrong: Refusal | None = None
    for values in itertools.product(*ends):
        point: Point | None = None
        try:
            point = sweep.point(values, now=datetime.min, seed=0, work_units=0)
            point.scenario.apply(today.firm)
        except Refused as error:
            found = error.refusal
            if point is not None:
                found = found.model_copy(update={"field": f"axes.values.{found.field.rpartition('.')[2]}"})
            wrong = wrong or found
        else:
            return
    if wrong is not None:
        raise Refused(wrong)
