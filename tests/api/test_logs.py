from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
from structlog.contextvars import bound_contextvars

from api.logs import log_to, redacted

TOKEN = "evh_0123456789abcdef_" + "f" * 64 + "_one"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    stream = io.StringIO()
    log_to(stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_line_is_one_json_object_with_its_request(stream: io.StringIO) -> None:
    with bound_contextvars(request_id="r-1"):
        logging.getLogger("api.x").info("line\nof %s", "two", extra={"status": 201})
    (line,) = stream.getvalue().splitlines()
    found = json.loads(line)
    assert found["timestamp"].endswith("Z")
    assert {name: found[name] for name in ("event", "level", "logger", "request_id", "status")} == {
        "event": "line\nof two",
        "level": "info",
        "logger": "api.x",
        "request_id": "r-1",
        "status": 201,
    }


def test_no_secret_is_logged_wherever_it_stands(stream: io.StringIO) -> None:
    log = logging.getLogger("api.x")
    log.info("token %s", TOKEN)
    log.info("header", extra={"authorization": f"Bearer {TOKEN}", "other": "Basic dXNlcjpwYXNzd29yZA=="})
    log.warning("postgresql://me:pass-word@127.0.0.1/x does not answer")
    try:
        raise ValueError(f"no such token: {TOKEN}")
    except ValueError:
        log.exception("failed")
    text = stream.getvalue()
    assert len(text.splitlines()) == 4
    assert "Traceback" in json.loads(text.splitlines()[3])["exception"]
    for secret in ("f" * 64, "pass-word", "dXNlcjpwYXNzd29yZA"):
        assert secret not in text
    assert "evh_0123456789abcdef_(not shown)" in text


def test_plain_text_is_redacted_too(stream: io.StringIO) -> None:
    log_to(stream, level="warning", form="text")
    logging.getLogger("api.x").info("not shown at this level")
    logging.getLogger("api.x").warning("token %s", TOKEN)
    (line,) = stream.getvalue().splitlines()
    assert "token evh_0123456789abcdef_(not shown)_one" in line
    assert redacted("nothing to hide: 10:30 a@b") == "nothing to hide: 10:30 a@b"
