from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from api.delivery.webhooks import register
from api.roles import Role
from api.sealing import Seal, new_key
from api.store import retention
from api.store.accounts import SessionRecord, SignInRecord, UserRecord
from api.store.copying import back_up, restore
from api.store.database import Database
from api.store.loading import load_firm
from api.store.log import verify
from api.store.migrating import check, head, migrate, revisions
from api.store.replaying import replay
from api.store.retention import Keeping, prune
from api.store.saving import create_firm
from api.store.secrets import keep_secret, read_secret
from api.store.tables import AnswerRecord, DeliveryRecord, InboxRecord, OutboxRecord
from api.store.tokens import create_token, find_token
from api.store.turns import Turns
from solver.firm import TimeOff
from solver.refusal import Refused
from tests.firms_for_tests import day, firm, person, task
from tests.postgres_for_tests import APPLICATION, Server

NOW = datetime(2027, 3, 1, 14, 0, tzinfo=UTC)
KEY = new_key()


def filled(database: Database) -> str:
    """Put two firms into a database; return a token of the first."""
    turns = Turns(database)
    for id in ("one", "two"):
        made = firm(
            (person("ann", name="Ann ⟦ü⟧"), person("bob")),
            (task("review", reviews="t", hours=1, due=9), task("t", assignee="ann")),
            time_off=(TimeOff(person="bob", first_day=day(3), last_day=day(3)),),
        )
        create_firm(database, id, made, now=NOW, actor="test")
        for i in range(4):
            with turns.turn(id, now=NOW + timedelta(minutes=20 * i), actor="test") as turn:
                turn.place(task(f"n{i}"))
        with turns.turn(id, now=NOW, actor="test") as turn:
            turn.log_time("e", task="t", person="ann", day=day(0), minutes=30)
            turn.answer("key", "print", "answer")
    with database.writing("one") as session:
        keep_secret(session, Seal([KEY]), "hook", "secret", now=NOW)
    return create_token(database, "one", Role.STAFF, now=NOW, days=1, person="ann")


@pytest.fixture(params=("sqlite", "postgresql"))
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Where a backup is restored: nothing at all, or a server's tables, as a role that row-level security holds back."""
    server: Server | None = request.getfixturevalue("server") if request.param == "postgresql" else None
    url = f"sqlite:///{tmp_path / 'other.db'}" if server is None else server.migrated(user=APPLICATION)
    database = Database(url)
    yield database
    database.close()
    if server is not None:
        server.drop(url)


def test_a_backup_is_restored_whole_on_either_database(database: Database, empty: Database, tmp_path: Path) -> None:
    token, path = filled(database), tmp_path / "evenhand.backup"
    copied = back_up(database, path, now=NOW)
    assert path.stat().st_mode & 0o777 == 0o600
    with Turns(database).turn("one", now=NOW, actor="test") as turn:
        turn.place(task("after-the-backup"))
    if not empty.embedded:
        migrate_as_owner = restore(empty, path)
        assert migrate_as_owner.copied == copied
    else:
        assert restore(empty, path).copied == copied
    assert (copied.revision, copied.firms) == (head(), 2)
    assert check(empty).ready
    for id in ("one", "two"):
        with database.reading(id) as before, empty.reading(id) as after:
            firms = load_firm(before), load_firm(after)
            assert {one.id for one in firms[0].tasks} - {"after-the-backup"} == {one.id for one in firms[1].tasks}
            assert firms[0].people == firms[1].people
            assert verify(after).broken is None
            assert verify(before, noted=verify(after).head).broken is None
            assert all(replay(after, number).same for number in range(1, verify(after).entries + 1))
    with empty.reading("one") as session:
        assert read_secret(session, Seal([KEY]), "hook") == "secret"
    assert find_token(empty, token, now=NOW).person == "ann"
    again = tmp_path / "again.backup"
    assert back_up(empty, again, now=NOW) == copied
    assert gzip.decompress(again.read_bytes()) == gzip.decompress(path.read_bytes())
    with Turns(empty).turn("one", now=NOW, actor="test") as turn:
        assert turn.place(task("goes-on")).number == 5
    with pytest.raises(Refused, match="is not empty"):
        restore(empty, path)


def test_a_damaged_backup_restores_nothing(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'evenhand.db'}")
    migrate(database)
    filled(database)
    path, damaged = tmp_path / "evenhand.backup", tmp_path / "damaged.backup"
    back_up(database, path, now=NOW)
    database.close()
    whole = gzip.decompress(path.read_bytes())
    lines = whole.splitlines(keepends=True)
    other = Database(f"sqlite:///{tmp_path / 'other.db'}")
    for content in (
        path.read_bytes()[:-200],
        path.read_bytes()[:100] + b"\x00" * 20 + path.read_bytes()[120:],
        gzip.compress(b"".join(lines[:-1])),
        gzip.compress(b"".join(lines[:4] + lines[5:])),
        gzip.compress(whole.replace(b"n3", b"n4")),
        gzip.compress(b""),
        b"this is a letter",
        b"",
    ):
        damaged.write_bytes(content)
        with pytest.raises(Refused, match="damaged"):
            restore(other, damaged)
        assert other.firm_ids() == [] if check(other).revision else True
    later = whole.replace(f'"revision":"{head()}"'.encode(), b'"revision":"9999"')
    damaged.write_bytes(gzip.compress(later))
    with pytest.raises(Refused, match=r"another version|damaged"):
        restore(other, damaged)
    restore(other, path)
    assert other.firm_ids() == ["one", "two"]
    other.close()


