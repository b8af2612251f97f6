"""What the routes of users, of their attempts to sign in, and of a person's data take and answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from api.roles import Role
from api.routes.models import Answer, Password, left_out
from solver.firm import Name, Person
from solver.policy import Frozen

Next = Annotated[str | None, Field(description="cursor of the next page; none: this was the last")]
Rows = tuple[dict[str, Any], ...]


class NewUser(Frozen):
    """Somebody who signs in from now on."""

    login: str = Field(min_length=1, max_length=200, description="such as an address; the same in any case of letters")
    password: Password | None = Field(default=None, description="at least 12 characters; none: signs in elsewhere only")
    role: Role
    person: Name | None = Field(default=None, description="who it is; staff only")
    team: Name | None = Field(default=None, description="whom they manage; managers only; none: everybody")


class UserChange(Frozen):
    """What to change about a user. What is left out stays; null empties."""

    role: Role = Field(default_factory=left_out)
    person: Name | None = Field(default_factory=left_out)
    team: Name | None = Field(default_factory=left_out)
    disabled: bool = Field(default_factory=left_out, description="true ends their sessions, and lets nobody sign in")


class GivenPassword(Frozen):
    """A password that somebody is given."""

    password: Password


class UserAnswer(Answer):
    """Somebody who signs in."""

    id: str = Field(description="logs name it")
    version: int = Field(description="its ETag")
    login: str
    role: Role
    person: str | None
    team: str | None
    created_at: datetime
    disabled_at: datetime | None
    locked_until: datetime | None = Field(description="after wrong passwords; ends by itself")
    signed_in_at: datetime | None


class UserPage(Answer):
    """Users, oldest first."""

    users: tuple[UserAnswer, ...]
    next: Next


class SignInAnswer(Answer):
    """One attempt to sign in."""

    at: datetime
    user: str | None = Field(description="id of the user; none: nobody has the login that was typed")
    outcome: str = Field(description="such as `signed in`, `by provider`, `password`, `locked`, `disabled`, `unknown`")
    address: str


class SignInPage(Answer):
    """Attempts to sign in, newest first."""

    sign_ins: tuple[SignInAnswer, ...]
    next: Next


class PersonData(Answer):
    """All that is kept about a person; rows as they are stored, without what opens anything."""

    person: Person
    calendar: Rows
    tasks: Rows
    assignments: Rows
    time: Rows
    inbox: Rows
    decisions: Rows
    tokens: Rows
    users: Rows
    sessions: Rows
    sign_ins: Rows


class ErasedAnswer(Answer):
    """Who was erased: the id stays, and says nothing of who it was."""

    person: str
    users: int = Field(description="that were theirs, and are gone")
    tokens: int = Field(description="that were theirs, and open nothing any more")
