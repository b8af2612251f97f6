from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher

from api import passwords
from api.roles import Role
from api.routes.access import csrf_token
from api.store.log import verify
from api.store.sessions import SignedIn, sign_in
from api.store.tokens import Wrong
from tests.api.routes.asking import Api, Ask, new, problem

LOGIN, PASSWORD, OTHER = "Dana@example.com", "correct horse battery", "incorrect zebra current"


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))


def made(api: Api, **more: Any) -> dict[str, Any]:
    found = api.ask("POST", "/users", {"login": LOGIN, "password": PASSWORD, "role": "operations", **more})
    assert found.status_code == 201, found.text
    assert found.headers["etag"] == '"1"'
    return dict(found.json())


def signed_in(api: Api, password: str = PASSWORD) -> SignedIn:
    return sign_in(api.database, "one", LOGIN, password, now=api.at, address="198.51.100.7", hours=1)


def as_user(api: Api, begun: SignedIn, method: str, path: str, body: Any = None, **more: str) -> Any:
    headers = {"Cookie": f"evenhand={begun.text}", "X-CSRF-Token": csrf_token(begun.text), **more}
    return api.send(Ask(method, path, body, None, headers))[0]


def test_a_user_is_made_once_per_key_signs_in_and_is_listed_without_a_password(api: Api) -> None:
    body = {"login": LOGIN, "password": PASSWORD, "role": "operations"}
    first, again = (api.ask("POST", "/users", body, Idempotency_Key="k") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert first.json()["login"] == "dana@example.com"
    problem(api.ask("POST", "/users", {**body, "role": "owner"}, Idempotency_Key="k"), 422, "idempotency_key_reused")
    problem(api.ask("POST", "/users", body), 409, "taken")
    signed_in(api)
    (listed,) = api.ask("GET", "/users").json()["users"]
    assert listed == api.ask("GET", f"/users/{listed['id']}").json()
    assert listed["signed_in_at"] is not None
    assert "password" not in str(listed)
    assert "argon2" not in str(listed)
    assert api.send(Ask("GET", "/users", None, api.foreign))[0].json() == {"users": [], "next": None}
    document = problem(api.ask("GET", "/users/nobody"), 404, "not_found")
    assert document["field"] == "user"


@pytest.mark.parametrize(
    "more, field",
    [
        ({"password": "short"}, "password"),
        ({"login": "two words"}, "login"),
        ({"role": "staff"}, "person"),
        ({"role": "staff", "person": "nobody"}, "person"),
        ({"role": "owner", "team": "tax"}, "team"),
        ({"role": "manager", "team": "nowhere"}, "team"),
    ],
)
def test_who_cannot_be_a_user_is_refused_and_the_password_is_not_shown(
    api: Api, more: dict[str, Any], field: str
) -> None:
    found = api.ask("POST", "/users", {"login": LOGIN, "password": PASSWORD, "role": "operations", **more})
    assert problem(found, 422, found.json()["code"])["field"] == field
    assert PASSWORD not in found.text
    assert "short" not in found.text.replace("too_short", "")
    assert api.ask("GET", "/users").json()["users"] == []


def test_another_role_counts_at_once_and_a_disabled_user_is_out(api: Api) -> None:
    user = made(api)
    begun, where = signed_in(api), f"/users/{user['id']}"
    problem(as_user(api, begun, "GET", "/users"), 403, "forbidden")
    problem(api.ask("PATCH", where, {"role": "owner"}), 428, "if_match_missing")
    changed = api.ask("PATCH", where, {"role": "owner"}, If_Match='"1"')
    assert (changed.json()["role"], changed.headers["etag"]) == ("owner", '"2"')
    assert as_user(api, begun, "GET", "/users").status_code == 200
    problem(api.ask("PATCH", where, {"disabled": True}, If_Match='"1"'), 412, "changed")
    problem(as_user(api, begun, "PATCH", where, {"role": "staff"}, **{"If-Match": "*"}), 409, "own_user")
    problem(as_user(api, begun, "POST", f"{where}/password", {"password": OTHER}), 409, "own_user")
    problem(api.ask("PATCH", where, {"role": "staff"}, If_Match="*"), 422, "token_person")
    assert api.ask("PATCH", where, {"disabled": True}, If_Match="*").json()["disabled_at"] is not None
    problem(as_user(api, begun, "GET", "/users"), 401, "session_ended")
    with pytest.raises(Wrong):
        signed_in(api)
    assert api.ask("PATCH", where, {"disabled": False}, If_Match="*").json()["disabled_at"] is None
    signed_in(api)


def test_a_new_password_ends_sessions_and_lets_in_again(api: Api) -> None:
    user = made(api)
    begun, where = signed_in(api), f"/users/{user['id']}"
    api.ask("PATCH", where, {"disabled": True}, If_Match="*")
    reset = api.ask("POST", f"{where}/password", {"password": OTHER})
    assert (reset.status_code, reset.json()["disabled_at"]) == (200, None)
    problem(as_user(api, begun, "GET", "/firm"), 401, "session_ended")
    with pytest.raises(Wrong):
        signed_in(api)
    assert as_user(api, signed_in(api, OTHER), "GET", "/firm").status_code == 200


def test_attempts_to_sign_in_are_listed_in_pages(api: Api) -> None:
    user = made(api)
    for password in (OTHER, PASSWORD, PASSWORD):
        api.later(minutes=1)
        with suppress(Wrong):
            signed_in(api, password)
    with pytest.raises(Wrong):
        sign_in(api.database, "one", "nobody", PASSWORD, now=api.at + timedelta(minutes=1), address="a", hours=1)
    seen, after = [], ""
    while True:
        page = api.ask("GET", f"/sign-ins?limit=2{after}").json()
        seen += page["sign_ins"]
        if page["next"] is None:
            break
        after = f"&cursor={page['next']}"
    assert [one["outcome"] for one in seen] == ["unknown", "signed in", "signed in", "password"]
    mine = api.ask("GET", f"/sign-ins?user={user['id']}").json()["sign_ins"]
    assert mine == seen[1:]
    assert {one["address"] for one in mine} == {"198.51.100.7"}


def test_who_let_whom_do_what_is_in_the_log_without_their_login(api: Api) -> None:
    user = made(api)
    api.ask("PATCH", f"/users/{user['id']}", {"role": "owner"}, If_Match="*")
    entries = api.ask("GET", "/decisions?kind=account").json()["decisions"]
    assert [one["outcome"] for one in entries] == ["changed", "created"]
    assert all(one["actor"].startswith("token:") for one in entries)
    with api.database.reading("one") as session:
        assert verify(session).broken is None
    assert "example.com" not in api.ask("GET", "/firm/history").text + str(entries)


def test_a_person_is_exported_and_erased_by_owners(api: Api) -> None:
    api.ask("POST", "/tasks", new("a", requested_person="one-ann"))
    user = made(api, role="staff", person="one-ann")
    token = api.token("one", Role.STAFF)
    data = api.ask("GET", "/people/one-ann/data")
    assert data.status_code == 200, data.text
    assert data.json()["person"]["name"] == "Ann One"
    assert [one["login"] for one in data.json()["users"]] == ["dana@example.com"]
    assert "a" in [one["id"] for one in data.json()["tasks"]]
    problem(api.ask("DELETE", "/people/one-ann/data"), 428, "if_match_missing")
    version = api.ask("GET", "/people/one-ann").headers["etag"]
    problem(api.ask("DELETE", "/people/one-ann/data", If_Match='"0"'), 412, "changed")
    erased = api.ask("DELETE", "/people/one-ann/data", If_Match=version)
    assert erased.json() == {"person": "one-ann", "users": 1, "tokens": 1}
    assert "Ann One" not in api.ask("GET", "/people").text
    problem(api.ask("GET", f"/users/{user['id']}"), 404, "not_found")
    problem(api.send(Ask("GET", "/tasks", None, token))[0], 401, "token_revoked")
    assert api.ask("GET", "/tasks/a").json()["task"]["assignee"] == "one-ann"


def test_a_token_for_the_manager_of_a_team_reaches_its_team_only(api: Api) -> None:
    api.ask("POST", "/people", {"id": "one-tess", "level": "associate", "team": "tax", "skills": [{"skill": "tax"}]})
    problem(api.ask("POST", "/tokens", {"role": "manager", "team": "nowhere"}), 422, "not_found")
    problem(api.ask("POST", "/tokens", {"role": "owner", "team": "tax"}), 422, "token_team")
    made = api.ask("POST", "/tokens", {"role": "manager", "team": "tax"}).json()
    assert made["team"] == "tax"
    assert made["team"] in [one["team"] for one in api.ask("GET", "/tokens").json()["tokens"]]
    off = {"kind": "time_off", "first_day": "2027-03-08", "last_day": "2027-03-12"}
    for person, status in (("one-tess", 201), ("one-ann", 403)):
        assert api.send(Ask("POST", "/calendar", {**off, "person": person}, made["token"]))[0].status_code == status