def test_a_backup_of_every_older_version_is_restored_into_this_one(tmp_path: Path) -> None:
    for older in revisions()[:-1]:
        old = Database(f"sqlite:///{tmp_path / older}.db")
        migrate(old, older)
        create_firm(old, "one", firm((person("ann"),), (task("t", assignee="ann"),)), now=NOW, actor="test")
        with Turns(old).turn("one", now=NOW, actor="test") as turn:
            turn.place(task("u"))
        path = tmp_path / f"{older}.backup"
        assert back_up(old, path, now=NOW).revision == older
        old.close()
        new = Database(f"sqlite:///{tmp_path / older}-new.db")
        done = restore(new, path)
        assert [(chain.entries, chain.broken) for chain in done.chains] == [(1, None)]
        assert check(new).ready
        new.close()


def test_a_backup_that_fails_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(f"sqlite:///{tmp_path / 'evenhand.db'}")
    path = tmp_path / "evenhand.backup"
    with pytest.raises(Refused, match="evenhand db migrate"):
        back_up(database, path, now=NOW)
    migrate(database)
    filled(database)
    back_up(database, path, now=NOW)
    before = path.read_bytes()

    def fail(_: object) -> object:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("api.store.copying._plain", fail)
    with pytest.raises(OSError, match="No space"):
        back_up(database, path, now=NOW)
    assert path.read_bytes() == before
    assert not path.with_name("evenhand.backup.part").exists()
    database.close()


def test_what_is_kept_for_a_while_goes_and_everything_else_stays(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(database)
    turns, keep = Turns(database), Keeping()

    def user(id: str) -> UserRecord:
        more = {"password_hash": "x", "role": "owner", "created_at": NOW, "failures": 0}
        return UserRecord(firm_id="one", id=id, login=id, **more)

    def session_at(id: str, expires: datetime, ended: datetime | None) -> SessionRecord:
        return SessionRecord(
            firm_id="one",
            id=id,
            secret_hash="",
            user="u",
            created_at=NOW,
            expires_at=expires,
            seen_at=NOW,
            ended_at=ended,
        )

    later = NOW + timedelta(days=200)
    with database.writing("one") as session:
        session.add(user("u"))
        session.flush()
        session.add_all(
            [
                AnswerRecord(firm_id="one", key="new", fingerprint="", answer="", at=later - keep.answers),
                SignInRecord(firm_id="one", id="old", at=NOW, user=None, outcome="unknown", address=""),
                SignInRecord(firm_id="one", id="new", at=later, user=None, outcome="unknown", address=""),
                session_at("expired", NOW, None),
                session_at("ended", later, NOW),
                session_at("good", later, None),
            ]
        )
        session.flush()
        told = {"firm_id": "one", "topic": "x", "document": "{}", "at": NOW}
        outbox = [told | {"number": n, "delivered_at": NOW, "attempts": 1} for n in (96, 97, 98, 99)]
        session.execute(insert(OutboxRecord), outbox)
        recent = told | {"at": later - keep.inbox, "person": "ann"}
        session.execute(insert(InboxRecord), [told | {"number": 98, "person": ""}, recent | {"number": 99}])
    with turns.turn("one", now=NOW, actor="test") as turn:
        hook, _ = register(turn, "https://example.com/", topics=(), label="", seal=Seal([KEY]))
    with database.writing("one") as session:
        sent = told | {"webhook": hook, "attempts": 1, "next_at": NOW}
        states = {96: ("delivered", NOW), 97: ("failed", None), 98: ("pending", None), 99: ("delivered", later)}
        rows = [sent | {"number": n, "status": s, "delivered_at": at} for n, (s, at) in states.items()]
        session.execute(insert(DeliveryRecord), rows)
    monkeypatch.setattr(retention, "AT_ONCE", 1)  # several transactions
    assert prune(turns, "one", now=later) == ("one", 1, 3, 2, 1, 1, 2, 0)
    assert prune(turns, "one", now=later) == ("one", 0, 0, 0, 0, 0, 0, 0)
    with database.reading("one") as session:
        assert session.scalars(select(AnswerRecord.key)).all() == ["new"]
        assert session.scalars(select(SessionRecord.id)).all() == ["good"]
        assert session.scalars(select(SignInRecord.id)).all() == ["new"]
        # What is not handed out yet, and what is still on its way to a webhook, stays.
        assert session.scalars(select(OutboxRecord.number).order_by(OutboxRecord.number)).all() == [1, 2, 3, 4, 98]
        assert session.scalars(select(DeliveryRecord.number).order_by(DeliveryRecord.number)).all() == [98, 99]
        assert session.scalars(select(InboxRecord.number)).all() == [99]
        assert verify(session).entries == 4
    with database.reading("two") as session:
        assert session.scalars(select(AnswerRecord.key)).all() == ["key"]
