"""What-ifs that people keep: made, listed, read with what becomes of them on today's firm, changed, re-based, removed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Body, Path, Query, Response
from sqlalchemy.orm import Session

from api.routes import parts
from api.routes.access import Here, MakingScenarios, ReadingScenarios, actor
from api.routes.conditions import Expected, Key, Once, attempted, cursor, cursor_parts, etag
from api.routes.examples import SCENARIOS
from api.routes.problems import answers, problem
from api.routes.scenario_models import NewScenario, ScenarioAnswer, ScenarioPage, ScenarioRow
from api.serving import Serving
from api.store.draft import read_head
from api.store.loading import load_firm
from api.store.scenarios import (
    KeptScenario,
    add_scenario,
    change_scenario,
    one_scenario,
    remove_scenario,
    scenarios_before,
)
from api.store.scenarios_today import Today, on_today
from api.store.tokens import Token
from api.store.turn import Turn
from scenarios.changes import Scenario, known_changes
from scenarios.pinning import pinned
from scenarios.rebasing import applying
from solver.firm import Name
from solver.refusal import nearest_name

router = APIRouter(prefix="/scenarios", tags=["scenarios"])

Id = Annotated[str, Path(alias="scenario", description="id of the scenario")]
AT_ONCE = 200


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    operation_id="createScenario",
    summary="Create a scenario",
    responses=answers(400),
)
def create(
    given: Annotated[NewScenario, Body(openapi_examples=SCENARIOS)],
    caller: MakingScenarios,
    here: Here,
    response: Response,
    key: Key = None,
) -> ScenarioAnswer:
    """Keep a what-if. Its changes are tried on today's firm; nothing real is touched."""
    once = Once(caller, key, {"route": "scenario", "scenario": given.model_dump(mode="json")})
    checked, id = attempted(lambda: _checked(here, caller, given)), uuid4().hex

    def act(turn: Turn) -> str:
        kept = once.answered(turn)
        if kept is not None:
            return str(kept["id"])
        scenario, base_version = checked()
        add_scenario(turn, id, scenario, note=given.note, base_version=base_version)
        once.keep(turn, {"id": id})
        return id

    made = here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller))
    response.headers["Location"] = f"/api/v1/scenarios/{made}"
    return _read(here, caller, made, response)


@router.get("", operation_id="listScenarios", summary="List scenarios", responses=answers())
def scenarios(
    caller: ReadingScenarios,
    here: Here,
    search: Annotated[str | None, Query(max_length=200, description="in name or note, case ignored")] = None,
    change: Annotated[str | None, Query(max_length=50, description="with a change of this kind")] = None,
    person: Annotated[Name | None, Query(description="with a change that names this person by id")] = None,
    created_by: Annotated[Name | None, Query(description="id of a token or user, as in the answer")] = None,
    limit: parts.Limit = 50,
    before: parts.Cursor = None,
) -> ScenarioPage:
    """List scenarios, newest first."""
    if change is not None and change not in known_changes():
        near = nearest_name(change, known_changes())
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        raise problem(status, "unknown_reference", "change", change, "is no kind of change", nearest=near)

    def wanted(one: KeptScenario) -> bool:
        words = f"{one.scenario.name}\n{one.note}".casefold()
        return (
            (search is None or search.casefold() in words)
            and (change is None or any(each.change == change for each in one.scenario.changes))
            and (person is None or any(_names(each, person) for each in one.scenario.changes))
            and created_by in (None, one.created_by)
        )

    found: list[KeptScenario] = []
    with here.database.reading(caller.firm) as session:
        for one in _wanted(session, cursor_parts(before, int), wanted):
            found.append(one)
            if len(found) > limit:
                break
    shown = found[:limit]
    more = cursor(shown[-1].number) if len(found) > limit else None
    return ScenarioPage(scenarios=tuple(ScenarioRow.model_validate(_row(one)) for one in shown), next=more)


@router.get("/{scenario}", operation_id="getScenario", summary="Read a scenario", responses=answers(404))
def one(id: Id, caller: ReadingScenarios, here: Here, response: Response) -> ScenarioAnswer:
    """Read a scenario, and which of its changes still apply to today's firm, in which form, or why not."""
    return _read(here, caller, id, response)


