from __future__ import annotations

import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from api.delivery.delivering import (
    BACK_OFF,
    DISABLED_AFTER,
    LEASE,
    SPREAD,
    TOGETHER,
    Delivered,
    Post,
    claim,
    deliver,
    deliver_all,
    next_attempt,
)
from api.delivery.handing_out import hand_out
from api.delivery.inbox import items_before
from api.delivery.rounds import Rounds, keep_up
from api.delivery.sending import Message
from api.delivery.topics import DESK
from api.delivery.webhooks import (
    Delivery,
    Hook,
    change,
    deliveries_before,
    one_delivery,
    one_hook,
    place_of,
    register,
    remove,
    replay_one,
    replay_since,
    reseal,
    rotate,
    try_out,
)
from api.sealing import Seal, new_key
from api.store.database import Database
from api.store.proposal_listing import one_proposal
from api.store.proposals import propose
from api.store.refusals import NotFound
from api.store.saving import create_firm
from api.store.turns import Turns
from solver.plan import LoadChange, Move, Proposal
from solver.refusal import Refused
from tests.api.delivery.receiving import Receiver
from tests.firms_for_tests import firm, person, task

ROOT = Path(__file__).parents[3]
NOW = datetime(2027, 3, 1, 14, 0, tzinfo=UTC)
KEY = new_key()
LONG_S = 300
"""No test waits so long for anything that works."""


@pytest.fixture
def post(database: Database) -> Post:
    staff = (person("ann", name="Ann Lee"), person("bob", name="Bob Ray"))
    create_firm(database, "one", firm(staff, ()), now=NOW, actor="test")
    return Post(Turns(database), Seal([KEY]), private=True)


def registered(post: Post, url: str, *topics: str) -> tuple[str, str]:
    with post.turns.turn("one", now=NOW, actor="test") as turn:
        return register(turn, url, topics=topics, label="", seal=post.seal)


def placed(post: Post, *ids: str, at: datetime = NOW) -> None:
    with post.turns.turn("one", now=at, actor="test") as turn:
        for id in ids:
            turn.place(task(id, hours=1, due=30))


def sent(post: Post, at: datetime = NOW) -> Delivered:
    return deliver_all(post, "one", now=at)


def hook(post: Post, id: str) -> Hook:
    with post.turns.database.reading("one") as session:
        return one_hook(session, id)


def deliveries(post: Post, id: str) -> list[Delivery]:
    with post.turns.database.reading("one") as session:
        return deliveries_before(session, id, status=None, before=None, limit=999)[::-1]


def due(post: Post, at: datetime) -> bool:
    with post.turns.database.reading("one") as session:
        moment = next_attempt(session, at)
    return moment is not None and moment <= at


def test_what_was_said_arrives_signed_and_once(post: Post, there: Receiver) -> None:
    id, secret = registered(post, there.url)
    placed(post, "t0", "t1")
    assert due(post, NOW)
    assert sent(post) == Delivered(handed_out=2, arrived=2, failed=0)
    first, second = there.came
    assert (first.path, first.headers["content-type"]) == ("/hook", "application/json")
    assert first.headers["user-agent"].startswith("Evenhand/")
    assert first.headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert first.signed_with(secret)
    assert second.signed_with(secret)
    assert not first.signed_with("whsec_" + "A" * 44)
    assert first.id != second.id
    assert "." not in first.id
    assert first.said == {
        "type": "task.placed",
        "timestamp": NOW.isoformat(),
        "data": {"task": "t0", "person": "ann", "decision": 1, "firm": "one", "number": 1},
    }
    assert not due(post, NOW + timedelta(days=30))
    assert sent(post) == Delivered(0, 0, 0)
    done = deliveries(post, id)
    assert [(one.status, one.attempts, one.answered, one.delivered_at) for one in done] == [
        ("delivered", 1, 200, NOW),
        ("delivered", 1, 200, NOW),
    ]


