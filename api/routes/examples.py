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

SOLVES: dict[str, Example] = {
    "a minute": {"summary": "The best plan found in a minute", "value": {"seconds": 60}},
    "near the best": {
        "summary": "Until proven within one percent of the best, for ten minutes at most",
        "value": {"seconds": 600, "gap_pct": 1.0},
    },
    "repeatable": {
        "summary": "The same plan for the same firm, on any machine",
        "value": {"seconds": 600, "work_units": 20, "seed": 7},
    },
}

SCHEDULES: dict[str, Example] = {
    "later": {"summary": "Every night at half past three", "value": {"at": "03:30:00"}},
    "working days": {
        "summary": "Before each working day only",
        "value": {"at": "02:00:00", "weekdays": [0, 1, 2, 3, 4]},
    },
    "never": {"summary": "Not by itself", "value": {"at": "02:00:00", "enabled": False}},
}

REASONS: dict[str, Example] = {
    "a reason": {"summary": "For the log", "value": {"reason": "The client asked to keep their accountant this year."}},
}

ESTIMATES: dict[str, Example] = {
    "an hour and a half": {"summary": "Routed at once", "value": {"estimate_min": 90}},
}

APPROVALS: dict[str, Example] = {
    "two": {
        "summary": "Both or none",
        "value": {"proposals": ["p0123456789abcdef", "pfedcba9876543210"], "reason": "Ann needs room this week."},
    },
}

WEBHOOKS: dict[str, Example] = {
    "work": {
        "summary": "Everything about tasks",
        "value": {"url": "https://hooks.example.com/evenhand", "topics": ["task.*"], "label": "Practice management"},
    },
    "everything": {"summary": "Whatever is told", "value": {"url": "https://hooks.example.com/all"}},
}

SINCE: dict[str, Example] = {
    "a morning": {"summary": "What was missed since then", "value": {"since": "2027-03-01T09:00:00-05:00"}},
}

READ: dict[str, Example] = {
    "two": {"summary": "Two messages of the desk", "value": {"numbers": [1, 2]}},
}
