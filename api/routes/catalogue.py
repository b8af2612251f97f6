"""Clients and task types: what work is for, and what it asks of people."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Response

from api.routes import parts
from api.routes.access import ChangingClients, Here, ReadingWork
from api.routes.conditions import Expected, Key, etag
from api.routes.examples import CLIENTS, TASK_TYPES
from api.routes.firm_models import ClientAnswer, ClientPage, TaskTypeAnswer, TaskTypePage
from api.routes.problems import answers
from api.store.part_listing import one_part
from api.store.parts import PartKind
from solver.firm import Client, Name, TaskType
from solver.policy import ValueTier

router = APIRouter()

ClientId = Annotated[str, Path(alias="client", description="id of the client")]
TypeId = Annotated[str, Path(alias="task_type", description="id of the task type")]


@router.get("/clients", tags=["clients"], operation_id="listClients", summary="List clients", responses=answers())
def clients(
    caller: ReadingWork,
    here: Here,
    tier: ValueTier | None = None,
    usual_person: Name | None = None,
    search: Annotated[str | None, Query(max_length=200, description="part of id or name")] = None,
    limit: parts.Limit = 50,
    after: parts.Cursor = None,
) -> ClientPage:
    """List clients in the order they came."""
    text = (search or "").casefold()

    def wanted(client: Client) -> bool:
        return (
            tier in (None, client.tier)
            and usual_person in (None, client.usual_person)
            and (text in client.id.casefold() or text in client.name.casefold())
        )

    shown, more = parts.listed(here, caller, (PartKind.CLIENT,), after, limit, wanted)
    return ClientPage(clients=tuple(ClientAnswer(client=one.model, version=one.version) for one in shown), next=more)


@router.post(
    "/clients",
    tags=["clients"],
    status_code=HTTPStatus.CREATED,
    operation_id="createClient",
    summary="Create a client",
    responses=answers(400, 409),
)
def create_client(
    given: Annotated[Client, Body(openapi_examples=CLIENTS)],
    caller: ChangingClients,
    here: Here,
    response: Response,
    key: Key = None,
) -> ClientAnswer:
    """Take in a client, for whom tasks can come from then on."""
    version = parts.create(here, caller, key, given).version
    response.headers["ETag"] = etag(version)
    return ClientAnswer(client=given, version=version)


@router.get(
    "/clients/{client:path}",
    tags=["clients"],
    operation_id="getClient",
    summary="Read a client",
    responses=answers(404),
)
def client(id: ClientId, caller: ReadingWork, here: Here, response: Response) -> ClientAnswer:
    """Read one client; the ETag is what a change asks for."""
    with here.database.reading(caller.firm) as session:
        found = one_part(session, PartKind.CLIENT, id)
    response.headers["ETag"] = etag(found.version)
    return ClientAnswer(client=found.model, version=found.version)


@router.put(
    "/clients/{client:path}",
    tags=["clients"],
    operation_id="replaceClient",
    summary="Replace a client",
    responses=answers(400, 404, 412, 428),
)
def replace_client(
    id: ClientId,
    given: Annotated[Client, Body(openapi_examples=CLIENTS)],
    caller: ChangingClients,
    here: Here,
    expected: Expected,
    response: Response,
) -> ClientAnswer:
    """Say everything about a client anew: what is left out is empty from then on."""
    version = parts.replace(here, caller, id, given, expected)
    response.headers["ETag"] = etag(version)
    return ClientAnswer(client=given, version=version)


@router.delete(
    "/clients/{client:path}",
    tags=["clients"],
    status_code=HTTPStatus.NO_CONTENT,
    operation_id="removeClient",
    summary="Remove a client",
    responses=answers(404, 409, 412, 428),
)
def remove_client(id: ClientId, caller: ChangingClients, here: Here, expected: Expected) -> None:
    """Take out a client for whom there never was a task."""
    parts.remove(here, caller, PartKind.CLIENT, id, expected)


@router.get(
    "/task-types", tags=["task types"], operation_id="listTaskTypes", summary="List task types", responses=answers()
)
def task_types(
    caller: ReadingWork,
    here: Here,
    skill: Name | None = None,
    limit: parts.Limit = 50,
    after: parts.Cursor = None,
) -> TaskTypePage:
    """List task types in the order they came."""
    kinds = (PartKind.TASK_TYPE,)
    shown, more = parts.listed(here, caller, kinds, after, limit, lambda kind: skill in (None, kind.skill))
    types = tuple(TaskTypeAnswer(task_type=one.model, version=one.version) for one in shown)
    return TaskTypePage(task_types=types, next=more)


@router.post(
    "/task-types",
    tags=["task types"],
    status_code=HTTPStatus.CREATED,
    operation_id="createTaskType",
    summary="Create a task type",
    responses=answers(400, 409),
)
def create_type(
    given: Annotated[TaskType, Body(openapi_examples=TASK_TYPES)],
    caller: ChangingClients,
    here: Here,
    response: Response,
    key: Key = None,
) -> TaskTypeAnswer:
    """Describe a kind of work: its skill, its usual length, who may do and review it."""
    version = parts.create(here, caller, key, given).version
    response.headers["ETag"] = etag(version)
    return TaskTypeAnswer(task_type=given, version=version)


@router.get(
    "/task-types/{task_type:path}",
    tags=["task types"],
    operation_id="getTaskType",
    summary="Read a task type",
    responses=answers(404),
)
def task_type(id: TypeId, caller: ReadingWork, here: Here, response: Response) -> TaskTypeAnswer:
    """Read one task type; the ETag is what a change asks for."""
    with here.database.reading(caller.firm) as session:
        found = one_part(session, PartKind.TASK_TYPE, id)
    response.headers["ETag"] = etag(found.version)
    return TaskTypeAnswer(task_type=found.model, version=found.version)


@router.put(
    "/task-types/{task_type:path}",
    tags=["task types"],
    operation_id="replaceTaskType",
    summary="Replace a task type",
    responses=answers(400, 404, 412, 428),
)
def replace_type(
    id: TypeId,
    given: Annotated[TaskType, Body(openapi_examples=TASK_TYPES)],
    caller: ChangingClients,
    here: Here,
    expected: Expected,
    response: Response,
) -> TaskTypeAnswer:
    """Say everything about a task type anew; open tasks of it are judged by that from then on."""
    version = parts.replace(here, caller, id, given, expected)
    response.headers["ETag"] = etag(version)
    return TaskTypeAnswer(task_type=given, version=version)


@router.delete(
    "/task-types/{task_type:path}",
    tags=["task types"],
    status_code=HTTPStatus.NO_CONTENT,
    operation_id="removeTaskType",
    summary="Remove a task type",
    responses=answers(404, 409, 412, 428),
)
def remove_type(id: TypeId, caller: ChangingClients, here: Here, expected: Expected) -> None:
    """Take out a task type that no task ever had."""
    parts.remove(here, caller, PartKind.TASK_TYPE, id, expected)