def test_secrets_are_stored_sealed_and_can_be_sealed_anew(post: Post, there: Receiver) -> None:
    id, secret = registered(post, there.url)
    with post.turns.database.reading("one") as session:
        raw = session.connection().exec_driver_sql("select secret, url from webhooks").one()
    assert secret.removeprefix("whsec_") not in raw.secret
    assert post.seal.open(raw.secret, place=place_of("one", id)) == secret
    assert raw.url == there.url
    key = new_key()
    with post.turns.turn("one", now=NOW, actor="test") as turn:
        fresh = rotate(turn, id, post.seal)
        assert reseal(turn, Seal([key, KEY])) == 2
    alone = Post(post.turns, Seal([key]), private=True)
    placed(post, "t")
    sent(alone)
    assert there.came[0].signed_with(secret)
    assert there.came[0].signed_with(fresh)


def test_only_the_topics_that_were_asked_for_are_sent(post: Post, there: Receiver) -> None:
    for topics in (("task.held",), ("hold.*", "task.placed"), ()):
        registered(post, f"{there.url}/{len(topics)}", *topics)
    with post.turns.turn("one", now=NOW, actor="test") as turn:
        turn.place(task("t", hours=None))
        turn.change_task("t", estimate_min=60)
    sent(post)
    by_path = {
        path: sorted(one.said["type"] for one in there.came if one.path == path)
        for path in ("/hook/1", "/hook/2", "/hook/0")
    }
    assert by_path == {
        "/hook/1": ["task.held"],
        "/hook/2": ["hold.ended", "task.placed"],
        "/hook/0": ["hold.ended", "task.held", "task.placed"],
    }
    with (
        post.turns.turn("one", now=NOW, actor="test") as turn,
        pytest.raises(Refused, match=r'Nearest: "task\.placed"'),
    ):
        register(turn, there.url, topics=["task.plcaed"], label="", seal=post.seal)


def test_what_fails_is_repeated_after_longer_and_longer_waits_with_the_same_id(post: Post, there: Receiver) -> None:
    id, _ = registered(post, there.url)
    there.answers = lambda _: (500, {})
    placed(post, "t")
    at = NOW
    for attempt, wait in enumerate(BACK_OFF, start=1):
        assert sent(post, at).failed == 1
        (one,) = deliveries(post, id)
        assert (one.status, one.attempts, one.answered, one.error) == ("pending", attempt, 500, "answered 500")
        assert one.next_at is not None
        assert at + wait <= one.next_at <= at + wait * (1 + SPREAD)
        assert not due(post, one.next_at - timedelta(seconds=1))
        at = one.next_at
    assert sent(post, at).failed == 1
    (one,) = deliveries(post, id)
    assert (one.status, one.attempts, one.next_at) == ("failed", len(BACK_OFF) + 1, None)
    assert len({came.id for came in there.came}) == 1
    assert {came.body for came in there.came} == {there.came[0].body}
    assert len({came.headers["webhook-timestamp"] for came in there.came}) == len(there.came)
    assert (hook(post, id).failed, hook(post, id).pending, hook(post, id).failing_since) == (1, 0, NOW)
    there.answers = lambda _: (204, {})
    with post.turns.turn("one", now=at, actor="test") as turn:
        replay_one(turn, id, one.number)
        with pytest.raises(NotFound, match="delivery"):
            replay_one(turn, id, 99)
    assert sent(post, at).arrived == 1
    assert len({came.id for came in there.came}) == 1
    assert (hook(post, id).failed, hook(post, id).failing_since) == (0, None)


def test_a_receiver_that_asks_to_wait_is_left_alone_as_long(post: Post, there: Receiver) -> None:
    id, _ = registered(post, there.url)
    placed(post, "t0", "t1", "t2")
    there.answers = lambda _: (429, {"Retry-After": "600"})
    assert sent(post) == Delivered(3, 0, 1)  # what follows waits as well, without an attempt
    found = deliveries(post, id)
    assert [one.attempts for one in found] == [1, 0, 0]
    assert all(one.next_at is not None and one.next_at >= NOW + timedelta(seconds=600) for one in found)
    assert (hook(post, id).pending, hook(post, id).oldest_pending_at) == (3, NOW)
    there.answers = lambda _: (503, {"Retry-After": "Mon, 01 Mar 2027 15:00:00 GMT"})
    later = NOW + timedelta(minutes=11)
    sent(post, later)
    assert deliveries(post, id)[0].next_at == max(datetime(2027, 3, 1, 15, 0, tzinfo=UTC), later + BACK_OFF[1])


