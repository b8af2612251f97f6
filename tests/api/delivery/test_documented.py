from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from api.delivery.delivering import BACK_OFF
from api.delivery.sending import Message, headers_of, send
from api.delivery.topics import TOPICS
from tests.api.delivery.receiving import Receiver

PAGE = (Path(__file__).parents[3] / "docs" / "webhooks.md").read_text(encoding="utf-8")
SECRET = "whsec_" + "A" * 44


def test_the_page_has_every_topic_and_every_wait() -> None:
    assert dict(re.findall(r"^\| `([a-z_.]+)` \| (.+) \|$", PAGE, re.MULTILINE)) == TOPICS
    hours = [round(wait.total_seconds() / 3_600) for wait in BACK_OFF[3:]]
    assert [wait.total_seconds() / 60 for wait in BACK_OFF[1:3]] == [5, 30]
    assert BACK_OFF[0].total_seconds() == 5
    said = f"5 seconds, 5 and 30 minutes, {', '.join(map(str, hours[:-1]))} and {hours[-1]} hours"
    assert said in " ".join(PAGE.split())


def test_the_receiver_of_the_page_takes_what_we_send_once_and_nothing_else(there: Receiver) -> None:
    code = PAGE.partition("```python\n")[2].partition("```")[0]
    space: dict[str, Any] = {}
    exec(compile(code, "webhooks.md", "exec"), space)
    now, seen = datetime.now(UTC), set[str]()
    message = Message("one", 7, "task.placed", '{"task":"t"}', now)
    assert send(there.url, message, [SECRET], now=now, private=True).arrived
    (came,) = there.came
    first = space["received"](came.body, came.headers, SECRET, seen)
    assert first["data"] == {"task": "t", "firm": "one", "number": 7}
    assert space["received"](came.body, came.headers, SECRET, seen) is None
    for body, headers in (
        (came.body.replace(b'"t"', b'"u"'), came.headers),
        (came.body, {**came.headers, "webhook-id": "msg_other"}),
        (came.body, headers_of(message, ["whsec_" + "B" * 44], now)),
    ):
        with pytest.raises(WebhookVerificationError):
            space["received"](body, headers, SECRET, set())
