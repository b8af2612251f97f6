"""The client's methods about who may use the service, and who is told: webhooks, tokens, users; whether it answers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from api.client.requests import Requests, in_path
from api.routes.delivery_models import (
    DeliveryAnswer,
    DeliveryPage,
    NewSecret,
    NewWebhook,
    Replayed,
    Since,
    Told,
    WebhookAnswer,
    WebhookMade,
    WebhookPage,
)
from api.routes.firm_models import NewToken, TokenMade, Tokens
from api.routes.models import Health, Version
from api.routes.user_models import NewUser, SignInAnswer, SignInPage, UserAnswer, UserPage


class Running(Requests):
    """Webhooks, tokens, users; whether the service answers."""

    def webhooks(self) -> WebhookPage:
        """Read all webhooks."""
        return self._get(WebhookPage, "/webhooks")

    def webhook(self, id: str) -> WebhookAnswer:
        """Read one webhook, and how far behind it is."""
        return self._get(WebhookAnswer, f"/webhooks/{in_path(id)}")

    def register_webhook(self, webhook: NewWebhook, *, key: str | None = None) -> WebhookMade:
        """Let an address be sent messages; the secret is shown this once."""
        return self._create(WebhookMade, "/webhooks", webhook, key)

    def change_webhook(self, id: str, *, version: int | None, **fields: Any) -> WebhookAnswer:
        """Change ``url``, ``topics``, ``label`` or ``enabled`` of a webhook."""
        change = TypeAdapter(dict[str, Any]).dump_python(fields, mode="json")
        return self._change(WebhookAnswer, "PATCH", f"/webhooks/{in_path(id)}", change, version)

    def remove_webhook(self, id: str, *, version: int | None) -> None:
        """Send an address nothing any more."""
        self._remove(f"/webhooks/{in_path(id)}", version)

    def rotate_secret(self, webhook: str, *, key: str | None = None) -> NewSecret:
        """Sign with another secret from now on."""
        return self._create(NewSecret, f"/webhooks/{in_path(webhook)}/secret", None, key)

    def test_webhook(self, id: str, *, key: str | None = None) -> Told:
        """Send a message that only tries the webhook."""
        return self._create(Told, f"/webhooks/{in_path(id)}/test", None, key)

    def replay_messages(self, webhook: str, since: datetime, *, key: str | None = None) -> Replayed:
        """Send again what has not arrived since a moment."""
        return self._create(Replayed, f"/webhooks/{in_path(webhook)}/replay", Since(since=since), key)

    def deliveries(self, webhook: str, **wanted: Any) -> Iterator[DeliveryAnswer]:
        """Yield deliveries to a webhook, newest first; ``wanted``: ``status``."""
        path = f"/webhooks/{in_path(webhook)}/deliveries"
        return self._pages(DeliveryPage, path, lambda page: page.deliveries, wanted)

    def delivery(self, webhook: str, number: int) -> DeliveryAnswer:
        """Read one delivery."""
        return self._get(DeliveryAnswer, f"/webhooks/{in_path(webhook)}/deliveries/{number}")

    def replay_delivery(self, webhook: str, number: int) -> DeliveryAnswer:
        """Send one message again."""
        path = f"/webhooks/{in_path(webhook)}/deliveries/{number}/replay"
        return self._ask(DeliveryAnswer, "POST", path)

    def tokens(self) -> Tokens:
        """Read all tokens, without what they open."""
        return self._get(Tokens, "/tokens")

    def create_token(self, token: NewToken, *, key: str | None = None) -> TokenMade:
        """Make a token; it is shown this once."""
        return self._create(TokenMade, "/tokens", token, key)

    def revoke_token(self, id: str) -> None:
        """Let a token open nothing any more."""
        self._send("DELETE", f"/tokens/{in_path(id)}", repeatable=True)

    def users(self, **wanted: Any) -> Iterator[UserAnswer]:
        """Yield who may sign in, oldest first."""
        return self._pages(UserPage, "/users", lambda page: page.users, wanted)

    def user(self, id: str) -> UserAnswer:
        """Read one user."""
        return self._get(UserAnswer, f"/users/{in_path(id)}")

    def create_user(self, user: NewUser, *, key: str | None = None) -> UserAnswer:
        """Let somebody sign in from now on."""
        return self._create(UserAnswer, "/users", _shown(user), key)

    def change_user(self, id: str, *, version: int | None, **fields: Any) -> UserAnswer:
        """Change ``role``, ``person``, ``team`` or ``disabled`` of a user."""
        change = TypeAdapter(dict[str, Any]).dump_python(fields, mode="json")
        return self._change(UserAnswer, "PATCH", f"/users/{in_path(id)}", change, version)

    def reset_password(self, user: str, password: str) -> UserAnswer:
        """Give somebody a new password."""
        return self._ask(UserAnswer, "POST", f"/users/{in_path(user)}/password", {"password": password})

    def sign_ins(self, **wanted: Any) -> Iterator[SignInAnswer]:
        """Yield attempts to sign in, newest first; ``wanted``: ``user``."""
        return self._pages(SignInPage, "/sign-ins", lambda page: page.sign_ins, wanted)

    def health(self) -> Health:
        """Learn whether the process answers."""
        return self._get(Health, "/health")

    def readiness(self) -> Health:
        """Learn whether requests may be sent."""
        return self._get(Health, "/ready")

    def version(self) -> Version:
        """Learn what runs there."""
        return self._get(Version, "/version")


def _shown(user: NewUser) -> dict[str, Any]:
    """Return a user as they are sent: models hide passwords, also from JSON."""
    password = None if user.password is None else user.password.get_secret_value()
    return {**user.model_dump(mode="json"), "password": password}