def test_a_message_that_is_refused_holds_up_no_other(post: Post, there: Receiver) -> None:
    id, _ = registered(post, there.url)
    there.answers = lambda one: (400 if one.said["data"]["task"] == "t1" else 200, {})
    placed(post, *(f"t{i}" for i in range(2 * TOGETHER + 2)))
    assert sent(post) == Delivered(2 * TOGETHER + 2, 2 * TOGETHER + 1, 1)
    assert [one.status for one in deliveries(post, id)].count("pending") == 1


def test_a_receiver_that_is_not_there_is_found_again(post: Post, there: Receiver) -> None:
    id, _ = registered(post, "http://127.0.0.1:9/hook")
    placed(post, "t0", "t1")
    assert sent(post) == Delivered(2, 0, 1)
    assert "Connect" in str(deliveries(post, id)[0].error)
    with post.turns.turn("one", now=NOW, actor="test") as turn:
        change(turn, id, expected=1, url=there.url)
    assert sent(post, NOW + timedelta(minutes=1)).arrived == 2
    assert [one.said["data"]["task"] for one in there.came] == ["t0", "t1"]


def test_redirects_are_not_followed(post: Post, there: Receiver) -> None:
    id, _ = registered(post, there.url)
    there.answers = lambda one: (302, {"Location": f"{there.url}/elsewhere"})
    placed(post, "t")
    assert sent(post).failed == 1
    assert [one.path for one in there.came] == ["/hook"]
    assert deliveries(post, id)[0].error == "answered 302 (redirects are not followed)"


def test_after_long_failure_a_webhook_is_disabled_the_desk_is_told_and_what_was_missed_can_be_replayed(
    post: Post, there: Receiver
) -> None:
    id, _ = registered(post, there.url)
    there.answers = lambda _: (500, {})
    for day in range(6):
        at = NOW + timedelta(days=day)
        placed(post, f"t{day}", at=at)
        sent(post, at)
        disabled = hook(post, id).disabled_at
        assert (disabled is not None) == (at - NOW >= DISABLED_AFTER)
    assert "every attempt has failed since 2027-03-01 14:00 UTC" in str(hook(post, id).disabled_why)
    count = len(there.came)
    placed(post, "missed", at=at)
    sent(post, at)
    assert len(there.came) == count
    with post.turns.database.reading("one") as session:
        texts = [one.text for one in items_before(session, DESK, unread=True, before=None, limit=9)]
    assert len(texts) == 1
    assert texts[0].startswith(f"webhook {id} is disabled: every attempt has failed")
    there.answers = lambda _: (200, {})
    with post.turns.turn("one", now=at, actor="test") as turn:
        change(turn, id, expected=None, enabled=True)
        assert replay_since(turn, id, NOW) == 2  # the one it was disabled for, and that it is disabled
    sent(post, at + timedelta(days=2))
    arrived = {one.said["data"].get("task") for one in there.came[count:]}
    assert arrived >= {*(f"t{day}" for day in range(6)), "missed"}
    assert hook(post, id).disabled_at is None


def test_a_receiver_that_is_gone_is_disabled_at_once(post: Post, there: Receiver) -> None:
    id, _ = registered(post, there.url)
    there.answers = lambda _: (410, {})
    placed(post, "t0", "t1")
    sent(post)
    assert "410" in str(hook(post, id).disabled_why)
    assert not due(post, NOW + timedelta(days=1)) or sent(post, NOW + timedelta(days=1)).failed == 0


def test_a_changed_secret_signs_along_with_the_old_one_for_a_day(post: Post, there: Receiver) -> None:
    id, old = registered(post, there.url)
    with post.turns.turn("one", now=NOW, actor="test") as turn:
        new = rotate(turn, id, post.seal)
    for hours, both in ((0, True), (23, True), (24, False)):
        at = NOW + timedelta(hours=hours)
        placed(post, f"t{hours}", at=at)
        sent(post, at)
        assert there.came[-1].signed_with(new)
        assert there.came[-1].signed_with(old) == both


