"""People and their skills: listed, read, created, replaced, leaving, removed; how much of each is free."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Response

from api.routes import parts
from api.routes.access import ChangingPeople, Here, ReadingPeople, actor
from api.routes.capacity import free_time
from api.routes.conditions import Expected, Key, etag
from api.routes.examples import LEAVINGS, PEOPLE, SKILLS
from api.routes.firm_models import Capacity, Leaving, PersonAnswer, PersonPage, SkillLevel
from api.routes.problems import answers
from api.serving import Serving
from api.store.part_listing import one_part
from api.store.parts import PartKind
from api.store.refusals import not_found
from api.store.tokens import Token
from api.store.turn import Turn
from solver.firm import Name, Person, Skill

router = APIRouter(prefix="/people", tags=["people"])

MOST_DAYS = 92
Id = Annotated[str, Path(alias="person", description="id of the person")]
SkillName = Annotated[Name, Path(alias="skill", description="name of the skill")]


@router.get("", operation_id="listPeople", summary="List people", responses=answers())
def people(
    caller: ReadingPeople,
    here: Here,
    team: Annotated[str | None, Query(max_length=200)] = None,
    level: Name | None = None,
    skill: Name | None = None,
    employed_on: Annotated[date | None, Query(description="who works here on that day")] = None,
    limit: parts.Limit = 50,
    after: parts.Cursor = None,
) -> PersonPage:
    """List people in the order they came."""

    def wanted(person: Person) -> bool:
        return (
            team in (None, person.team)
            and level in (None, person.level)
            and (skill is None or any(cell.skill == skill for cell in person.skills))
            and (employed_on is None or _employed(person, employed_on))
        )

    shown, more = parts.listed(here, caller, (PartKind.PERSON,), after, limit, wanted)
    return PersonPage(people=tuple(PersonAnswer(person=one.model, version=one.version) for one in shown), next=more)


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    operation_id="createPerson",
    summary="Create a person",
    responses=answers(400, 409),
)
def create(
    given: Annotated[Person, Body(openapi_examples=PEOPLE)],
    caller: ChangingPeople,
    here: Here,
    response: Response,
    key: Key = None,
) -> PersonAnswer:
    """Let somebody be part of the firm; work can go to them from their start date on."""
    version = parts.create(here, caller, key, given).version
    response.headers["ETag"] = etag(version)
    return PersonAnswer(person=given, version=version)


@router.get("/{person:path}/capacity", operation_id="getCapacity", summary="Read free minutes", responses=answers(404))
def capacity(
    id: Id,
    caller: ReadingPeople,
    here: Here,
    first_day: Annotated[date | None, Query(description="none: today")] = None,
    days: Annotated[int, Query(ge=1, le=MOST_DAYS)] = 28,
) -> Capacity:
    """Say how many minutes a person has on each day and week, what open work takes of them, and what is free."""
    standing = here.standings.of(caller.firm, now=here.now())
    return free_time(standing, id, first_day, days)


@router.post(
    "/{person:path}/leave",
    operation_id="letPersonLeave",
    summary="Set the last day of a person",
    responses=answers(400, 404, 412, 428),
)
def leave(
    id: Id,
    leaving: Annotated[Leaving, Body(openapi_examples=LEAVINGS)],
    caller: ChangingPeople,
    here: Here,
    expected: Expected,
    response: Response,
) -> PersonAnswer:
    """Say when somebody leaves: no work is promised after that day. What they still have is shown, and moved by proposals."""

    def left(person: Person) -> Person:
        return Person.model_validate({**person.model_dump(), "leave_date": leaving.last_day})

    return _changed(here, caller, id, expected, response, left)


@router.put(
    "/{person:path}/skills/{skill:path}",
    operation_id="putSkill",
    summary="Set a skill of a person",
    responses=answers(400, 404, 412, 428),
)
def put_skill(
    id: Id,
    skill: SkillName,
    level: Annotated[SkillLevel, Body(openapi_examples=SKILLS)],
    caller: ChangingPeople,
    here: Here,
    expected: Expected,
    response: Response,
) -> PersonAnswer:
    """Say that a person may do tasks that ask for a skill, and how fast."""
    cell = Skill(skill=skill, efficiency_pct=level.efficiency_pct, mismatch_min=level.mismatch_min)

    def with_it(person: Person) -> Person:
        others = tuple(one for one in person.skills if one.skill != cell.skill)
        return person.model_copy(update={"skills": (*others, cell)})

    return _changed(here, caller, id, expected, response, with_it)


@router.delete(
    "/{person:path}/skills/{skill:path}",
    operation_id="removeSkill",
    summary="Take a skill from a person",
    responses=answers(404, 412, 428),
)
def remove_skill(
    id: Id, skill: SkillName, caller: ChangingPeople, here: Here, expected: Expected, response: Response
) -> PersonAnswer:
    """Say that a person may not do tasks that ask for a skill any more; what they have of them is flagged."""

    def without_it(person: Person) -> Person:
        if all(one.skill != skill for one in person.skills):
            raise not_found("skill", skill, [one.skill for one in person.skills])
        return person.model_copy(update={"skills": tuple(one for one in person.skills if one.skill != skill)})

    return _changed(here, caller, id, expected, response, without_it)


@router.get("/{person:path}", operation_id="getPerson", summary="Read a person", responses=answers(404))
def person(id: Id, caller: ReadingPeople, here: Here, response: Response) -> PersonAnswer:
    """Read one person; the ETag is what a change asks for."""
    with here.database.reading(caller.firm) as session:
        found = one_part(session, PartKind.PERSON, id)
    response.headers["ETag"] = etag(found.version)
    return PersonAnswer(person=found.model, version=found.version)


@router.put(
    "/{person:path}",
    operation_id="replacePerson",
    summary="Replace a person",
    responses=answers(400, 404, 412, 428),
)
def replace(
    id: Id,
    given: Annotated[Person, Body(openapi_examples=PEOPLE)],
    caller: ChangingPeople,
    here: Here,
    expected: Expected,
    response: Response,
) -> PersonAnswer:
    """Say everything about a person anew: what is left out is empty from then on."""
    version = parts.replace(here, caller, id, given, expected)
    response.headers["ETag"] = etag(version)
    return PersonAnswer(person=given, version=version)


@router.delete(
    "/{person:path}",
    status_code=HTTPStatus.NO_CONTENT,
    operation_id="removePerson",
    summary="Remove a person",
    responses=answers(404, 409, 412, 428),
)
def remove(id: Id, caller: ChangingPeople, here: Here, expected: Expected) -> None:
    """Take out somebody who never worked here; who did gets a last day instead."""
    parts.remove(here, caller, PartKind.PERSON, id, expected)


def _employed(person: Person, day: date) -> bool:
    return (person.start_date or date.min) <= day <= (person.leave_date or date.max)


def _changed(
    here: Serving,
    caller: Token,
    id: str,
    expected: int | None,
    response: Response,
    change: Callable[[Person], Person],
) -> PersonAnswer:
    def act(turn: Turn) -> PersonAnswer:
        parts.require_part(turn, PartKind.PERSON, id)
        after = change(one_part(turn.session, PartKind.PERSON, id).model)
        version = turn.put(after, expected=expected)
        turn.compiled()
        return PersonAnswer(person=after, version=version)

    found = here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller))
    response.headers["ETag"] = etag(found.version)
    return found
