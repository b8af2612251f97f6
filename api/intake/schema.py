"""The sheets a firm is read from and written to: every column with its meaning, unit, parser and example."""

from __future__ import annotations

import re
from dataclasses import dataclass

from api.intake import values
from api.intake.values import Parser

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONG_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes
    ----------
    aliases
        Other headers taken for it. Columns in minutes are also taken in hours, under the same name with ``_hours``.
    """

    name: str
    parse: Parser
    help: str
    example: str = ""
    required: bool = False
    aliases: tuple[str, ...] = ()

    def headers(self) -> dict[str, Parser]:
        """Return every normalised header taken for this column, with the parser it asks for."""
        found = dict.fromkeys((self.name, *self.aliases), self.parse)
        if self.parse is values.minutes:
            for name in (self.name, *self.aliases):
                base = name.removesuffix("_min").removesuffix("_minutes")
                in_hours = name.replace("minutes", "hours") if "minutes" in name else f"{base}_hours"
                found |= {in_hours: values.hours_as_minutes}
                if name.endswith("_min"):
                    found |= {f"{base}_h": values.hours_as_minutes, f"{base}_minutes": values.minutes}
        return found


@dataclass(frozen=True)
class Sheet:
    """One sheet or file: its name, what its rows are, its columns."""

    name: str
    help: str
    columns: tuple[Column, ...]
    aliases: tuple[str, ...] = ()

    def column(self, name: str) -> Column:
        """Return the column of that name."""
        return next(column for column in self.columns if column.name == name)


def normalised(header: str) -> str:
    """Return a header or sheet name as it is compared: lower case, underscores for everything that is no letter or digit."""
    return re.sub(r"[^0-9a-z]+", "_", header.strip("\ufeff \t").casefold()).strip("_")


def _week(what: str) -> tuple[Column, ...]:
    return tuple(
        Column(f"{day}_min", values.minutes, f"minutes {what} on {long.capitalize()}s", "480", aliases=(f"{long}_min",))
        for day, long in zip(WEEKDAYS, LONG_WEEKDAYS, strict=True)
    )


def _days() -> tuple[Column, ...]:
    return (
        Column(
            "first_day",
            values.day,
            "first day, included",
            "2027-03-15",
            required=True,
            aliases=("start", "from", "start_date"),
        ),
        Column(
            "last_day",
            values.day,
            "last day, included; blank: the first day",
            "2027-03-19",
            aliases=("end", "to", "until", "end_date"),
        ),
    )


def _person(help_text: str, *, required: bool = True) -> Column:
    return Column(
        "person", values.text, help_text, "dana", required=required, aliases=("person_id", "people", "employee")
    )


SETTINGS = Sheet(
    "settings",
    "One row per setting; every setting has a default. `evenhand schema policy` explains them.",
    (
        Column(
            "key",
            values.text,
            "name of the setting, such as time_zone or policy.weights.move",
            "time_zone",
            required=True,
            aliases=("setting",),
        ),
        Column("value", values.text, "its value; none for nothing; lists separated by semicolons", "America/New_York"),
    ),
    aliases=("firm",),
)
LEVELS = Sheet(
    "levels",
    "Steps of seniority, lowest first. Without this sheet: associate, senior, manager, partner.",
    (
        Column("name", values.text, "name of the level", "senior", required=True, aliases=("level",)),
        Column("target_utilisation_pct", values.whole, "share of capacity meant for tasks, in percent", "80"),
    ),
)
PEOPLE = Sheet(
    "people",
    "Everybody who does tasks.",
    (
        Column(
            "id",
            values.text,
            "short, unique, never changes",
            "dana",
            required=True,
            aliases=("person", "person_id", "employee_id"),
        ),
        Column("name", values.text, "as people say it", "Dana Reyes", aliases=("full_name", "person_name", "employee")),
        Column("level", values.text, "one of the levels", "senior", required=True, aliases=("grade", "seniority")),
        Column("team", values.text, "department or team", "Tax", aliases=("department",)),
        Column(
            "skills",
            values.names,
            "skills at 100 percent, separated by semicolons; or the skills sheet",
            "tax-1040; tax-1065",
        ),
        *_week("worked"),
        Column(
            "week_min",
            values.minutes,
            "minutes of work a week, spread over Monday to Friday; instead of the days",
            "2400",
        ),
        Column("start_date", values.day, "first day worked; blank: works already", "2027-01-04", aliases=("joined",)),
        Column("leave_date", values.day, "last day worked; blank: stays", "", aliases=("end_date", "left")),
        Column("target_utilisation_pct", values.whole, "overrides the level's target, in percent", "75"),
    ),
    aliases=("person", "staff", "team_members", "employees"),
)
SKILLS = Sheet(
    "skills",
    "The skill matrix: one row per person and skill.",
    (
        _person("id of the person"),
        Column("skill", values.text, "name of the skill", "tax-1040", required=True),
        Column(
            "efficiency_pct",
            values.whole,
            "percent of the estimate this person needs; 80 is faster than planned",
            "100",
            aliases=("efficiency",),
        ),
        Column("mismatch_min", values.minutes, "minutes of comfort it costs when this person gets such work", "0"),
    ),
    aliases=("skill_matrix",),
)
CLIENTS = Sheet(
    "clients",
    "Everybody the firm works for. Without this sheet, clients are taken from the tasks.",
    (
        Column(
            "id", values.text, "short, unique, never changes", "acme", required=True, aliases=("client", "client_id")
        ),
        Column("name", values.text, "as people say it", "Acme Bakeries", aliases=("client_name",)),
        Column("tier", values.word, "low, standard or high", "standard", aliases=("value_tier", "value")),
        Column("usual_person", values.text, "id of the person who knows this client", "dana"),
        Column(
            "barred",
            values.names,
            "ids of people who may not work for this client, separated by semicolons",
            "lee; sam",
        ),
    ),
)
TASK_TYPES = Sheet(
    "task_types",
    "Templates of work.",
    (
        Column("id", values.text, "short, unique, never changes", "1040", required=True, aliases=("type", "task_type")),
        Column("name", values.text, "as people say it", "Individual return"),
        Column("skill", values.text, "the skill it asks for", "tax-1040", required=True),
        Column("default_estimate_min", values.minutes, "usual minutes of work", "240", aliases=("default_estimate",)),
        Column("min_level", values.text, "lowest level that may do it", "associate", aliases=("minimum_level",)),
        Column("complexity", values.whole, "1 (plain) to 5 (hard)", "2"),
        Column("needs_review", values.yes_no, "yes: somebody else reviews the work", "yes", aliases=("review",)),
        Column("review_min_level", values.text, "lowest level that may review it", "senior"),
        Column("review_share_pct", values.whole, "review time in percent of preparation time", "40"),
        Column("procedure_steps", values.lines, "the written steps, one per line of the cell", ""),
        Column("procedure_link", values.text, "where the procedure is written", ""),
    ),
    aliases=("types", "templates"),
)
TASKS = Sheet(
    "tasks",
    "All work, open and finished.",
    (
        Column(
            "id",
            values.text,
            "short, unique, never changes",
            "t-1001",
            required=True,
            aliases=("task", "task_id", "key"),
        ),
        Column("type", values.text, "id of its task type", "1040", required=True, aliases=("task_type",)),
        Column("client", values.text, "id of its client", "acme", required=True, aliases=("client_id",)),
        Column(
            "deadline",
            values.moment,
            "the day it is due, or day and time",
            "2027-04-15",
            required=True,
            aliases=("due", "due_date"),
        ),
        Column(
            "deadline_time",
            values.clock,
            "local time on that day; blank: the end of the day",
            "17:00",
            aliases=("due_time",),
        ),
        Column("estimate_min", values.minutes, "minutes the whole task takes; blank: not estimated yet", "240"),
        Column("logged_min", values.minutes, "minutes already worked; blank: the sum of its time entries", "0"),
        Column(
            "release",
            values.day,
            "earliest day of work; blank: at once",
            "2027-03-01",
            aliases=("start", "start_date", "release_date"),
        ),
        Column("priority", values.word, "low, normal, high or critical", "normal"),
        Column("status", values.word, "planned, in_progress, done or cancelled", "planned"),
        Column(
            "assignee",
            values.text,
            "id of the person who has it today",
            "dana",
            aliases=("assigned_to", "person", "owner"),
        ),
        Column("pinned", values.yes_no, "yes: a person decided, never moved", "no"),
        Column("requested_person", values.text, "id of the person the client asked for", ""),
        Column("reviews", values.text, "id of the task whose work this one reviews", "", aliases=("review_of",)),
        Column("completed_on", values.day, "the day it was finished", "", aliases=("completed", "completed_at")),
    ),
    aliases=("work", "work_items"),
)
TIME_OFF = Sheet(
    "time_off",
    "Days on which a person works less or not at all.",
    (
        _person("id of the person"),
        *_days(),
        Column("minutes_per_day", values.minutes, "minutes off on each day; blank: the whole day", ""),
    ),
    aliases=("leave", "vacation", "absences", "pto"),
)
BOOKINGS = Sheet(
    "bookings",
    "Minutes of each day taken by something that is not a task.",
    (
        _person("id of the person"),
        *_days(),
        Column("minutes_per_day", values.minutes, "minutes taken on each day", "60", required=True),
        Column("label", values.text, "what it is", "Training", aliases=("what", "description")),
    ),
)
OVERTIME = Sheet(
    "overtime",
    "Minutes added to the weekly pattern in a period.",
    (
        *_days(),
        *_week("added"),
        Column("people", values.names, "ids, separated by semicolons; blank: everybody", ""),
        Column("levels", values.names, "levels, separated by semicolons; blank: all", "associate; senior"),
    ),
)
TIME_ENTRIES = Sheet(
    "time_entries",
    "Time worked; the entries of a task add up to its logged minutes where the task states none.",
    (
        Column("task", values.text, "id of the task", "t-1001", required=True, aliases=("task_id",)),
        _person("id of the person"),
        Column("day", values.day, "the day worked", "2027-03-02", required=True, aliases=("date",)),
        Column("minutes", values.minutes, "minutes worked", "90", required=True, aliases=("duration_min",)),
    ),
    aliases=("time", "timesheet", "timesheets"),
)
ASSIGNMENTS = Sheet(
    "assignments",
    "Who has which task today, where the tasks sheet does not say.",
    (
        Column("task", values.text, "id of the task", "t-1001", required=True, aliases=("task_id",)),
        _person("id of the person who has it"),
        Column("pinned", values.yes_no, "yes: never moved", "no"),
    ),
)

SHEETS = (
    SETTINGS, LEVELS, PEOPLE, SKILLS, CLIENTS, TASK_TYPES, TASKS, TIME_OFF, BOOKINGS, OVERTIME, TIME_ENTRIES, ASSIGNMENTS,
)  # fmt: skip
GUIDE = "guide"
"""The sheet of explanations that the template carries; not read."""