def test_a_test_message_goes_to_one_webhook_and_into_no_inbox(post: Post, there: Receiver) -> None:
    one, _ = registered(post, f"{there.url}/one", "task.placed")
    registered(post, f"{there.url}/two")
    with post.turns.turn("one", now=NOW, actor="test") as turn:
        number = try_out(turn, one)
    sent(post)
    assert [(came.path, came.said["type"]) for came in there.came] == [("/hook/one", "webhook.test")]
    with post.turns.database.reading("one") as session:
        assert one_delivery(session, one, number).status == "delivered"
        assert items_before(session, DESK, unread=None, before=None, limit=9) == []
    with post.turns.turn("one", now=NOW, actor="test") as turn:
        change(turn, one, expected=None, enabled=False)
        with pytest.raises(Refused, match="is disabled"):
            try_out(turn, one)


def test_a_removed_webhook_takes_what_was_on_its_way_with_it(post: Post, there: Receiver) -> None:
    id, _ = registered(post, there.url)
    placed(post, "t")
    hand_out(post.turns, "one", now=NOW)
    claimed = claim(post.turns, "one", now=NOW)
    with post.turns.turn("one", now=NOW, actor="test") as turn:
        remove(turn, id, expected=1)
    deliver(post, claimed, now=NOW)  # it was claimed before: it arrives, and is noted nowhere
    assert len(there.came) == 1
    assert not due(post, NOW + timedelta(days=1))
    with pytest.raises(NotFound):
        hook(post, id)


def test_a_key_that_is_gone_loses_nothing(post: Post, there: Receiver) -> None:
    id, _ = registered(post, there.url)
    placed(post, "t")
    other = Post(post.turns, Seal([new_key()]), private=True)
    assert sent(other).failed == 1
    assert "no key that opens" in str(deliveries(post, id)[0].error)
    both = Post(post.turns, Seal([new_key(), KEY]), private=True)
    assert sent(both, NOW + timedelta(minutes=1)).arrived == 1


def test_a_sender_killed_in_the_middle_loses_nothing_and_repeats_with_the_same_id(post: Post, there: Receiver) -> None:
    id, secret = registered(post, there.url)
    placed(post, "t0", "t1", "t2")
    url = post.turns.database.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.api.delivery.deliverer_for_tests", url, KEY, NOW.isoformat()]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as child:

        def kill_at_the_second(_: Any) -> tuple[int, dict[str, str]]:
            if len(there.came) == 2:
                child.send_signal(signal.SIGKILL)
                child.wait(LONG_S)
            return 200, {}

        there.answers = kill_at_the_second
        child.wait(LONG_S)
        assert child.returncode == -signal.SIGKILL
    assert [one.said["data"]["task"] for one in there.came] == ["t0", "t1"]
    assert [one.status for one in deliveries(post, id)] == ["pending"] * 3
    assert sent(post, NOW + LEASE - timedelta(seconds=1)) == Delivered(0, 0, 0)  # the dead one has them for a while
    assert sent(post, NOW + LEASE).arrived == 3
    tasks = [one.said["data"]["task"] for one in there.came]
    assert tasks == ["t0", "t1", "t0", "t1", "t2"]
    ids = [one.id for one in there.came]
    assert (ids[0], ids[1]) == (ids[2], ids[3])
    assert len(set(ids)) == 3
    assert all(one.signed_with(secret) for one in there.came)
    assert [one.status for one in deliveries(post, id)] == ["delivered"] * 3


def test_a_sender_that_is_to_end_leaves_the_rest_to_be_sent_at_once(post: Post, there: Receiver) -> None:
    id, _ = registered(post, there.url)
    placed(post, "t0", "t1", "t2")
    assert deliver_all(post, "one", now=NOW, ends=lambda: len(there.came) == 2) == Delivered(3, 2, 0)
    found = deliveries(post, id)
    assert [(one.status, one.attempts, one.next_at) for one in found[2:]] == [("pending", 0, NOW)]
    assert sent(post).arrived == 1
    assert len({one.id for one in there.came}) == len(there.came) == 3


