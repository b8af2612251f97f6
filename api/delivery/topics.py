"""What is told, and whose inbox it reaches. `""` is the desk: whoever may decide for the firm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from solver.refusal import Refusal, Refused, nearest_name

DESK = ""
"""In the place of a person: the inbox of those who decide."""
TEST = "webhook.test"
TOPICS = {
    "task.placed": "a task was given to somebody by the rule or by last night's prices",
    "task.held": "a task waits for its estimate",
    "task.escalated": "nobody could take a task",
    "task.assigned": "somebody was given a task by a manager",
    "task.unassigned": "a task was taken from its person",
    "hold.ended": "a held task waits no more",
    "escalation.ended": "an escalated task waits no more",
    "proposal.created": "a proposal waits for a manager",
    "proposal.approved": "a proposal was approved, and its moves were made",
    "proposal.declined": "a proposal was declined",
    "proposal.expired": "nobody decided a proposal in time",
    "proposal.superseded": "a proposal is over, as the work has gone elsewhere or a later plan does not make it",
    "proposal.undone": "the work of an approved proposal was given back",
    "solve.done": "a solve has ended, and its plan was applied",
    "solve.cancelled": "a solve was cancelled",
    "solve.failed": "a solve has failed",
    "run.done": "a what-if, sweep or risk has ended, and its result can be read",
    "run.cancelled": "a what-if, sweep or risk was cancelled",
    "run.failed": "a what-if, sweep or risk has failed",
    "self_check.differs": "the board that a process kept was not what is stored; it was built anew",
    "webhook.disabled": "a webhook failed too long and is sent nothing more",
    TEST: "somebody tries a webhook",
}
"""Every topic there is, and when it is told."""
_TO_DESK = frozenset(TOPICS) - {
    "task.placed",
    "task.assigned",
    "task.unassigned",
    "proposal.superseded",  # a night may supersede dozens, and nobody has to do anything about it
    "solve.done",  # every night; what comes of it is told
    "solve.cancelled",
    "run.done",  # whoever asked is looking
    "run.cancelled",
    "run.failed",
    TEST,
}


def readers(topic: str, document: Mapping[str, Any]) -> tuple[str, ...]:
    """Return whose inboxes a message reaches; none: it is for other systems only."""
    if topic in ("task.placed", "task.assigned", "task.unassigned"):
        both = (document.get("person"), document.get("from_person"))
        return tuple(dict.fromkeys(person for person in both if person is not None))
    return (DESK,) if topic in _TO_DESK else ()


def wanted(topics: Sequence[str], topic: str) -> bool:
    """Whether a webhook that asks for ``topics`` is sent ``topic``; none asked: all, ``task.*``: all about tasks."""
    return not topics or topic in topics or f"{topic.partition('.')[0]}.*" in topics


def require_topics(topics: Sequence[str]) -> None:
    """Refuse a topic that is never told."""
    known = [*TOPICS, *dict.fromkeys(f"{topic.partition('.')[0]}.*" for topic in TOPICS)]
    for topic in topics:
        if topic not in known:
            near, message = nearest_name(topic, known), "is never told"
            refusal = Refusal(code="unknown_topic", field="topics", value=topic, message=message, nearest=near)
            raise Refused(refusal)
