"""Webhooks: registered, tried, their secrets changed; what is on its way, and what is sent again."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Response

from api.delivery import webhooks as hooks
from api.delivery.addresses import checked_url
from api.routes.access import Here, ManagingWebhooks, actor
from api.routes.conditions import Expected, Key, Once, cursor, cursor_parts, etag
from api.routes.delivery_models import (
    DeliveryAnswer,
    DeliveryPage,
    DeliveryStatus,
    NewSecret,
    NewWebhook,
    Replayed,
    Since,
    Told,
    WebhookAnswer,
    WebhookChange,
    WebhookMade,
    WebhookPage,
)
from api.routes.examples import SINCE, WEBHOOK_CHANGES, WEBHOOKS
from api.routes.problems import answers, problem
from api.store.turn import Turn

router = APIRouter(prefix="/webhooks", tags=["webhooks"])

Id = Annotated[str, Path(description="id of the webhook")]
Number = Annotated[int, Path(ge=1, le=2**63 - 1, description="of the message")]


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    operation_id="registerWebhook",
    summary="Register a webhook",
    responses=answers(400),
)
def register(
    new: Annotated[NewWebhook, Body(openapi_examples=WEBHOOKS)],
    caller: ManagingWebhooks,
    here: Here,
    response: Response,
    key: Key = None,
) -> WebhookMade:
    """Register an address. The secret in the answer signs every message (Standard Webhooks); it can be read this once."""
    url = checked_url(new.url, private=here.private_webhooks)
    once = Once(caller, key, {"route": "webhooks", **new.model_dump(mode="json")})

    def act(turn: Turn) -> WebhookMade:
        kept = once.answered(turn)
        if kept is not None:
            id, secret = kept["id"], hooks.secret_of(turn.session, kept["id"], here.seal)
        else:
            id, secret = hooks.register(turn, url, topics=new.topics, label=new.label, seal=here.seal)
            once.keep(turn, {"id": id})
            turn.draft.write()
        return WebhookMade(webhook=_answer(hooks.one_hook(turn.session, id)), secret=secret)

    made = here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller))
    response.headers["ETag"] = etag(made.webhook.version)
    return made


@router.get("", operation_id="listWebhooks", summary="List webhooks", responses=answers())
def webhooks(caller: ManagingWebhooks, here: Here) -> WebhookPage:
    """List the webhooks of the firm, each with its backlog."""
    with here.database.reading(caller.firm) as session:
        return WebhookPage(webhooks=tuple(_answer(one) for one in hooks.hooks_of(session)))


@router.get("/{id}", operation_id="getWebhook", summary="Read a webhook", responses=answers(404))
def webhook(id: Id, caller: ManagingWebhooks, here: Here, response: Response) -> WebhookAnswer:
    """Read one webhook: its backlog, since when it fails, why it is disabled."""
    with here.database.reading(caller.firm) as session:
        found = hooks.one_hook(session, id)
    response.headers["ETag"] = etag(found.version)
    return _answer(found)


@router.patch("/{id}", operation_id="changeWebhook", summary="Change a webhook", responses=answers(400, 404, 412, 428))
def change(
    id: Id,
    change: Annotated[WebhookChange, Body(openapi_examples=WEBHOOK_CHANGES)],
    caller: ManagingWebhooks,
    here: Here,
    expected: Expected,
    response: Response,
) -> WebhookAnswer:
    """Change a webhook, disable it, or enable it again."""
    fields = change.model_dump(exclude_unset=True)
    if not fields:
        hint = "Maybe send one of: " + ", ".join(WebhookChange.model_fields) + "."
        raise problem(HTTPStatus.UNPROCESSABLE_ENTITY, "nothing_to_change", "body", "{}", "changes nothing", hint=hint)
    if "url" in fields:
        checked_url(fields["url"], private=here.private_webhooks)

    def act(turn: Turn) -> WebhookAnswer:
        hooks.change(turn, id, expected=expected, **fields)
        return _answer(hooks.one_hook(turn.session, id))

    changed = here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller))
    response.headers["ETag"] = etag(changed.version)
    return changed


@router.delete(
    "/{id}",
    status_code=HTTPStatus.NO_CONTENT,
    operation_id="removeWebhook",
    summary="Remove a webhook",
    responses=answers(404, 412, 428),
)
def remove(id: Id, caller: ManagingWebhooks, here: Here, expected: Expected) -> None:
    """Forget a webhook and what was on its way to it."""
    here.sharing.act(
        caller.firm, lambda turn: hooks.remove(turn, id, expected=expected), now=here.now(), actor=actor(caller)
    )


@router.post("/{id}/secret", operation_id="rotateSecret", summary="Change a secret", responses=answers(404))
def rotate(id: Id, caller: ManagingWebhooks, here: Here, key: Key = None) -> NewSecret:
    """Change the secret. For a day messages are signed with both, so that receivers can follow."""
    once = Once(caller, key, {"route": "secret", "webhook": id})

    def act(turn: Turn) -> NewSecret:
        if once.answered(turn) is None:
            hooks.rotate(turn, id, here.seal)
            once.keep(turn, {"id": id})
        until = hooks.one_hook(turn.session, id).old_secret_until
        return NewSecret(secret=hooks.secret_of(turn.session, id, here.seal), old_secret_until=until)

    return here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller))


@router.post(
    "/{id}/test",
    status_code=HTTPStatus.ACCEPTED,
    operation_id="testWebhook",
    summary="Test a webhook",
    responses=answers(404),
)
def send_test(id: Id, caller: ManagingWebhooks, here: Here, key: Key = None) -> Told:
    """Send a message to this webhook only; its delivery says what came back."""
    once = Once(caller, key, {"route": "test", "webhook": id})

    def act(turn: Turn) -> Told:
        kept = once.answered(turn)
        if kept is not None:
            return Told.model_validate(kept)
        told = Told(number=hooks.try_out(turn, id))
        once.keep(turn, told.model_dump(mode="json"))
        return told

    return here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller))


@router.post(
    "/{id}/replay",
    status_code=HTTPStatus.ACCEPTED,
    operation_id="replayMessages",
    summary="Send messages again",
    responses=answers(400, 404),
)
def replay(
    id: Id,
    since: Annotated[Since, Body(openapi_examples=SINCE)],
    caller: ManagingWebhooks,
    here: Here,
    key: Key = None,
) -> Replayed:
    """Send again what was said from a moment on and has not arrived: given up, or never sent as the webhook was disabled."""
    once = Once(caller, key, {"route": "replay", "webhook": id, "since": since.since.isoformat()})

    def act(turn: Turn) -> Replayed:
        kept = once.answered(turn)
        if kept is not None:
            return Replayed.model_validate(kept)
        replayed = Replayed(replayed=hooks.replay_since(turn, id, since.since))
        once.keep(turn, replayed.model_dump(mode="json"))
        return replayed

    return here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller))


@router.get("/{id}/deliveries", operation_id="listDeliveries", summary="List deliveries", responses=answers(404))
def deliveries(
    id: Id,
    caller: ManagingWebhooks,
    here: Here,
    status: DeliveryStatus | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[str | None, Query(alias="cursor", max_length=2_000)] = None,
) -> DeliveryPage:
    """List what was sent and what is to be sent to a webhook, newest message first."""
    parts = cursor_parts(before, int)
    with here.database.reading(caller.firm) as session:
        start = parts[0] if parts else None
        found = hooks.deliveries_before(session, id, status=status, before=start, limit=limit + 1)
    shown = found[:limit]
    more = cursor(shown[-1].number) if len(found) > limit else None
    return DeliveryPage(deliveries=tuple(_delivery(one) for one in shown), next=more)


@router.get("/{id}/deliveries/{number}", operation_id="getDelivery", summary="Read a delivery", responses=answers(404))
def delivery(id: Id, number: Number, caller: ManagingWebhooks, here: Here) -> DeliveryAnswer:
    """Read what became of one message."""
    with here.database.reading(caller.firm) as session:
        return _delivery(hooks.one_delivery(session, id, number))


@router.post(
    "/{id}/deliveries/{number}/replay",
    status_code=HTTPStatus.ACCEPTED,
    operation_id="replayDelivery",
    summary="Send one message again",
    responses=answers(404),
)
def replay_one(id: Id, number: Number, caller: ManagingWebhooks, here: Here) -> DeliveryAnswer:
    """Send one message again, with the same id; done twice it is sent once, if nobody was faster."""

    def act(turn: Turn) -> DeliveryAnswer:
        hooks.replay_one(turn, id, number)
        return _delivery(hooks.one_delivery(turn.session, id, number))

    return here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller))


def _answer(one: hooks.Hook) -> WebhookAnswer:
    return WebhookAnswer.model_validate(one._asdict())


def _delivery(one: hooks.Delivery) -> DeliveryAnswer:
    return DeliveryAnswer.model_validate(one._asdict())
