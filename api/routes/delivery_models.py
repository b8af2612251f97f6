"""What the routes of webhooks and the inbox take and answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

from api.delivery.addresses import MAX_LENGTH
from api.routes.models import Answer, left_out
from solver.firm import Name
from solver.policy import Frozen
from solver.refusal import refuse

Url = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_LENGTH)]
Label = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
Topics = Annotated[tuple[Name, ...], Field(max_length=50)]
DeliveryStatus = Literal["pending", "delivered", "failed"]


class NewWebhook(Frozen):
    """An address that is to be sent messages."""

    url: Url = Field(description="HTTPS, and not in the inner network")
    topics: Topics = Field(
        default=(), description='what it is sent, such as "task.placed" or "task.*"; none: everything'
    )
    label: Label = ""


class WebhookChange(Frozen):
    """What to change about a webhook. What is left out stays."""

    url: Url = Field(default_factory=left_out)
    topics: Topics = Field(default_factory=left_out)
    label: Label = Field(default_factory=left_out)
    enabled: bool = Field(default_factory=left_out)


class WebhookAnswer(Answer):
    """A webhook, and how far behind it is."""

    id: str
    version: int = Field(description="its ETag")
    label: str
    url: str
    topics: tuple[str, ...] = Field(description="none: everything")
    created_at: datetime
    failing_since: datetime | None = Field(description="first failure after the last success")
    disabled_at: datetime | None
    disabled_why: str | None
    old_secret_until: datetime | None = Field(description="until when the secret before signs along")
    pending: int = Field(description="messages that are to be sent")
    failed: int = Field(description="messages that were given up; they can be replayed")
    oldest_pending_at: datetime | None = Field(description="when the oldest of the pending ones was said")


class WebhookMade(Answer):
    """A new webhook with its secret."""

    webhook: WebhookAnswer
    secret: str = Field(description="signs every message; shown this once")


class WebhookPage(Answer):
    """All webhooks of the firm, oldest first."""

    webhooks: tuple[WebhookAnswer, ...]


class NewSecret(Answer):
    """A webhook's new secret."""

    secret: str = Field(description="signs every message from now on; shown this once")
    old_secret_until: datetime | None = Field(description="until when the secret before signs along")


class Told(Answer):
    """A message that is on its way."""

    number: int


class DeliveryAnswer(Answer):
    """One message on its way to a webhook."""

    number: int = Field(description="of the message")
    topic: str
    at: datetime = Field(description="when it was said")
    status: DeliveryStatus
    attempts: int
    next_at: datetime | None = Field(description="when it is sent next; none: it is not")
    tried_at: datetime | None
    answered: int | None = Field(description="HTTP status of the last answer; none: none came")
    error: str | None
    delivered_at: datetime | None


class DeliveryPage(Answer):
    """Deliveries to one webhook, newest message first."""

    deliveries: tuple[DeliveryAnswer, ...]
    next: str | None = Field(description="cursor of the next page; none: this was the last")


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise refuse("moment_out_of_range", "", moment, "is before the first day there is in UTC") from None


class Since(Frozen):
    """From when on messages that have not arrived are sent again."""

    since: Annotated[AwareDatetime, AfterValidator(_in_utc)]


class Replayed(Answer):
    """How many messages are sent again."""

    replayed: int


class InboxItem(Answer):
    """One message for a person, or for the desk of those who decide."""

    number: int
    topic: str
    at: datetime
    text: str = Field(description="one sentence for people")
    about: dict[str, Any] = Field(description="ids and numbers of what it is about")
    read_at: datetime | None
    read_by: str | None = Field(description="id of the token that marked it read")


class InboxPage(Answer):
    """Messages, newest first."""

    items: tuple[InboxItem, ...]
    unread: int = Field(description="of all messages")
    next: str | None = Field(description="cursor of the next page; none: this was the last")


class ReadNumbers(Frozen):
    """Messages that somebody has read."""

    numbers: Annotated[tuple[Annotated[int, Field(ge=1, le=2**63 - 1)], ...], Field(min_length=1, max_length=200)]
    person: Name | None = Field(default=None, description="whose inbox; none: the desk, or one's own for staff")


class MarkedRead(Answer):
    """How many messages had not been read."""

    marked: int
