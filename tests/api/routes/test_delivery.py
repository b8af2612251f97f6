from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from api.delivery.webhooks import MOST_WEBHOOKS
from api.roles import Role
from api.routes.examples import READ, SINCE, WEBHOOKS
from api.sealing import Seal
from tests.api.delivery.receiving import Receiver, receiver
from tests.api.routes.asking import NOW, Api, Ask, new, problem


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as one:
        yield one


def registered(api: Api, url: str, *topics: str, **headers: str) -> dict[str, Any]:
    made = api.ask("POST", "/webhooks", {"url": url, "topics": topics, "label": "ours"}, **headers)
    assert made.status_code == 201, made.text
    return dict(made.json())


def test_a_webhook_is_registered_tried_and_its_backlog_seen(api: Api, there: Receiver) -> None:
    made = registered(api, there.url, "task.*", Idempotency_Key="k")
    id, secret = made["webhook"]["id"], made["secret"]
    assert registered(api, there.url, "task.*", Idempotency_Key="k") == made
    assert secret.startswith("whsec_")
    read = api.ask("GET", f"/webhooks/{id}")
    assert (read.json(), read.headers["etag"]) == (made["webhook"], '"1"')
    assert secret not in api.ask("GET", "/webhooks").text + read.text
    tried = api.ask("POST", f"/webhooks/{id}/test", Idempotency_Key="t")
    assert tried.status_code == 202
    assert api.ask("POST", f"/webhooks/{id}/test", Idempotency_Key="t").json() == tried.json()
    api.ask("POST", "/tasks", new("a"))
    api.deliver()
    assert there.topics == ["webhook.test", "task.placed"]
    assert all(one.signed_with(secret) for one in there.came)
    number = tried.json()["number"]
    delivery = api.ask("GET", f"/webhooks/{id}/deliveries/{number}").json()
    assert (delivery["status"], delivery["answered"], delivery["attempts"]) == ("delivered", 200, 1)
    there.answers = lambda _: (500, {})
    api.ask("POST", "/tasks", new("b"))
    api.deliver()
    found = api.ask("GET", f"/webhooks/{id}").json()
    assert (found["pending"], found["failed"], found["oldest_pending_at"]) == (1, 0, found["failing_since"])
    (waiting,) = api.ask("GET", f"/webhooks/{id}/deliveries?status=pending").json()["deliveries"]
    assert (waiting["error"], waiting["delivered_at"]) == ("answered 500", None)
    assert waiting["next_at"] > waiting["tried_at"]
    there.answers = lambda _: (200, {})
    again = api.ask("POST", f"/webhooks/{id}/deliveries/{waiting['number']}/replay")
    assert (again.status_code, again.json()["attempts"]) == (202, 0)
    api.deliver()
    assert there.came[-1].id == there.came[-2].id
    page = api.ask("GET", f"/webhooks/{id}/deliveries?limit=2").json()
    rest = api.ask("GET", f"/webhooks/{id}/deliveries?cursor={page['next']}").json()
    assert [one["topic"] for one in page["deliveries"] + rest["deliveries"]] == ["task.placed"] * 2 + ["webhook.test"]
    problem(api.ask("GET", f"/webhooks/{id}/deliveries/99"), 404, "not_found")
    problem(api.ask("GET", f"/webhooks/{id}/deliveries?status=gone"), 422, "literal_error")
    problem(api.ask("GET", "/webhooks/wh_none"), 404, "not_found")


