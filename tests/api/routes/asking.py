from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import httpx
from fastapi import FastAPI
from pydantic import SecretStr

from api.application import PREFIX, application
from api.delivery.delivering import Post, deliver_all
from api.jobs.applying import Applying
from api.roles import Role
from api.sealing import new_key
from api.settings import Settings
from api.store.database import Database
from api.store.loading import firm_at
from api.store.proposals import propose
from api.store.saving import create_firm
from api.store.solve_states import SolveAsk
from api.store.solves import claim, keep_incumbent
from api.store.tokens import create_token
from api.store.turn import Turn
from solver.batch import today
from solver.firm import Status, TaskType
from solver.plan import LoadChange, Move, Proposal
from tests.firms_for_tests import day, firm, person, task

NOW = datetime(2027, 3, 1, 14, 0, tzinfo=UTC)
"""09:00 in New York on a Monday."""


class Ask(NamedTuple):
    """One request; ``token`` is sent as it is."""

    method: str
    path: str
    body: Any = None
    token: str | None = None
    headers: dict[str, str] = {}  # noqa: RUF012


class Api:
    """The application over one database, asked through ASGI: two firms, whose people and tasks begin with their ids."""

    def __init__(self, database: Database) -> None:
        self.database, self.at = database, NOW
        for id in ("one", "two"):
            ann = person(f"{id}-ann", name=f"Ann {id.title()}")
            staff = (ann, *(person(f"{id}-p{i}") for i in range(3)))
            create_firm(database, id, firm(staff, (task(f"{id}-t", assignee=f"{id}-ann"),)), now=NOW, actor="test")
        settings = Settings(secret_keys=(SecretStr(new_key()),), private_webhooks=True)
        self.app: FastAPI = application(database, now=lambda: self.at, settings=settings)
        self.owner, self.foreign = self.token("one", Role.OWNER), self.token("two", Role.OWNER)

    def token(self, firm: str, role: Role, *, days: int = 30) -> str:
        whom = f"{firm}-ann" if role is Role.STAFF else None
        return create_token(self.database, firm, role, now=self.at, days=days, person=whom)

    def send(self, *asked: Ask) -> list[httpx.Response]:
        """Send requests all at once."""

        async def all_of_them() -> list[httpx.Response]:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                return list(await asyncio.gather(*(self._one(client, one) for one in asked)))

        return asyncio.run(all_of_them())

    async def _one(self, client: httpx.AsyncClient, one: Ask) -> httpx.Response:
        headers = {**one.headers, **({"Authorization": f"Bearer {one.token}"} if one.token else {})}
        body = {"content": one.body} if isinstance(one.body, bytes) else {"json": one.body}
        sent = {} if one.body is None else body
        return await client.request(one.method, PREFIX + one.path, headers=headers, **sent)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """Send one request as the owner of firm ``one``."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send(Ask(method, path, body, self.owner, sent))[0]

    def solved(self, id: str) -> None:
        """Have a solve of firm ``one`` that is done, without a search: its plan is what would happen in any case."""
        serving = self.app.state.serving
        with serving.turns.turn("one", now=self.at, actor="test") as turn:
            serving.jobs.start(turn, id, SolveAsk())
        claimed = claim(self.database, "one", id, "test", now=self.at)
        assert claimed is not None
        with self.database.reading("one") as session:
            plan = today(firm_at(session, claimed.version, marked=True), now=self.at)
        assert keep_incumbent(self.database, "one", id, "test", plan.model_dump_json(), now=self.at, final=True)
        Applying(self.database, serving.turns, "test", now=lambda: self.at).apply("one", id)

    def deliver(self, firm: str = "one") -> None:
        """Hand out and send whatever is due, as what serves requests does beside them."""
        here = self.app.state.serving
        deliver_all(Post(here.turns, here.seal, here.private_webhooks), firm, now=self.at)

    def later(self, **by: float) -> None:
        self.at += timedelta(**by)


def learnt(api: Api, firm: str = "one", *, count: int = 12, minutes: int = 120) -> str:
    """Let a firm have finished tasks of a type that take twice its default estimate; return the id of what is suggested."""
    kind, people = f"{firm}-learnt", (f"{firm}-ann", f"{firm}-p1")
    done = [
        task(
            f"{firm}-l{i}",
            hours=1,
            type=kind,
            assignee=people[i % 2],
            status=Status.DONE,
            completed_on=day(-30),
            logged_min=round(minutes * (0.97, 1.0, 1.03)[i % 3]),
        )
        for i in range(count)
    ]
    with api.app.state.serving.turns.turn(firm, now=api.at, actor="test") as turn:
        turn.put(TaskType(id=kind, skill="tax", default_estimate_min=60))
        turn.add(*done)
    token = api.token(firm, Role.READ_ONLY)
    found = api.send(Ask("GET", "/suggestions?kind=default_estimate", None, token))[0].json()["suggestions"]
    return next(str(one["id"]) for one in found if one["suggestion"]["type"] == kind)


def new(id: str, **more: Any) -> dict[str, Any]:
    """Return a task as it is sent."""
    return {"id": id, "type": "return", "client": "acme", "deadline": "2027-03-19", "estimate_min": 60, **more}


def proposed(api: Api, *tasks: str, firm: str = "one") -> list[str]:
    """Overload Ann of a firm with these tasks, and propose to give each to somebody else."""
    token, ann, other = api.token(firm, Role.OWNER), f"{firm}-ann", f"{firm}-p1"
    for id in tasks:
        placed = api.send(Ask("POST", "/tasks", new(id, estimate_min=900, requested_person=ann), token))[0]
        assert placed.json()["task"]["assignee"] == ann
    load = LoadChange(person=ann, before_min=0, after_min=0, capacity_min=0)
    made = [
        Proposal(
            id=f"{id}>{other}",
            moves=(Move(task=id, from_person=ann, to_person=other),),
            gain_min=1,
            gain_per_move_min=1,
            loads=(load,),
            reason=f"⟦{ann}⟧ has too much",
        )
        for id in tasks
    ]

    def act(turn: Turn) -> list[str]:
        for id in tasks:
            turn.change_task(id, requested_person=None)
        return propose(turn, made, plan=None)

    return list(api.app.state.serving.sharing.act(firm, act, now=api.at, actor="job"))


def problem(found: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Return a problem document that is whole, and says no more than it should."""
    assert found.status_code == status, found.text
    assert found.headers["content-type"] == "application/problem+json"
    document = dict(found.json())
    assert (document["status"], document["code"], document["type"]) == (status, code, "about:blank")
    assert document["title"]
    assert document["detail"]
    assert "Traceback" not in found.text
    assert "evh_" not in found.text or "evh_ID_SECRET_FIRM" in found.text
    return document
