from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher
from sqlalchemy import text, update

from api import passwords
from api.application import PREFIX
from api.fairness import Rates
from api.roles import HELD_TO_TEAM, RIGHTS, Right, Role
from api.store.database import FIRM_SETTING
from api.store.parts import PartKind
from api.store.proposals import propose
from api.store.reach import Actor
from api.store.refusals import NotFound, OutOfReach, Taken
from api.store.sessions import FIRST_WAIT, FREE_FAILURES, LONGEST_WAIT
from api.store.tables import ExceptionRecord
from api.store.tokens import create_token
from api.store.users import create_user, disable_user, set_password, sign_ins_of, users_of
from solver.firm import Client, TimeOff
from solver.plan import LoadChange, Move, Proposal
from solver.refusal import Refused
from tests.api.routes.asking import NOW, Api, Ask, new, problem
from tests.firms_for_tests import day, person, task

PASSWORD, OTHER = "correct horse battery", "staple correct horse"
LOGIN = "Dana@Example.com"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real algorithm with little memory: what a hash costs is for the settings, not for these tests."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    monkeypatch.setattr(passwords, "_nobodys", "")


@pytest.fixture
def signing(api: Api) -> Api:
    create_user(api.database, "one", LOGIN, PASSWORD, Role.OPERATIONS, now=NOW)
    return api


