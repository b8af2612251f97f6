"""The log: one JSON object a line (or plain text), with the request it belongs to, and never a token, cookie or password."""

from __future__ import annotations

import logging
import re
import sys
from typing import Any, Literal, TextIO

import structlog

from api import tracing

_SECRETS = (
    (re.compile(r"\b(ev[hs]_[0-9a-f]{16})_[0-9a-f]{64}"), r"\1_(not shown)"),
    (re.compile(r"(://[^:/@\s\"']*):[^@/\s\"']+@"), r"\1:(not shown)@"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"), r"\1 (not shown)"),
)


def redacted(text: str) -> str:
    """Return a text without what opens something: tokens, sessions, passwords in addresses."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def _traced(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Say which trace a line belongs to, where there is one."""
    event.update(tracing.ids())
    return event


class _Redacting(structlog.stdlib.ProcessorFormatter):
    """The last step of every line, so that no message, argument or trace goes around it."""

    def format(self, record: logging.LogRecord) -> str:
        return redacted(super().format(record))


CHATTY = ("alembic", "dbos")
"""Libraries whose everyday news is nobody's."""


def log_to(stream: TextIO = sys.stderr, *, level: str = "info", form: Literal["json", "text"] = "json") -> None:
    """Send everything that is logged in this process to a stream; what was set before is replaced."""
    ends: list[structlog.typing.Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if form == "json":
        ends += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    else:
        ends += [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)]
    begins: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        _traced,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_Redacting(foreign_pre_chain=begins, processors=ends))
    root = logging.getLogger()
    for one in list(root.handlers):
        root.removeHandler(one)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for chatty in CHATTY:
        logging.getLogger(chatty).setLevel(max(root.level, logging.WARNING))
