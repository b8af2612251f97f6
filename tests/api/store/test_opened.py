from __future__ import annotations

from datetime import UTC, datetime, timedelta

from api.roles import Role
from api.store.tokens import KNOWN_AT_ONCE, KNOWN_S, Opened, Token

NOW = datetime(2027, 3, 1, 14, 0, tzinfo=UTC)


def token(firm: str = "one") -> Token:
    return Token(firm, "id", Role.OWNER, None, NOW, NOW + timedelta(days=1), None, None)


class Clock:
    s = 0.0

    def __call__(self) -> float:
        return self.s


def test_what_was_looked_up_is_believed_for_a_moment_and_until_it_expires() -> None:
    clock = Clock()
    opened = Opened(tick=clock)
    assert opened.find("a", now=NOW) is None
    opened.keep("a", token(), looked_up_s=0.0)
    assert opened.find("a", now=NOW) == token()
    assert opened.find("a", now=NOW + timedelta(days=1)) is None
    clock.s = KNOWN_S - 0.01
    assert opened.find("a", now=NOW) == token()
    clock.s = KNOWN_S
    assert opened.find("a", now=NOW) is None


def test_a_firm_that_revokes_a_token_is_forgotten_and_no_other() -> None:
    opened = Opened(tick=Clock())
    opened.keep("a", token(), looked_up_s=0.0)
    opened.keep("b", token("two"), looked_up_s=0.0)
    opened.forget("one")
    assert opened.find("a", now=NOW) is None
    assert opened.find("b", now=NOW) == token("two")


def test_a_use_that_is_being_noted_is_noted_once() -> None:
    opened = Opened(tick=Clock())
    assert opened.notes_use("a", now=NOW)  # of a session, which is looked up each time
    opened.keep("a", token(), looked_up_s=0.0)
    assert [opened.notes_use("a", now=NOW) for _ in range(3)] == [True, False, False]
    found = opened.find("a", now=NOW)
    assert found is not None
    assert found.last_used_at == NOW


def test_so_many_are_remembered_and_no_more() -> None:
    opened = Opened(tick=Clock())
    for i in range(KNOWN_AT_ONCE + 1):
        opened.keep(str(i), token(), looked_up_s=0.0)
    assert opened.find("0", now=NOW) is None
    assert opened.find("1", now=NOW) is not None
