"""Names stand in one cell each. Boards, reasons and the log say ``⟦id⟧`` for a person; names are put in for whoever reads."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from solver.plan import Decision

MARK = re.compile("⟦([^⟦⟧]*)⟧")


def mark(id: str) -> str:
    """Return what stands for a person's name."""
    return f"⟦{marked(id)}⟧"


def marked(id: str) -> str:
    """Return what stands within the mark of a person: the id, without the signs that end it."""
    return id.replace("⟦", "").replace("⟧", "")


def named(text: str, labels: Mapping[str, str]) -> str:
    """Return a text with names, or ids where no name is known, in place of the marks."""
    return MARK.sub(lambda found: labels.get(found[1]) or found[1], text)


def without_names(text: str, labels: Mapping[str, str]) -> str:
    """Return what a person wrote with marks in place of full names, longest first; the log keeps no names."""
    for id, label in sorted(labels.items(), key=lambda one: -len(one[1])):
        if label != id and label:
            text = text.replace(label, mark(id))
    return text


def with_names(decision: Decision, labels: Mapping[str, str]) -> Decision:
    """Return a decision of a marked board for people."""
    ways = tuple(way.model_copy(update={"sentence": named(way.sentence, labels)}) for way in decision.ways_out)
    return decision.model_copy(update={"reason": named(decision.reason, labels), "ways_out": ways})


def named_json(document: str, labels: Mapping[str, str]) -> str:
    """Return JSON text with names in place of the marks in its strings."""

    def name(found: re.Match[str]) -> str:
        id = str(json.loads(f'"{found[1]}"'))
        return json.dumps(labels.get(id) or id, ensure_ascii=False)[1:-1]

    return MARK.sub(name, document)
