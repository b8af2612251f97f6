from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from api.sealing import Seal, Unsealable, new_key
from api.store.accounts import SecretRecord
from api.store.database import Database
from api.store.refusals import NotFound
from api.store.saving import create_firm
from api.store.secrets import forget_secret, keep_secret, read_secret, rotate_secrets
from solver.refusal import Refused
from tests.firms_for_tests import firm, person

NOW = datetime(2027, 3, 1, 14, 0, tzinfo=UTC)
SECRET = "whsec_what nobody may read ⟦ü⟧"


@pytest.fixture
def firms(database: Database) -> Database:
    for id in ("one", "two"):
        create_firm(database, id, firm((person("ann"),)), now=NOW, actor="test")
    return database


def test_a_secret_is_read_with_its_key_and_only_so(firms: Database) -> None:
    old, new = new_key(), new_key()
    with firms.writing("one") as session:
        keep_secret(session, Seal([old]), "hook", "first", now=NOW)
        keep_secret(session, Seal([old]), "hook", SECRET, now=NOW)
    with firms.reading("one") as session:
        assert read_secret(session, Seal([new, old]), "hook") == SECRET
        stored = session.scalars(select(SecretRecord.encrypted)).one()
        with pytest.raises(Unsealable, match="secret_keys"):
            read_secret(session, Seal([new]), "hook")
        with pytest.raises(NotFound, match='Nearest: "hook"'):
            read_secret(session, Seal([old]), "hok")
    assert "whsec" not in stored
    with firms.reading("two") as session, pytest.raises(NotFound):
        read_secret(session, Seal([old]), "hook")
    with firms.writing("one") as session:
        forget_secret(session, "hook")
        with pytest.raises(NotFound):
            read_secret(session, Seal([old]), "hook")


def test_after_a_rotation_the_old_key_opens_nothing_and_the_new_one_everything(firms: Database) -> None:
    old, new = new_key(), new_key()
    with firms.writing("one") as session:
        for i in range(3):
            keep_secret(session, Seal([old]), f"hook-{i}", f"{SECRET} {i}", now=NOW)
    with firms.writing("one") as session:
        assert rotate_secrets(session, Seal([new, old])) == 3
    with firms.reading("one") as session:
        for i in range(3):
            assert read_secret(session, Seal([new]), f"hook-{i}") == f"{SECRET} {i}"
            with pytest.raises(Unsealable):
                read_secret(session, Seal([old]), f"hook-{i}")


def test_a_secret_that_was_put_elsewhere_is_refused(firms: Database) -> None:
    seal = Seal([new_key()])
    for id in ("one", "two"):
        with firms.writing(id) as session:
            keep_secret(session, seal, "hook", f"of {id}", now=NOW)
            keep_secret(session, seal, "other", f"other of {id}", now=NOW)
    with firms.reading("two") as session:
        theirs = session.scalars(select(SecretRecord.encrypted).where(SecretRecord.name == "hook")).one()
    with firms.writing("one") as session:
        session.execute(update(SecretRecord).values(encrypted=theirs))
        for name in ("hook", "other"):
            with pytest.raises(Unsealable, match="opens what was stored for"):
                read_secret(session, seal, name)


def test_keys_that_are_none_are_said_and_not_shown(firms: Database) -> None:
    with pytest.raises(Refused, match="a key that is not 32 bytes") as caught:
        Seal([new_key(), "a-password"])
    assert "a-password" not in str(caught.value)
    with firms.writing("one") as session, pytest.raises(Refused, match="evenhand secrets key"):
        keep_secret(session, Seal([]), "hook", SECRET, now=NOW)
