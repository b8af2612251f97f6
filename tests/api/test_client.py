from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from pathlib import Path

import httpx
import pytest
import uvicorn
from pydantic import SecretStr

from api.application import application
from api.client import Client, Problem
from api.commands.serving import listening_on
from api.jobs.schedule import Due, Schedule
from api.roles import Role
from api.routes.delivery_models import NewWebhook
from api.routes.firm_models import NewToken, TimeOffEntry
from api.routes.models import TimeEntry
from api.routes.scenario_models import ReplayRun, SeasonRun
from api.routes.user_models import NewUser
from api.store.database import Database
from api.store.saving import create_firm
from api.store.solve_states import SolveAsk
from api.store.tokens import create_token
from solver.firm import Client as FirmClient
from solver.firm import Person, Skill, Task, TaskType
from tests.firms_for_tests import firm, person, task

NOW = datetime(2027, 3, 1, 14, 0, tzinfo=UTC)


@contextmanager
def listening(database: Database) -> Iterator[str]:
    """Answer requests on a socket of this machine, in a thread."""
    config = uvicorn.Config(application(database, now=lambda: NOW), lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    with listening_on("127.0.0.1", 0) as socket:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{socket.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


class Cut(httpx.SyncByteStream):
    """A stream whose line breaks within its second event."""

    def __init__(self, whole: httpx.Response) -> None:
        self.whole = whole

    def __iter__(self) -> Iterator[bytes]:
        said = self.whole.read()
        yield said[: said.index(b"id: 2") + 8]
        raise httpx.ReadError("reset")

    def close(self) -> None:
        self.whole.close()


class Flaky(httpx.HTTPTransport):
    """Sends requests on, and loses answers, or refuses, as told; keeps what was sent."""

    def __init__(self) -> None:
        super().__init__()
        self.failures: list[str] = []
        self.keys: list[str | None] = []
        self.last_event_ids: list[str | None] = []
        self.address = self.token = ""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.keys.append(request.headers.get("idempotency-key"))
        failure = self.failures.pop(0) if self.failures else ""
        if failure == "not sent":
            raise httpx.ConnectError("refused", request=request)
        if failure == "busy":
            body = b'{"type": "about:blank", "title": "Busy", "status": 503, "code": "busy", "detail": "Busy."}'
            headers = {"content-type": "application/problem+json", "retry-after": "1"}
            return httpx.Response(503, headers=headers, content=body)
        if failure == "proxy":
            return httpx.Response(502, content=b"<html>bad gateway</html>")
        found = super().handle_request(request)
        self.last_event_ids.append(request.headers.get("last-event-id"))
        if failure == "cut":
            return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=Cut(found))
        if failure == "lost":
            found.read()
            raise httpx.ReadError("reset", request=request)
        return found


@pytest.fixture
def flaky() -> Flaky:
    return Flaky()


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def client(database: Database, flaky: Flaky, pauses: list[float]) -> Iterator[Client]:
    staff = (person("ann", name="Ann One"), person("bob"))
    create_firm(database, "one", firm(staff, (task("t/0", assignee="ann"),)), now=NOW, actor="test")
    token = create_token(database, "one", Role.OWNER, now=NOW, days=1)
    with listening(database) as address, Client(address, token, wait=pauses.append, transport=flaky) as client:
        flaky.address, flaky.token = address, token
        yield client


def new(id: str) -> Task:
    return Task(id=id, type="return", client="acme", deadline=date(2027, 3, 19), estimate_min=60)


def test_a_task_is_placed_read_changed_worked_on_and_done(client: Client) -> None:
    tried = client.try_placing(new("a/1"))
    placed = client.place(new("a/1"))
    assert placed.decision == tried
    assert client.task("a/1").task == placed.task
    changed = client.change_task("a/1", version=placed.version, deadline=date(2027, 3, 22), priority="high")
    assert (changed.task.deadline, changed.task.priority) == (date(2027, 3, 22), "high")
    logged = client.log_time("a/1", TimeEntry(person="ann", day=date(2027, 3, 1), minutes=30))
    assert logged.task.logged_min == 30
    done = client.complete("a/1", version=logged.version)
    assert client.reopen("a/1", version=done.version).task.started
    assert client.cancel("a/1", version=None).task.status == "cancelled"
    assert client.why("t/0").explanation.label == "Ann One"
    assert client.why_not("t/0", "bob").answer.code == "price"
    assert client.decision(1).answer == placed.decision
    assert [one.task for one in client.decisions(task="a/1")] == ["a/1"]


def test_the_example_of_the_documents_runs(client: Client, flaky: Flaky, capsys: pytest.CaptureFixture[str]) -> None:
    text = (Path(__file__).parents[2] / "docs" / "http-api.md").read_text(encoding="utf-8")
    (example,) = re.findall("```python\n(.*?)```", text, re.DOTALL)
    exec(compile(example, "http-api.md", "exec"), {"ADDRESS": flaky.address, "TOKEN": flaky.token})
    placed, refused, *others = capsys.readouterr().out.splitlines()
    assert placed.startswith("bob bob has the most remaining hours")
    assert (refused, others) == ("unknown_reference client acme", ["return-2026 2027-03-15", "queued None"])


def test_lists_are_read_to_their_end(client: Client) -> None:
    answer = client.place_many([new(f"n{i}") for i in range(5)])
    assert (answer.taken, answer.refused) == (5, 0)
    assert [one.task.id for one in client.tasks(limit=2)] == ["t/0", "n0", "n1", "n2", "n3", "n4"]
    assert [one.task.id for one in client.tasks(limit=1, open=True, due_until=date(2027, 3, 10))] == ["t/0"]
    assert [one.person.id for one in client.people(limit=1)] == ["ann", "bob"]
    assert [one.client.id for one in client.clients()] == ["acme"]
    assert [one.task_type.id for one in client.task_types()] == ["return"]


def test_the_firm_is_changed_and_its_files_come_and_go(client: Client) -> None:
    dana = client.create_person(Person(id="dana", level="senior", skills=(Skill(skill="tax"),)))
    replaced = client.replace_person(dana.person.model_copy(update={"team": "tax"}), version=dana.version)
    assert client.let_leave("dana", date(2027, 6, 30), version=replaced.version).person.team == "tax"
    off = TimeOffEntry(kind="time_off", person="dana", first_day=date(2027, 3, 2), last_day=date(2027, 3, 2))
    entry = client.create_entry(off)
    assert [day.free_min for day in client.capacity("dana", days=2).days] == [480, 0]
    client.remove_entry(entry.id, version=entry.version)
    assert client.restore_entry(entry.id).entry == off
    assert [one.id for one in client.calendar(person="dana")] == [entry.id]
    policy = client.policy()
    assert client.replace_policy(policy.policy, reason="again", version=policy.version).policy == policy.policy
    assert client.metrics().metrics.firm.load_min == 240
    assert client.create_client(FirmClient(id="birch", name="Birch LLC")).client.name == "Birch LLC"
    assert client.create_task_type(TaskType(id="990", skill="tax")).task_type.skill == "tax"
    assert [one.client.id for one in client.clients(search="bir")] == ["birch"]
    assert [one.task_type.id for one in client.task_types(limit=1)] == ["return", "990"]
    content = client.export_files("xlsx")
    assert client.import_files(content, "xlsx", dry_run=True).rejects == ()
    assert client.firm().people == 3


def test_a_problem_is_an_exception_with_its_parts(client: Client) -> None:
    with pytest.raises(Problem, match="is not known") as refused:
        client.place(new("a").model_copy(update={"client": "acne"}))
    error = refused.value
    assert (error.status, error.code, error.field, error.value, error.nearest) == (
        422, "unknown_reference", "client", "acne", "acme",
    )  # fmt: skip
    with pytest.raises(Problem) as stale:
        client.change_task("t/0", version=1, priority="low")
    assert stale.value.code == "changed"


def test_an_answer_that_is_lost_is_asked_for_again_with_the_same_key(
    client: Client, flaky: Flaky, pauses: list[float]
) -> None:
    flaky.failures = ["not sent", "lost", "busy", "proxy"]
    placed = client.place(new("a"))
    assert len(flaky.keys) == 5
    assert len(set(flaky.keys)) == 1
    assert flaky.keys[0]
    assert pauses == [0.2, 0.4, 1.0, 1.6]
    assert client.firm().decisions == placed.decision_number == 1


def test_a_change_is_sent_again_only_where_it_cannot_have_been_done(client: Client, flaky: Flaky) -> None:
    flaky.failures = ["not sent", "busy"]
    assert client.change_task("t/0", version=None, priority="high").task.priority == "high"
    assert len(flaky.keys) == 3
    flaky.failures = ["lost"]
    with pytest.raises(httpx.ReadError):
        client.change_task("t/0", version=None, priority="low")
    assert client.task("t/0").task.priority == "low"
    flaky.failures = ["proxy"]
    with pytest.raises(Problem) as between:
        client.change_task("t/0", version=None, priority="high")
    assert (between.value.code, between.value.status) == ("not_evenhand", 502)


def test_who_stays_away_is_given_up(client: Client, flaky: Flaky, pauses: list[float]) -> None:
    flaky.failures = ["not sent"] * 5
    with pytest.raises(httpx.ConnectError):
        client.firm()
    flaky.failures = ["busy"] * 5
    with pytest.raises(Problem) as busy:
        client.firm()
    assert busy.value.status == 503
    assert len(pauses) == 8


def test_a_solve_is_watched_to_its_end_though_the_line_breaks(
    client: Client, flaky: Flaky, pauses: list[float]
) -> None:
    started = client.start_solve(SolveAsk(seconds=5))
    assert (started.state, client.solve(started.id).position) == ("queued", 1)
    assert client.cancel_solve(started.id).state == "cancelled"
    assert [one.id for one in client.solves()] == [started.id]
    flaky.failures, flaky.last_event_ids = ["cut"], []
    steps = list(client.watch_solve(started.id))
    assert [(step.number, step.state) for step in steps] == [(1, "queued"), (2, "cancelled")]
    assert flaky.last_event_ids == ["0", "1", "2"]  # the last one is told that there is no more
    assert len(pauses) == 1
    with pytest.raises(Problem) as refused:
        client.solve_result(started.id)
    assert refused.value.code == "no_result"
    with pytest.raises(Problem) as nothing:
        list(client.watch_solve("none"))
    assert nothing.value.status == 404
    night = client.schedule(Due.NIGHT)
    later = client.put_schedule(Due.NIGHT, Schedule(at=time(3, 30)), version=night.version)
    assert client.schedules().schedules[0] == later


def test_what_waits_is_estimated_tried_again_ended_and_read(client: Client) -> None:
    held = client.place(new("h").model_copy(update={"estimate_min": None}))
    assert [one.number for one in client.holds(open=True)] == [held.decision_number]
    assert client.estimate(held.decision_number, 60).task.assignee is not None
    assert client.hold(held.decision_number).closed_at is not None
    late = client.place(new("e").model_copy(update={"estimate_min": 900, "deadline": date(2027, 3, 1)}))
    (waits,) = client.escalations(open=True)
    assert client.escalation(waits.number).decision.ways_out == late.decision.ways_out
    assert client.retry_all().placed == ()
    assert client.retry(waits.number).decision.outcome == "escalated"
    assert client.end_escalation(waits.number, "the client agreed").number == waits.number
    assert client.verify_decisions().whole
    assert client.replay_decision(held.decision_number).same
    assert list(client.proposals(waiting=True)) == []
    with pytest.raises(Problem) as nothing:
        client.approve("none", version=None)
    assert nothing.value.code == "not_found"
    assert list(client.inbox(unread=True)) == []
    assert client.mark_read([1]).marked == 0
    assert client.learned().types == ()
    assert list(client.suggestions()) == []


def test_runs_of_the_firm_are_started_watched_and_cancelled(client: Client) -> None:
    run = client.start_firm_run(SeasonRun(kind="season", days=30))
    assert (client.firm_run(run.id), [one.id for one in client.firm_runs(kind="season")]) == (run, [run.id])
    assert list(client.firm_run_points(run.id)) == []
    assert client.cancel_firm_run(run.id).state == "cancelled"
    assert [step.state for step in client.watch_firm_run(run.id)] == ["queued", "cancelled"]
    for read in (client.firm_run_result, client.firm_run_report):
        with pytest.raises(Problem) as refused:
            read(run.id)
        assert refused.value.code == "no_result"
    with pytest.raises(Problem) as early:
        client.start_firm_run(ReplayRun(kind="replay", first_day=date(2027, 3, 1), last_day=date(2027, 3, 1)))
    assert early.value.code == "not_over"


def test_users_tokens_and_webhooks_are_kept(client: Client) -> None:
    user = client.create_user(
        NewUser(login="d@example.com", password=SecretStr("correct horse battery"), role=Role.OWNER)
    )
    changed = client.change_user(user.id, version=user.version, role=Role.READ_ONLY)
    assert [one.role for one in client.users()] == [Role.READ_ONLY]
    assert client.reset_password(user.id, "incorrect zebra current").version == changed.version + 1
    assert list(client.sign_ins()) == []
    token = client.create_token(NewToken(role=Role.READ_ONLY))
    client.revoke_token(token.id)
    assert [one.id for one in client.tokens().tokens if one.revoked_at is not None] == [token.id]
    assert client.person_data("ann").person.name == "Ann One"
    erased = client.erase_person("ann", version=client.person("ann").version)
    assert (erased.person, client.person("ann").person.name) == ("ann", "")
    with pytest.raises(Problem) as refused:
        client.register_webhook(NewWebhook(url="http://127.0.0.1:9"))
    assert refused.value.field == "url"
    assert client.webhooks().webhooks == ()
    assert (client.health().status, client.readiness().status) == ("ok", "ok")
    assert client.version().version