class Browser:
    """Sends cookies back as a browser does; not the CSRF token, unless told to."""

    def __init__(self, api: Api, *, scheme: str = "http") -> None:
        self.api, self.base = api, f"{scheme}://127.0.0.1"
        self.cookies, self.csrf = httpx.Cookies(), ""

    def ask(self, method: str, path: str, body: Any = None, **headers: str | bytes) -> httpx.Response:
        sent = [(name.encode(), one.encode() if isinstance(one, str) else one) for name, one in headers.items()]

        async def one() -> httpx.Response:
            transport = httpx.ASGITransport(self.api.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=self.base, cookies=self.cookies) as client:
                found = await client.request(method, PREFIX + path, json=body, headers=sent)
                self.cookies = client.cookies
                return found

        return asyncio.run(one())

    def sign_in(self, login: str = LOGIN, password: str = PASSWORD, firm: str = "one") -> httpx.Response:
        found = self.ask("POST", "/session", {"firm": firm, "login": login, "password": password})
        if found.status_code == 201:
            self.csrf = found.json()["csrf_token"]
        return found

    def change(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return self.ask(method, path, body, **{"X-CSRF-Token": self.csrf}, **headers)


def test_who_signs_in_works_until_they_sign_out(signing: Api) -> None:
    browser = Browser(signing)
    found = browser.sign_in(" dana@EXAMPLE.com ")
    assert found.status_code == 201, found.text
    document = found.json()
    assert (document["firm"], document["role"], document["person"], document["team"]) == (
        "one",
        "operations",
        None,
        None,
    )
    placed = browser.change("POST", "/tasks", new("a"))
    assert placed.status_code == 201
    assert signing.ask("GET", f"/decisions/{placed.json()['decision_number']}").json()["actor"] == (
        f"user:{document['user']}"
    )
    assert browser.ask("GET", "/session").json() == document
    kept = httpx.Cookies(browser.cookies)
    assert browser.change("DELETE", "/session").status_code == 204
    assert not browser.cookies
    browser.cookies = kept  # as somebody would who has copied it
    problem(browser.ask("GET", "/tasks"), 401, "session_ended")


def test_the_cookie_is_for_this_host_and_no_script(signing: Api) -> None:
    plain = Browser(signing).sign_in().headers["set-cookie"]
    assert plain.startswith("evenhand=evs_")
    for part in ("HttpOnly", "SameSite=strict", "Path=/", "Max-Age=43200"):
        assert part in plain
    assert "Secure" not in plain
    assert "Domain" not in plain
    secure = Browser(signing, scheme="https")
    found = secure.sign_in().headers["set-cookie"]
    assert found.startswith("__Host-evenhand=evs_")
    assert "Secure" in found
    assert secure.ask("GET", "/session").status_code == 200


def test_what_another_site_makes_a_browser_ask_for_changes_nothing(signing: Api) -> None:
    browser = Browser(signing)
    browser.sign_in()
    other = Browser(signing)
    other.sign_in()
    problem(browser.ask("POST", "/tasks", new("a")), 403, "csrf")
    for sent in (b"x", other.csrf.encode(), b"\xfc"):
        problem(browser.ask("POST", "/tasks", new("a"), **{"X-CSRF-Token": sent}), 403, "csrf")
    problem(browser.ask("DELETE", "/session"), 403, "csrf")
    problem(signing.ask("GET", "/tasks/a"), 404, "not_found")
    assert browser.ask("GET", "/tasks").status_code == 200


def test_every_wrong_attempt_is_answered_alike_and_kept_for_the_audit(signing: Api) -> None:
    disable = create_user(signing.database, "one", "gone@example.com", PASSWORD, Role.OWNER, now=NOW)
    disable_user(signing.database, "one", "gone@example.com", now=NOW)
    answers_ = set()
    for login, password, firm in (
        (LOGIN, OTHER, "one"),
        (LOGIN, PASSWORD, "two"),
        (LOGIN, PASSWORD, "nobody"),
        ("nobody@example.com", PASSWORD, "one"),
        ("not printable\t", PASSWORD, "one"),
        ("gone@example.com", PASSWORD, "one"),
    ):
        found = Browser(signing).sign_in(login, password, firm)
        answers_.add(str(problem(found, 401, "sign_in_failed")))
        assert "set-cookie" not in found.headers
    assert len(answers_) == 1
    Browser(signing).sign_in()
    with signing.database.reading("one") as session:
        found_ = sign_ins_of(session)
        (dana,) = [one.id for one in users_of(session) if one.login == LOGIN.lower()]
    assert sorted((one.user, one.outcome) for one in found_ if one.user) == sorted(
        [(dana, "password"), (dana, "signed in"), (disable.id, "disabled")]
    )
    assert [one.outcome for one in found_ if one.user is None] == ["unknown"] * 2
    assert {one.address for one in found_} == {"127.0.0.1"}


def test_who_tries_too_often_waits_longer_each_time_and_is_let_in_after_it(signing: Api) -> None:
    signing.app.state.serving.sign_in_rates.per_min = 1_000
    signing.app.state.serving.sign_in_rates._buckets.clear()
    for _ in range(FREE_FAILURES):
        problem(Browser(signing).sign_in(password=OTHER), 401, "sign_in_failed")
    problem(Browser(signing).sign_in(), 401, "sign_in_failed")  # right, and has to wait
    signing.at += FIRST_WAIT - timedelta(seconds=1)
    problem(Browser(signing).sign_in(), 401, "sign_in_failed")
    signing.later(seconds=1)
    problem(Browser(signing).sign_in(password=OTHER), 401, "sign_in_failed")
    signing.at += FIRST_WAIT
    problem(Browser(signing).sign_in(), 401, "sign_in_failed")  # twice as long now
    signing.at += FIRST_WAIT
    assert Browser(signing).sign_in().status_code == 201
    for _ in range(FREE_FAILURES - 1):
        problem(Browser(signing).sign_in(password=OTHER), 401, "sign_in_failed")
    assert Browser(signing).sign_in().status_code == 201  # counted anew


def test_a_clock_that_went_back_locks_nobody_out_for_longer(signing: Api) -> None:
    for _ in range(FREE_FAILURES):
        Browser(signing).sign_in(password=OTHER)
    signing.at -= timedelta(days=400)
    assert Browser(signing).sign_in().status_code == 201
    signing.at = NOW
    for _ in range(FREE_FAILURES):
        Browser(signing).sign_in(password=OTHER)
    signing.at -= LONGEST_WAIT / 2
    problem(Browser(signing).sign_in(), 401, "sign_in_failed")


def test_an_address_that_tries_everything_is_told_to_wait(signing: Api) -> None:
    rates = Rates(20, tick=lambda: 0.0)
    for _ in range(rates.per_min):
        rates.take("127.0.0.1")
    signing.app.state.serving.sign_in_rates = rates
    found = Browser(signing).sign_in()
    problem(found, 429, "too_many_sign_ins")
    assert int(found.headers["retry-after"]) >= 1


def test_a_session_of_a_clock_that_was_fast_ends_once_it_is_right(signing: Api) -> None:
    slightly = Browser(signing)
    slightly.sign_in()
    signing.later(minutes=-4)
    assert slightly.ask("GET", "/tasks").status_code == 200
    signing.later(days=300)
    fast = Browser(signing)
    fast.sign_in()
    assert fast.ask("GET", "/tasks").status_code == 200
    signing.later(days=-300)
    problem(fast.ask("GET", "/tasks"), 401, "session_expired")


def test_a_session_ends_when_it_is_idle_old_or_its_user_goes(signing: Api) -> None:
    idle, old, gone, changed = (Browser(signing) for _ in range(4))
    for browser in (idle, old, gone, changed):
        browser.sign_in()
    signing.later(minutes=59)
    assert old.ask("GET", "/tasks").status_code == 200
    signing.later(minutes=1)
    problem(idle.ask("GET", "/tasks"), 401, "session_expired")
    for _ in range(13):
        signing.later(minutes=50)
        last = old.ask("GET", "/tasks").status_code
    assert signing.at < NOW + timedelta(hours=12)
    assert last == 200
    signing.at = NOW + timedelta(hours=12)
    problem(old.ask("GET", "/tasks"), 401, "session_expired")
    signing.at = NOW
    set_password(signing.database, "one", LOGIN, OTHER, now=NOW)
    problem(changed.ask("GET", "/tasks"), 401, "session_ended")
    gone.sign_in(password=OTHER)
    disable_user(signing.database, "one", LOGIN, now=NOW)
    problem(gone.ask("GET", "/tasks"), 401, "session_ended")


def test_people_change_their_password_and_other_sessions_end(signing: Api) -> None:
    here, elsewhere = Browser(signing), Browser(signing)
    here.sign_in()
    elsewhere.sign_in()
    wrong = here.change("POST", "/session/password", {"old": OTHER, "new": "another password"})
    problem(wrong, 401, "sign_in_failed")
    short = problem(here.change("POST", "/session/password", {"old": PASSWORD, "new": "short"}), 422, "password")
    assert (short["value"], short["nearest"]) == ("(not shown)", "12 characters")
    changed = here.change("POST", "/session/password", {"old": PASSWORD, "new": OTHER})
    assert changed.status_code == 204
    assert here.ask("GET", "/session").status_code == 200
    problem(elsewhere.ask("GET", "/session"), 401, "session_ended")
    problem(Browser(signing).sign_in(), 401, "sign_in_failed")
    assert Browser(signing).sign_in(password=OTHER).status_code == 201


def test_a_token_is_no_session_and_no_session_is_made_up(signing: Api) -> None:
    problem(signing.ask("GET", "/session"), 403, "no_session")
    browser = Browser(signing)
    browser.sign_in()
    (cookie,) = browser.cookies.jar
    assert cookie.value is not None
    kind, id, secret, firm = cookie.value.split("_")
    for made_up in ("x", f"{kind}_{id}_{'0' * 64}_{firm}", f"{kind}_{id}_{secret}_two", f"evh_{id}_{secret}_{firm}"):
        browser.cookies = httpx.Cookies({"evenhand": made_up})
        problem(browser.ask("GET", "/tasks"), 401, "session_invalid")
    problem(signing.send(Ask("GET", "/tasks", token=cookie.value))[0], 401, "token_invalid")


def test_neither_passwords_nor_sessions_are_stored_or_logged(
    signing: Api, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    browser = Browser(signing)
    browser.sign_in()
    (cookie,) = browser.cookies.jar
    browser.sign_in(password=OTHER)
    browser.ask("POST", "/session", {"firm": "one", "login": LOGIN, "password": PASSWORD, "more": 1})
    browser.change("POST", "/session/password", {"old": PASSWORD, "new": OTHER})

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("api.routes.sessions.sign_in", fail)
    problem(browser.sign_in(), 500, "defect")
    said = caplog.text + str([vars(one) for one in caplog.records])
    with signing.database.engine.connect() as connection:
        if not signing.database.embedded:
            connection.execute(text("select set_config(:name, 'one', true)"), {"name": FIRM_SETTING})
        stored = str([connection.execute(text(f"select * from {name}")).all() for name in ("users", "sessions")])
    assert len(re.findall(r"\$argon2id\$", stored)) == 1
    assert cookie.value is not None
    for secret in (PASSWORD, OTHER, cookie.value.split("_")[2], browser.csrf):
        assert secret not in said
        assert secret not in stored


def test_users_are_made_for_those_who_are_there(signing: Api) -> None:
    database = signing.database
    with pytest.raises(Taken, match=r"dana@example\.com"):
        create_user(database, "one", "DANA@example.com", PASSWORD, Role.OWNER, now=NOW)
    with pytest.raises(NotFound, match='Nearest: "one-ann"'):
        create_user(database, "one", "ann", PASSWORD, Role.STAFF, now=NOW, person="one-an")
    with pytest.raises(NotFound, match="team"):
        create_user(database, "one", "ann", PASSWORD, Role.MANAGER, now=NOW, team="tax")
    for role, more in ((Role.STAFF, {}), (Role.OWNER, {"person": "one-ann"}), (Role.OWNER, {"team": "tax"})):
        with pytest.raises(Refused, match="no other"):
            create_user(database, "one", "ann", PASSWORD, role, now=NOW, **more)
    for login in ("", "a b", "a\x01b", "a" * 201):
        with pytest.raises(Refused, match="login"):
            create_user(database, "one", login, PASSWORD, Role.OWNER, now=NOW)
    for password in ("short", "x" * 201):
        with pytest.raises(Refused, match="12 to 200") as caught:
            create_user(database, "one", "ann", password, Role.OWNER, now=NOW)
        assert password not in str(caught.value)
    with pytest.raises(NotFound, match="login"):
        disable_user(database, "one", "nobody", now=NOW)
    create_user(database, "two", LOGIN, PASSWORD, Role.OWNER, now=NOW)  # another firm's logins are others


def test_a_password_is_the_same_however_it_is_typed_and_hashes_are_strong(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = passwords.hashed("cafe\u0301 au lait noir")
    assert passwords.is_right("caf\u00e9 au lait noir", kept)
    assert not passwords.is_right("cafe au lait noir", kept)
    assert not passwords.is_right("cafe au lait noir", None)
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher())
    assert passwords.is_outdated(kept)  # and is made anew when its owner signs in
    strong = passwords.hashed(PASSWORD)
    assert strong.startswith("$argon2id$")
    assert int(re.findall(r"m=(\d+)", strong)[0]) >= 65_536
    assert passwords.is_right(PASSWORD, strong)


# A manager of a team


@pytest.fixture
def teams(api: Api) -> Api:
    """Firm ``one`` with two teams; ``one-ann`` and ``one-p0`` are of team north, ``one-p1`` of south."""
    with api.app.state.serving.turns.turn("one", now=NOW, actor="test") as turn:
        for id, team in (("one-ann", "north"), ("one-p0", "north"), ("one-p1", "south")):
            turn.put(person(id, team=team))
        turn.add(task("south-t", assignee="one-p1"))
        turn.place(task("held", hours=None))
    return api


def manager(api: Api) -> str:
    return create_token(api.database, "one", Role.MANAGER, now=NOW, days=1, team="north")


def test_a_manager_of_a_team_changes_its_work_and_what_nobody_has(teams: Api) -> None:
    token, any_version = manager(teams), {"If-Match": "*"}

    def send(method: str, path: str, body: Any = None) -> httpx.Response:
        return teams.send(Ask(method, path, body, token, any_version))[0]

    assert send("PATCH", "/tasks/one-t", {"priority": "high"}).status_code == 200
    assert send("PATCH", "/tasks/held", {"priority": "high"}).status_code == 200
    before = teams.ask("GET", "/tasks/south-t").text
    worked = {"person": "one-p0", "day": "2027-03-01", "minutes": 30}
    for method, path, body in (
        ("PATCH", "/tasks/south-t", {"priority": "high"}),
        ("POST", "/tasks/south-t/time", worked),
        ("POST", "/tasks/one-t/time", {**worked, "person": "one-p1"}),
        ("PATCH", "/tasks/held", {"requested_person": "one-p1"}),
    ):
        document = problem(send(method, path, body), 403, "forbidden_team")
        assert document["value"] == "one-p1"
        assert "north" in document["detail"]
    assert teams.ask("GET", "/tasks/south-t").text == before
    assert send("POST", "/tasks/one-t/time", worked).status_code == 201
    assert send("POST", "/tasks", new("placed-by-the-rule")).status_code == 201
    assert send("GET", "/tasks/south-t").status_code == 200


def test_whatever_a_turn_can_do_a_team_ends_it(teams: Api) -> None:
    turns = teams.app.state.serving.turns
    held = Actor("token:x", "north")
    off = {"first_day": day(3), "last_day": day(3)}
    with turns.turn("one", now=NOW, actor=held) as turn:
        acts: tuple[Callable[[], object], ...] = (
            lambda: turn.assign("south-t", "one-ann", reason="mine"),
            lambda: turn.assign("one-t", "one-p1", reason="theirs"),
            lambda: turn.add(task("n", assignee="one-p1")),
            lambda: turn.put(person("one-p1", team="north")),
            lambda: turn.put(person("one-p0", team="south")),
            lambda: turn.put(person("another", team="south")),
            lambda: turn.put(TimeOff(person="one-p1", **off)),
            lambda: turn.put(Client(id="acme", name="Acme")),
            lambda: turn.remove(PartKind.PERSON, "one-p1"),
            lambda: turn.remove(PartKind.CLIENT, "acme"),
        )
        for act in acts:
            with pytest.raises(OutOfReach):
                act()
        assert turn.touched == 0
        turn.put(TimeOff(person="one-p0", **off))
        turn.put(person("another", team="north"))
        turn.assign("one-t", "one-p0", reason="within the team")
    with teams.database.reading("one") as session:
        actors = session.connection().execute(text("select distinct actor from changes where firm_id = 'one'"))
        assert "token:x" in set(actors.scalars())


def test_a_manager_of_a_team_decides_about_moves_that_its_people_have_a_part_in(teams: Api) -> None:
    with teams.app.state.serving.turns.turn("one", now=NOW, actor="test") as turn:
        turn.put(person("one-p2", team="south"))
    within, across, beyond = ("one-p0", "one-p1", "one-p2")
    token, ids = manager(teams), {}
    for id, giver, getter in (
        ("a", "one-ann", within),
        ("b", "one-ann", across),
        ("c", across, beyond),
        ("d", across, within),
    ):
        ids[id] = waits(teams, id, giver, getter)

    def decide(id: str, how: str) -> httpx.Response:
        asked = Ask("POST", f"/proposals/{ids[id]}/{how}", {"reason": "we say so"}, token, {"If-Match": "*"})
        return teams.send(asked)[0]

    problem(decide("c", "decline"), 403, "forbidden_team")
    for id in "bcd":
        problem(decide(id, "approve"), 403, "forbidden_team")
    assert teams.ask("GET", f"/proposals/{ids['c']}").json()["status"] in ("created", "delivered")
    for id, how in (("a", "approve"), ("b", "decline"), ("d", "decline")):
        assert decide(id, how).status_code == 200, (id, decide(id, how).text)


def waits(api: Api, id: str, giver: str, getter: str) -> str:
    """Overload somebody with a task, and have giving it to another wait for a manager; return the proposal's id."""
    load = LoadChange(person=giver, before_min=0, after_min=0, capacity_min=0)
    move = Move(task=id, from_person=giver, to_person=getter)
    made = Proposal(id=id, moves=(move,), gain_min=1, gain_per_move_min=1, loads=(load,), reason="has too much")
    with api.app.state.serving.turns.turn("one", now=NOW, actor="job") as turn:
        turn.place(task(id, hours=15, due=18, requested_person=giver))
        turn.change_task(id, requested_person=None)
        return propose(turn, [made], plan=None)[0]


def test_a_manager_of_a_team_ends_no_hold_of_another_ones_work(teams: Api) -> None:
    with teams.app.state.serving.turns.turn("one", now=NOW, actor="test") as turn:
        number = turn.place(task("ours", hours=None)).number
        other = turn.place(task("theirs", hours=None)).number
        turn.draft.write()
        turn.session.execute(update(ExceptionRecord).where(ExceptionRecord.number == other).values(task="south-t"))
    token, reason = manager(teams), {"reason": "we say so"}
    problem(teams.send(Ask("POST", f"/holds/{other}/end", reason, token))[0], 403, "forbidden_team")
    assert teams.send(Ask("POST", f"/holds/{number}/end", reason, token))[0].status_code == 200


def test_who_shares_a_transaction_keeps_their_own_reach(teams: Api) -> None:
    token = manager(teams)
    asked = [
        Ask("PATCH", "/tasks/south-t", {"estimate_min": 60 + i}, one, {"If-Match": "*"})
        for i in range(10)
        for one in (token, teams.owner)
    ]
    found = teams.send(*asked)
    assert [one.status_code for one in found] == [403, 200] * 10


def test_rights_held_to_a_team_are_rights_of_a_manager_and_all_that_change_others_work() -> None:
    assert RIGHTS[Role.MANAGER] >= HELD_TO_TEAM
    assert not HELD_TO_TEAM & {Right.READ_WORK, Right.READ_DECISIONS, Right.TRY_PLACING, Right.PLACE}