def test_two_senders_share_what_is_due(post: Post, there: Receiver) -> None:
    registered(post, there.url)
    placed(post, *(f"t{i}" for i in range(TOGETHER + 2)))
    hand_out(post.turns, "one", now=NOW)
    first, second = claim(post.turns, "one", now=NOW), claim(post.turns, "one", now=NOW)
    assert (len(first), len(second), claim(post.turns, "one", now=NOW)) == (TOGETHER, 2, [])
    for some in (first, second):
        assert all(one.answered is not None and one.answered.arrived for one in deliver(post, some, now=NOW))
    assert len({one.id for one in there.came}) == len(there.came) == TOGETHER + 2


def test_a_proposal_is_delivered_when_it_lies_on_the_desk(post: Post) -> None:
    with post.turns.turn("one", now=NOW, actor="job") as turn:
        turn.add(*(task(f"t{i}", hours=8, due=11, assignee="ann") for i in range(4)))
        move = Move(task="t0", from_person="ann", to_person="bob")
        load = LoadChange(person="ann", before_min=0, after_min=0, capacity_min=0)
        made = Proposal(id="m", moves=(move,), gain_min=1, gain_per_move_min=1, loads=(load,), reason="⟦ann⟧ drowns")
        (id,) = propose(turn, [made], plan=None, expires_at=NOW + timedelta(days=1))
    keep_up(post, "one", now=NOW + timedelta(minutes=1))
    with post.turns.database.reading("one") as session:
        one = one_proposal(session, id)
        (item,) = items_before(session, DESK, unread=True, before=None, limit=9)
    assert [(state.state.value, state.actor) for state in one.states] == [("created", "job"), ("delivered", "delivery")]
    assert one.states[1].at == NOW + timedelta(minutes=1)
    assert item.text == f"proposal {id} waits for a decision"
    keep_up(post, "one", now=NOW + timedelta(days=1))
    with post.turns.database.reading("one") as session:
        assert one_proposal(session, id).status.value == "expired"
        newest = items_before(session, DESK, unread=True, before=None, limit=9)[0]
    assert newest.text == f"proposal {id} expired"


def test_a_clock_that_was_fast_holds_up_no_delivery(post: Post, there: Receiver) -> None:
    registered(post, there.url)
    fast = NOW + timedelta(days=400)
    placed(post, "said", at=fast)
    assert sent(post, fast - timedelta(days=400)).arrived == 1
    placed(post, "tried", at=fast)
    there.answers = lambda _: (503, {})
    assert sent(post, fast).failed == 1
    placed(post, "claimed", at=fast)
    hand_out(post.turns, "one", now=fast)
    assert len(claim(post.turns, "one", now=fast)) == 1  # by somebody who was killed then
    there.answers = lambda _: (200, {})
    assert due(post, NOW)
    assert sent(post).arrived == 2
    assert not due(post, fast)


def test_messages_after_a_restored_backup_are_others_than_those_after_it_was_made(post: Post, there: Receiver) -> None:
    first, again = (Message("one", 7, "task.placed", "{}", NOW + timedelta(hours=hours)) for hours in (0, 1))
    assert first.id == Message("one", 7, "task.placed", "{}", NOW).id
    assert first.id != again.id


def test_rounds_deliver_until_they_are_stopped(post: Post, there: Receiver) -> None:
    registered(post, there.url)
    create_firm(post.turns.database, "two", firm((person("ann"),), ()), now=NOW, actor="test")
    came = Event()
    there.answers = lambda _: (came.set() or 200, {})  # type: ignore[func-returns-value]
    rounds = Rounds(post, now=lambda: NOW, every_s=0.01)
    rounds.start()
    try:
        placed(post, "t")
        assert came.wait(LONG_S)
    finally:
        rounds.stop()
    assert there.topics == ["task.placed"]
    placed(post, "u")
    assert due(post, NOW)