def test_a_webhook_is_changed_disabled_replayed_and_removed(api: Api, there: Receiver) -> None:
    id = registered(api, there.url)["webhook"]["id"]
    problem(api.ask("PATCH", f"/webhooks/{id}", {"label": "x"}), 428, "if_match_missing")
    problem(api.ask("PATCH", f"/webhooks/{id}", {}, If_Match="*"), 422, "nothing_to_change")
    off = api.ask("PATCH", f"/webhooks/{id}", {"enabled": False, "label": "x"}, If_Match='"1"')
    assert (off.json()["disabled_why"], off.json()["label"], off.headers["etag"]) == ("by hand", "x", '"2"')
    problem(api.ask("PATCH", f"/webhooks/{id}", {"label": "y"}, If_Match='"1"'), 412, "changed")
    problem(api.ask("POST", f"/webhooks/{id}/test"), 422, "webhook_disabled")
    api.ask("POST", "/tasks", new("a"))
    api.deliver()
    assert there.came == []
    on = api.ask("PATCH", f"/webhooks/{id}", {"enabled": True, "topics": ["task.*"]}, If_Match='"2"')
    assert (on.json()["disabled_at"], on.json()["topics"]) == (None, ["task.*"])
    since = {"since": NOW.isoformat()}
    assert api.ask("POST", f"/webhooks/{id}/replay", since, Idempotency_Key="r").json() == {"replayed": 1}
    assert api.ask("POST", f"/webhooks/{id}/replay", since, Idempotency_Key="r").json() == {"replayed": 1}
    assert api.ask("POST", f"/webhooks/{id}/replay", since).json() == {"replayed": 0}
    problem(api.ask("POST", f"/webhooks/{id}/replay", {"since": "2027-03-01T09:00:00"}), 422, "timezone_aware")
    first = {"since": "0001-01-01T00:00:00+14:00"}
    problem(api.ask("POST", f"/webhooks/{id}/replay", first), 422, "moment_out_of_range")
    api.deliver()
    assert there.topics == ["task.placed"]
    problem(api.ask("DELETE", f"/webhooks/{id}"), 428, "if_match_missing")
    gone = api.ask("DELETE", f"/webhooks/{id}", If_Match="*")
    assert (gone.status_code, gone.content) == (204, b"")
    problem(api.ask("DELETE", f"/webhooks/{id}", If_Match="*"), 404, "not_found")
    assert api.ask("GET", "/webhooks").json() == {"webhooks": []}


def test_a_secret_is_changed_and_the_old_one_signs_along(api: Api, there: Receiver) -> None:
    made = registered(api, there.url)
    id, old = made["webhook"]["id"], made["secret"]
    fresh = api.ask("POST", f"/webhooks/{id}/secret", Idempotency_Key="s").json()
    assert api.ask("POST", f"/webhooks/{id}/secret", Idempotency_Key="s").json() == fresh
    assert fresh["old_secret_until"].startswith((NOW + timedelta(days=1)).isoformat()[:19])
    api.ask("POST", "/tasks", new("a"))
    api.deliver()
    assert there.came[0].signed_with(old)
    assert there.came[0].signed_with(fresh["secret"])


def test_what_is_no_webhook_is_refused(api: Api) -> None:
    here = api.app.state.serving
    here.private_webhooks = False
    for url in ("http://example.com/x", "https://10.0.0.1/x", "https://localhost/x", "nothing"):
        assert problem(api.ask("POST", "/webhooks", {"url": url}), 422, "webhook_url")["field"] == "url"
    id = registered(api, "https://example.com/x")["webhook"]["id"]
    problem(api.ask("PATCH", f"/webhooks/{id}", {"url": "http://10.0.0.1"}, If_Match="*"), 422, "webhook_url")
    near = problem(
        api.ask("POST", "/webhooks", {"url": "https://example.com", "topics": ["task.place"]}), 422, "unknown_topic"
    )
    assert near["nearest"] == "task.placed"
    problem(api.ask("POST", "/webhooks", {"url": "https://example.com/" + "x" * 2_000}), 422, "string_too_long")
    for i in range(MOST_WEBHOOKS - 1):
        registered(api, f"https://example.com/{i}")
    problem(api.ask("POST", "/webhooks", {"url": "https://example.com"}), 422, "too_many_webhooks")
    for strange in ({"label": "a\x00b"}, {"url": "https://example.com/\x00"}):
        assert api.ask("POST", "/webhooks", {"url": "https://example.com", **strange}).status_code == 422
    for path in ("/webhooks/a%00", "/proposals/a%00", "/inbox?person=%00", "/proposals?plan=%00"):
        problem(api.ask("GET", path), 422, "unstorable_text")
    here.seal = Seal()
    document = problem(api.ask("POST", f"/webhooks/{id}/secret"), 503, "no_secret_key")
    assert "EVENHAND_SECRET_KEYS" in document["detail"]


