"""Examples of the OpenAPI document. A test sends each of them."""

from __future__ import annotations

from typing import Any

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
BULK: dict[str, Example] = {
    "two tasks": {
        "summary": "A return and its review, in this order",
        "value": {
            "tasks": [
                {
                    "id": "return-2026-acme-state",
                    "type": "return",
                    "client": "acme",
                    "deadline": "2027-03-16",
                    "estimate_min": 120,
                },
                {
                    "id": "review-2026-acme-state",
                    "type": "return",
                    "client": "acme",
                    "deadline": "2027-03-18",
                    "estimate_min": 30,
                    "reviews": "return-2026-acme-state",
                },
            ]
        },
    },
}
TASK_CHANGES: dict[str, Example] = {
    "more urgent": {"summary": "Due earlier", "value": {"deadline": "2027-03-12", "priority": "high"}},
}
TIMES: dict[str, Example] = {
    "an hour and a half": {
        "summary": "Time of one day",
        "value": {"id": "sheet-7", "person": "ann", "day": "2027-03-01", "minutes": 90},
    },
}
CORRECTIONS: dict[str, Example] = {
    "shorter": {"summary": "It was an hour", "value": {"minutes": 60, "reason": "lunch was counted"}},
}
COMPLETIONS: dict[str, Example] = {
    "today": {"summary": "Done today", "value": {}},
    "earlier": {"summary": "Done on another day", "value": {"completed_on": "2027-02-26"}},
}
PEOPLE: dict[str, Example] = {
    "part time": {
        "summary": "A senior who works four days, with two skills",
        "value": {
            "id": "dana",
            "name": "Dana Reed",
            "level": "senior",
            "team": "tax",
            "skills": [{"skill": "tax", "efficiency_pct": 90}, {"skill": "books"}],
            "weekly_min": [480, 480, 480, 480, 0, 0, 0],
        },
    },
}
SKILLS: dict[str, Example] = {
    "learning": {"summary": "Needs a quarter more time than planned", "value": {"efficiency_pct": 125}},
}
LEAVINGS: dict[str, Example] = {
    "in summer": {"summary": "Last day worked", "value": {"last_day": "2027-06-30"}},
}
CALENDAR_ENTRIES: dict[str, Example] = {
    "vacation": {
        "summary": "A week off",
        "value": {"kind": "time_off", "person": "ann", "first_day": "2027-03-08", "last_day": "2027-03-12"},
    },
    "training": {
        "summary": "An hour of each day for something that is not a task",
        "value": {
            "kind": "booking",
            "person": "ann",
            "first_day": "2027-03-15",
            "last_day": "2027-03-19",
            "minutes_per_day": 60,
            "label": "training",
        },
    },
    "busy season": {
        "summary": "Saturdays of four hours for everybody",
        "value": {
            "kind": "overtime",
            "first_day": "2027-03-01",
            "last_day": "2027-04-15",
            "extra_min": [0, 0, 0, 0, 0, 240, 0],
        },
    },
}
CLIENTS: dict[str, Example] = {
    "valued": {
        "summary": "A client whom Ann knows",
        "value": {"id": "birch", "name": "Birch Street Bakery", "tier": "high", "usual_person": "ann"},
    },
}
TASK_TYPES: dict[str, Example] = {
    "reviewed": {
        "summary": "Work of three hours that a manager reviews",
        "value": {
            "id": "partnership",
            "name": "Partnership return",
            "skill": "tax",
            "default_estimate_min": 180,
            "complexity": 3,
            "review": {"min_level": "manager", "share_pct": 30},
        },
    },
}
POLICIES: dict[str, Example] = {
    "guarded": {
        "summary": "Complex work asks for a senior",
        "value": {"guardrail": {"complex_from": 4, "complex_level": "senior"}},
    },
}
POLICY_CHANGES: dict[str, Example] = {
    "guarded": {
        "summary": "Complex work asks for a senior, moves cost more",
        "value": {
            "policy": {"guardrail": {"complex_level": "senior"}, "weights": {"move": 90}},
            "reason": "too many hand-overs in February",
        },
    },
}
SETTINGS: dict[str, Any] = {
    "name": "Maple & Stone",
    "time_zone": "America/Chicago",
    "workday_start": "09:00:00",
    "workday_end": "17:00:00",
    "levels": [
        {"name": "associate", "target_utilisation_pct": 80},
        {"name": "senior", "target_utilisation_pct": 80},
        {"name": "manager", "target_utilisation_pct": 75},
        {"name": "partner", "target_utilisation_pct": 50},
    ],
    "holiday_calendar": {"country": "US"},
}
SETTINGS_CHANGES: dict[str, Example] = {
    "moved": {"summary": "Another name and time zone", "value": {"settings": SETTINGS, "reason": "the firm moved"}},
}
TOKENS: dict[str, Example] = {
    "integration": {"summary": "For another program, for a year", "value": {"role": "integration", "days": 365}},
    "staff": {"summary": "For somebody who logs their own time", "value": {"role": "staff", "person": "ann"}},
    "manager of a team": {
        "summary": "For somebody whose rights end at their team",
        "value": {"role": "manager", "team": "tax", "days": 30},
    },
}
USERS: dict[str, Example] = {
    "a manager": {
        "summary": "Signs in with a password, and manages one team",
        "value": {
            "login": "dana@birch.example",
            "password": "correct horse battery staple",
            "role": "manager",
            "team": "tax",
        },
    },
    "by provider": {
        "summary": "Signs in elsewhere only",
        "value": {"login": "ann@birch.example", "role": "staff", "person": "ann"},
    },
}
USER_CHANGES: dict[str, Example] = {
    "another role": {"summary": "From now on", "value": {"role": "operations", "team": None}},
    "gone": {"summary": "Signs in no more", "value": {"disabled": True}},
}
NEW_PASSWORDS: dict[str, Example] = {
    "another": {
        "summary": "To be changed by whoever gets it",
        "value": {"password": "incorrect zebra current paperclip"},
    },
}
FIRMS: dict[str, Example] = {
    "sister": {"summary": "A second firm", "value": {"id": "maple", "settings": SETTINGS}},
}
IMPORT: dict[str, Example] = {
    "a client and its work": {
        "summary": "What is left out stays as it is",
        "value": {
            "clients": [{"id": "cedar", "name": "Cedar Dental"}],
            "tasks": [
                {
                    "id": "return-2026-cedar",
                    "type": "return",
                    "client": "cedar",
                    "deadline": "2027-04-15",
                    "estimate_min": 300,
                }
            ],
        },
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

APPROVAL: dict[str, Example] = {
    "as it is": {"summary": "For the reason that the proposal gives", "value": {}},
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

WEBHOOK_CHANGES: dict[str, Example] = {
    "less": {"summary": "Proposals only", "value": {"topics": ["proposal.*"]}},
    "again": {"summary": "Enabled again after it failed for long", "value": {"enabled": True}},
}

SINCE: dict[str, Example] = {
    "a morning": {"summary": "What was missed since then", "value": {"since": "2027-03-01T09:00:00-05:00"}},
}

READ: dict[str, Example] = {
    "two": {"summary": "Two messages of the desk", "value": {"numbers": [1, 2]}},
}

SIGN_INS: dict[str, Example] = {
    "a partner": {
        "summary": "With a login and its password",
        "value": {"firm": "birch", "login": "ann@birch.example", "password": "correct horse battery staple"},
    },
}

PASSWORDS: dict[str, Example] = {
    "another": {
        "summary": "The old one, and the new one",
        "value": {"old": "correct horse battery staple", "new": "incorrect zebra current paperclip"},
    },
}

SCENARIOS: dict[str, Example] = {
    "away": {
        "summary": "Ann is away for two weeks, and everybody works four hours more",
        "value": {
            "name": "Ann away in March",
            "note": "She asked for leave.",
            "changes": [
                {"change": "away", "person": "ann", "first_day": "2027-03-15", "last_day": "2027-03-26"},
                {
                    "change": "overtime",
                    "first_day": "2027-03-15",
                    "last_day": "2027-04-15",
                    "per_week_min": 240,
                },
            ],
        },
    },
    "hire": {
        "summary": "One more associate from April, with the skills that are usual",
        "value": {
            "name": "One more associate",
            "changes": [{"change": "joins", "id": "hire", "level": "associate", "start_date": "2027-04-01"}],
        },
    },
}

RUNS: dict[str, Example] = {
    "beside today": {"summary": "The scenario compared with today", "value": {"kind": "what_if", "work_units": 1.0}},
    "sweep": {
        "summary": "From no overtime to six hours a week, in steps of two",
        "value": {
            "kind": "sweep",
            "axes": [
                {
                    "field": "1.per_week_min",
                    "values": [0, 120, 240, 360],
                    "label": "hours of overtime a week",
                    "per": 60,
                }
            ],
        },
    },
    "risk": {
        "summary": "How likely the plan is to hold, and whether a robust one is better",
        "value": {"kind": "risk", "draws": 200, "robust": True},
    },
    "season": {"summary": "The year ahead, with the changes", "value": {"kind": "season"}},
}

FIRM_RUNS: dict[str, Example] = {
    "season": {"summary": "The year ahead of the firm as it is", "value": {"kind": "season", "days": 365}},
    "replay": {
        "summary": "The first week of March with moves twice as dear, and a batch on three nights a week",
        "value": {
            "kind": "replay",
            "first_day": "2027-03-01",
            "last_day": "2027-03-07",
            "changes": [{"change": "policy", "name": "weights.move", "value": 120}],
            "night_weekdays": [0, 2, 4],
        },
    },
}

TURNINGS: dict[str, Example] = {
    "all": {"summary": "Every move that is right today", "value": {}},
    "until Friday": {
        "summary": "They are void on Friday evening",
        "value": {"expires_at": "2027-03-05T17:00:00-05:00"},
    },
}
