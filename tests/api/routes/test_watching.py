from __future__ import annotations

import asyncio
import logging
from threading import Event

import httpx
import pytest

from api.application import PREFIX, application
from api.fairness import Rates
from api.roles import Role
from api.routes.watching import HEADERS
from api.settings import Settings
from api.store.database import Database
from tests.api.routes.asking import NOW, Api, Ask, new, problem


@pytest.fixture
def strict(api: Api) -> Api:
    """The same with low limits."""
    some = Settings(
        token_requests_per_min=5,
        firm_requests_per_min=8,
        address_requests_per_min=4,
        requests_at_once=4,
        firm_requests_at_once=2,
        requests_waiting=3,
    )
    api.app = application(api.database, now=lambda: api.at, settings=some)
    here = api.app.state.serving
    for rates in ("token_rates", "firm_rates", "address_rates"):
        # Its minute stands still, however long the machine takes: what is used up does not come back.
        setattr(here, rates, Rates(getattr(here, rates).per_min, tick=lambda: 0.0))
    return api


def seen(api: Api, token: str) -> None:
    """Let the process see that a token is good, which counts for its address."""
    assert api.send(Ask("GET", "/firm", token=token))[0].status_code == 200


def test_every_answer_has_safe_headers_and_an_id(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("api.routes.firms.figures", fail)
    for path, status in (("/health", 200), ("/tasks", 200), ("/nothing", 404), ("/firm", 500)):
        found = api.ask("GET", path)
        assert found.status_code == status
        assert all(found.headers[name] == value for name, value in HEADERS.items())
        assert len(found.headers["x-request-id"]) == 32
        assert "strict-transport-security" not in found.headers
    assert api.ask("GET", "/health", X_Request_ID="mine-1").headers["x-request-id"] == "mine-1"
    assert api.ask("GET", "/health", X_Request_ID="no id\t").headers["x-request-id"] != "no id\t"


def test_over_tls_it_is_said_that_it_stays_so(api: Api) -> None:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(api.app)
        async with httpx.AsyncClient(transport=transport, base_url="https://127.0.0.1") as client:
            return await client.get(f"{PREFIX}/health")

    assert "max-age" in asyncio.run(ask()).headers["strict-transport-security"]


def test_the_log_says_who_asked_what_and_no_secret(
    api: Api, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    api.ask("POST", "/tasks", new("a"))
    api.ask("GET", "/health")
    api.ask("GET", f"/tasks?cursor={api.owner}")
    lines = [record for record in caplog.records if record.name == "api.requests"]
    assert [(one.levelname, vars(one)["status"]) for one in lines] == [("INFO", 201), ("DEBUG", 200), ("INFO", 422)]
    first = vars(lines[0])
    assert (first["firm"], first["actor"], first["route"]) == (
        "one",
        f"token:{api.owner.split('_')[1]}",
        f"{PREFIX}/tasks",
    )
    assert api.owner.split("_")[2] not in str([vars(one) for one in lines])


def test_a_token_a_firm_and_an_address_have_their_share_of_a_minute(strict: Api) -> None:
    other, third = strict.token("one", Role.OWNER), strict.token("one", Role.OWNER)
    for token in (strict.owner, other, third):
        seen(strict, token)
    for _ in range(5):
        seen(strict, strict.owner)
    found = strict.send(Ask("GET", "/firm", token=strict.owner))[0]
    document = problem(found, 429, "too_many_requests")
    assert (document["field"], document["value"]) == ("token", strict.owner.split("_")[1])
    assert 1 <= int(found.headers["retry-after"]) <= 12
    for _ in range(3):
        seen(strict, other)
    assert problem(strict.send(Ask("GET", "/firm", token=third))[0], 429, "too_many_requests")["field"] == "firm"
    strict.send(Ask("GET", "/firm", token="x"))
    assert problem(strict.send(Ask("GET", "/firm", token="x"))[0], 429, "too_many_requests")["field"] == "address"
    assert strict.send(Ask("GET", "/health"))[0].status_code == 200  # watched over whatever else goes on


def test_a_firm_with_many_requests_lets_another_ones_through(strict: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six requests of one firm: two are stuck, three wait, one is refused; the other firm is answered meanwhile."""
    for token in (strict.owner, strict.foreign):
        seen(strict, token)
    reached, free = Event(), Event()
    real = strict.app.state.serving.turns.view

    def stuck(firm: str, **more: object) -> object:
        if firm == "one":
            reached.set()
            assert free.wait(300)
        return real(firm, **more)

    monkeypatch.setattr(strict.app.state.serving.turns, "view", stuck)

    async def scenario() -> tuple[list[int], int, str]:
        transport = httpx.ASGITransport(strict.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=300) as client:

            async def dry_run(token: str) -> int:
                headers = {"Authorization": f"Bearer {token}"}
                path = f"{PREFIX}/placements/dry-run"
                return (await client.post(path, json=new("x"), headers=headers)).status_code

            many = [asyncio.create_task(dry_run(strict.owner)) for _ in range(5)]
            while strict.app.state.serving.slots.waiting < 3 or not reached.is_set():
                await asyncio.sleep(0.001)
            refused = await dry_run(strict.owner)
            other = await dry_run(strict.foreign)
            figures = (await client.get("/metrics")).text
            assert other == 200
            free.set()
            return list(await asyncio.gather(*many)), refused, figures

    # The token's share of the minute is for another test.
    strict.app.state.serving.token_rates.per_min = 1_000
    strict.app.state.serving.token_rates._buckets.clear()
    answered, refused, figures = asyncio.run(scenario())
    assert (answered, refused) == ([200] * 5, 429)
    assert "evenhand_requests_working 2.0" in figures
    assert "evenhand_requests_waiting 3.0" in figures
    assert strict.app.state.serving.slots.held == 0


def test_tokens_made_up_in_a_firms_name_take_none_of_its_slots(strict: Api) -> None:
    false = f"evh_{'0' * 16}_{'0' * 64}_one"
    problem(strict.send(Ask("GET", "/firm", token=false))[0], 401, "token_invalid")
    assert strict.app.state.serving.good_tokens.firm(false) is None
    seen(strict, strict.owner)
    assert strict.app.state.serving.good_tokens.firm(strict.owner) == "one"


def figures(api: Api, *, client: tuple[str, int] = ("127.0.0.1", 1)) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(api.app, client=client)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as asking:
            return await asking.get("/metrics")

    return asyncio.run(ask())


def test_the_figures_count_decisions_and_what_waits(api: Api) -> None:
    for i in range(3):
        api.ask("POST", "/tasks", new(f"t{i}"))
    api.ask("POST", "/tasks", new("held", estimate_min=None))
    api.ask("POST", "/tasks", new("t0"))  # is there already
    api.later(seconds=90)
    found = figures(api)
    assert found.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = dict(line.rsplit(" ", 1) for line in found.text.splitlines() if not line.startswith("#"))
    assert lines['evenhand_decisions_total{kind="place",outcome="placed"}'] == "3.0"
    assert lines['evenhand_decisions_total{kind="place",outcome="held"}'] == "1.0"
    assert lines["evenhand_decision_seconds_count"] == "4.0"
    route = f'method="POST",route="{PREFIX}/tasks"'
    assert lines[f'evenhand_requests_total{{{route},status="201"}}'] == "4.0"
    assert lines[f'evenhand_requests_total{{{route},status="409"}}'] == "1.0"
    assert lines["evenhand_outbox_waiting"] == "4.0"
    assert lines["evenhand_outbox_oldest_seconds"] == "90.0"
    assert lines['evenhand_exceptions_open{kind="hold"}'] == "1.0"
    assert (lines["evenhand_firms"], lines["evenhand_database_up"]) == ("2.0", "1.0")
    for name in ("one", "two", "ann", "evh_"):
        assert f'"{name}' not in found.text


def test_the_figures_are_for_those_who_may_read_them(api: Api) -> None:
    assert figures(api, client=("10.1.2.3", 1)).status_code == 404
    api.app = application(api.database, now=lambda: NOW, settings=Settings(metrics_from=("10.0.0.0/8",)))
    assert figures(api, client=("10.1.2.3", 1)).status_code == 200
    assert figures(api, client=("127.0.0.1", 1)).status_code == 404


def test_the_figures_say_that_the_database_is_gone(api: Api) -> None:
    gone = api.database.url.set(host="127.0.0.1", port=9, database="gone", query={})
    if api.database.embedded:
        gone = api.database.url.set(database=f"{api.database.url.database}-gone/evenhand.db")
    api.app.state.serving.database = Database(gone.render_as_string(hide_password=False))
    assert "evenhand_database_up 0.0" in figures(api).text