def test_everybody_reads_their_own_inbox_and_those_who_decide_the_desk(api: Api) -> None:
    api.ask("POST", "/tasks", new("mine", requested_person="one-ann"))
    api.ask("POST", "/tasks", new("held", estimate_min=None))
    api.deliver()
    staff = api.token("one", Role.STAFF)
    page = api.send(Ask("GET", "/inbox", token=staff))[0].json()
    assert [one["text"] for one in page["items"]] == ["mine is yours: return for acme, 1 h, due 2027-03-19"]
    assert (page["unread"], page["items"][0]["about"]["task"], page["next"]) == (1, "mine", None)
    desk = api.ask("GET", "/inbox").json()
    assert [one["topic"] for one in desk["items"]] == ["task.held"]
    assert api.ask("GET", "/inbox?person=one-ann").json()["items"] == page["items"]
    found = api.send(Ask("GET", "/inbox?person=one-p1", token=staff))[0]
    assert problem(found, 403, "forbidden_person")["nearest"] == "one-ann"
    for person in ("two-ann", "nobody"):
        problem(api.ask("GET", f"/inbox?person={person}"), 422, "not_found")
    numbers = {"numbers": [one["number"] for one in page["items"]]}
    assert api.ask("POST", "/inbox/read", numbers).json() == {"marked": 0}  # not on the desk
    assert api.send(Ask("POST", "/inbox/read", numbers, staff))[0].json() == {"marked": 1}
    assert api.send(Ask("POST", "/inbox/read", numbers, staff))[0].json() == {"marked": 0}
    after = api.send(Ask("GET", "/inbox?unread=true", token=staff))[0].json()
    assert (after["items"], after["unread"]) == ([], 0)
    read = api.send(Ask("GET", "/inbox?unread=false", token=staff))[0].json()["items"]
    assert read[0]["read_by"].startswith("token:")
    problem(api.ask("POST", "/inbox/read", {"numbers": []}), 422, "too_short")
    problem(api.ask("POST", "/inbox/read", {"numbers": [0]}), 422, "greater_than_equal")


def test_an_inbox_is_read_in_pages(api: Api) -> None:
    for i in range(5):
        api.ask("POST", "/tasks", new(f"h{i}", estimate_min=None))
    api.deliver()
    seen, after = [], ""
    while True:
        page = api.ask("GET", f"/inbox?limit=2{after}").json()
        seen += [one["about"]["task"] for one in page["items"]]
        if page["next"] is None:
            break
        after = f"&cursor={page['next']}"
    assert seen == ["h4", "h3", "h2", "h1", "h0"]


def test_the_examples_are_sent_as_they_are(api: Api) -> None:
    id = registered(api, "https://example.com/x")["webhook"]["id"]
    paths = api.ask("GET", "/openapi.json").json()["paths"]
    for described, path, examples, status in (
        ("/webhooks", "/webhooks", WEBHOOKS, 201),
        ("/webhooks/{id}/replay", f"/webhooks/{id}/replay", SINCE, 202),
        ("/inbox/read", "/inbox/read", READ, 200),
    ):
        shown = paths[f"/api/v1{described}"]["post"]["requestBody"]["content"]["application/json"]["examples"]
        assert shown == {name: dict(example) for name, example in examples.items()}
        for example in shown.values():
            found = api.ask("POST", path, example["value"])
            assert found.status_code == status, found.text
