"""Examples of the OpenAPI document. A test sends each of them."""

from __future__ import annotations

from fastapi.openapi.models import Example

TASKS: dict[str, Example] = {
    "estimated": {
        "summary": "A return of four hours, due in two weeks",
        "value": {
            "id": "return-2026-acme",
            "type": "return",
            "client": "acme",
            "deadline": "2027-03-15",
            "estimate_min": 240,
        },
    },
    "urgent": {
        "summary": "Due at noon, more important than other work",
        "value": {
            "id": "notice-acme",
            "type": "return",
            "client": "acme",
            "deadline": "2027-03-05",
            "deadline_time": "12:00:00",
            "estimate_min": 90,
            "priority": "critical",
        },
    },
    "not estimated": {
        "summary": "Without an estimate: held until it has one",
        "value": {"id": "question-acme", "type": "return", "client": "acme", "deadline": "2027-03-12"},
    },
}