@router.put(
    "/{scenario}",
    operation_id="replaceScenario",
    summary="Replace a scenario",
    responses=answers(400, 404, 412, 428),
)
def replace(
    id: Id,
    given: Annotated[NewScenario, Body(openapi_examples=SCENARIOS)],
    caller: MakingScenarios,
    here: Here,
    expected: Expected,
    response: Response,
) -> ScenarioAnswer:
    """Say everything about a scenario anew, for the firm of today."""
    with here.database.reading(caller.firm) as session:
        one_scenario(session, id)
    scenario, base_version = _checked(here, caller, given)

    def act(turn: Turn) -> None:
        change_scenario(turn, id, scenario, note=given.note, base_version=base_version, expected=expected)

    here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller))
    return _read(here, caller, id, response)


@router.post(
    "/{scenario}/rebase",
    operation_id="rebaseScenario",
    summary="Accept a scenario as it applies today",
    responses=answers(404, 409, 412, 428),
)
def rebase(id: Id, caller: MakingScenarios, here: Here, expected: Expected, response: Response) -> ScenarioAnswer:
    """Keep a scenario as it applies to today's firm: altered changes as they are altered, without those that do not apply."""
    with here.database.reading(caller.firm) as session:
        kept, today = _kept_today(here, caller, session, id)
    changes = applying(today.changes)
    if not changes:
        message, hint = "has no change that applies to today's firm", "Maybe remove it."
        raise problem(HTTPStatus.CONFLICT, "nothing_applies", "scenario", id, message, hint=hint)
    scenario = Scenario(name=kept.scenario.name, changes=changes)

    def act(turn: Turn) -> None:
        read = kept.version if expected is None else expected
        change_scenario(turn, id, scenario, note=kept.note, base_version=today.version, expected=read)

    here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller))
    return _read(here, caller, id, response)


@router.delete(
    "/{scenario}",
    status_code=HTTPStatus.NO_CONTENT,
    operation_id="removeScenario",
    summary="Remove a scenario",
    responses=answers(404, 412, 428),
)
def remove(id: Id, caller: MakingScenarios, here: Here, expected: Expected) -> None:
    """Remove a scenario, and with it the addresses of its runs."""

    def act(turn: Turn) -> None:
        remove_scenario(turn, id, expected=expected)

    here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller))


def _checked(here: Serving, caller: Token, given: NewScenario) -> tuple[Scenario, int]:
    """Return a scenario with ids in place of names, and the version of the firm that its changes can be made to."""
    with here.database.reading(caller.firm) as session:
        version, firm = read_head(session, caller.firm).version, load_firm(session)
    return Scenario(name=given.name, changes=pinned(firm, given.changes)), version


def _read(here: Serving, caller: Token, id: str, response: Response) -> ScenarioAnswer:
    with here.database.reading(caller.firm) as session:
        kept, today = _kept_today(here, caller, session, id)
    response.headers["ETag"] = etag(kept.version)
    return ScenarioAnswer.model_validate({**_row(kept), "firm_version": today.version, "today": today.changes})


def _kept_today(here: Serving, caller: Token, session: Session, id: str) -> tuple[KeptScenario, Today]:
    kept = one_scenario(session, id)
    return kept, on_today(session, caller.firm, kept.scenario.changes, kept.base_version, now=here.now())


def _wanted(
    session: Session, place: list[int] | None, wanted: Callable[[KeptScenario], bool]
) -> Iterator[KeptScenario]:
    """Yield the scenarios wanted, newest first, those before a number."""
    before = place[0] if place else None
    while some := scenarios_before(session, before, AT_ONCE):
        yield from filter(wanted, some)
        before = some[-1].number


def _names(change: object, person: str) -> bool:
    named = getattr(change, "person", None), *getattr(change, "people", ()), getattr(change, "like", None)
    return person in named


def _row(kept: KeptScenario) -> dict[str, object]:
    return {**kept._asdict(), "name": kept.scenario.name, "changes": kept.scenario.changes}
