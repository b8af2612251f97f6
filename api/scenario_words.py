"""Changes as people write them on the command line, and scenarios in files, as the changes of `scenarios.changes`."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from api.errors import CommandError, Exit
from api.intake.values import BadValue, DateOrder, day
from scenarios.changes import Scenario, scenario_of
from scenarios.firm_changes import PolicySet
from scenarios.grids import Axis, Sweep, values_of
from solver.firm import Firm
from solver.refusal import nearest_name, refusals

Document = dict[str, Any]
HOURS_SWEPT, PEOPLE_SWEPT = "overtime", "hires"
"""Parameters of a sweep by a short name: hours of overtime a week, people hired."""


@dataclass(frozen=True)
class Said:
    """What the options of ``evenhand what-if`` say, as they were written."""

    first: str | None = None
    last: str | None = None
    away: Sequence[str] = ()
    leaves: Sequence[str] = ()
    hires: str | None = None
    like: str | None = None
    part_time: Sequence[str] = ()
    overtime: float | None = None
    who: Sequence[str] = ()
    skills: Sequence[str] = ()
    teams: Sequence[str] = ()
    lost: Sequence[str] = ()
    documents: Sequence[str] = ()
    deadlines: Sequence[str] = ()
    extensions: Sequence[str] = ()
    estimates: Sequence[str] = ()
    drop: Sequence[str] = ()
    priorities: Sequence[str] = ()
    closed: Sequence[str] = ()
    policy: Sequence[str] = ()
    changes: Sequence[str] = ()
    sweeps: Sequence[str] = ()
    file: Path | None = None
    name: str | None = None
    order: DateOrder = DateOrder.ISO


@dataclass
class _Reader:
    """Turns options into documents of changes, in the order of the options in the help text."""

    firm: Firm
    said: Said
    found: list[Document] = field(default_factory=list)

    def documents(self) -> list[Document]:
        said, add = self.said, self.add
        for who in said.away:
            add("away", person=who, **self.span("away"))
        for who in said.leaves:
            add("leaves", person=who, last_day=self.first("leaves"))
        if (said.hires is not None or said.like is not None) and not self.swept(PEOPLE_SWEPT):
            self.found.append(self.hire())
        for words in said.part_time:
            who, share = _pair("part-time", words, "Dana Reyes=60")
            add("part_time", person=who, share_pct=_whole("part-time", share))
        if said.overtime is not None and not self.swept(HOURS_SWEPT):
            self.found.append(self.overtime(round(60 * said.overtime)))
        for words in said.skills:
            who, skill = _pair("skill", words, "Dana Reyes=audit:120")
            name, _, share = skill.partition(":")
            add("skill", person=who, skill=name, efficiency_pct=_whole("skill", share) if share else None)
        for words in said.teams:
            who, team = _pair("team", words, "Dana Reyes=Audit")
            add("team", person=who, team=team)
        for client in said.lost:
            add("client_lost", client=client)
        for words in said.documents:
            what, days = _pair("documents-late", words, "acme=10")
            choice = self.choice("documents-late", what)
            add("documents_late", **choice, days=_whole("documents-late", days))
        for words in said.deadlines:
            what, days = _pair("deadline", words, "acme=14")
            add("deadline", **self.choice("deadline", what), **self.days_or_day("deadline", days))
        for what in said.extensions:
            add("extension", **self.choice("extend", what))
        for words in said.estimates:
            what, _, share = words.rpartition("=")
            choice = self.choice("estimates", what) if what else {}
            add("estimates", **choice, factor_pct=_whole("estimates", share))
        for task in said.drop:
            add("task_dropped", task=task)
        for words in said.priorities:
            what, priority = _pair("priority", words, "t-1001=high")
            add("priority", **self.choice("priority", what), priority=priority)
        for words in said.closed:
            add("holiday", day=self.day("closed", words))
        self.found += [one.model_dump() for one in policy_settings("policy", said.policy)]
        for words in said.changes:
            self.found.append(_json_object("change", words))
        return self.found

    def add(self, change: str, **fields: Any) -> None:
        self.found.append({"change": change, **{name: value for name, value in fields.items() if value is not None}})

    def hire(self, count: int = 1) -> Document:
        document: Document = {"change": "joins", "id": "new hire", "like": self.said.like, "level": self.said.hires}
        if self.said.first is not None:
            document["start_date"] = self.first("hire")
        return {name: value for name, value in document.items() if value is not None} | {"count": count}

    def overtime(self, minutes: int) -> Document:
        return {"change": "overtime", **self.span("overtime"), "per_week_min": minutes, **self.group()}

    def group(self) -> Document:
        """Return whom overtime is for: each word a person, a team or a level."""
        people = {name for person in self.firm.people for name in (person.id, person.name) if name}
        teams = {person.team for person in self.firm.people if person.team}
        levels = {level.name for level in self.firm.levels}
        found: dict[str, list[str]] = {}
        for word in self.said.who:
            kind = next(
                (k for k, known in (("people", people), ("teams", teams), ("levels", levels)) if word in known), None
            )
            if kind is None:
                near = nearest_name(word, people | teams | levels)
                raise usage("for", word, "is no person, team or level", near)
            found.setdefault(kind, []).append(word)
        return dict(found)

    def choice(self, option: str, what: str) -> Document:
        """Return what work is meant: a client, a type or a task, whichever has the name."""
        clients = {name for client in self.firm.clients for name in (client.id, client.name) if name}
        types = {name for kind in self.firm.task_types for name in (kind.id, kind.name) if name}
        tasks = {task.id for task in self.firm.tasks}
        for kind, known in (("client", clients), ("type", types)):
            if what in known:
                return {kind: what}
        if what in tasks:
            return {"tasks": [what]}
        raise usage(option, what, "is no client, type or task", nearest_name(what, clients | types | tasks))

    def span(self, option: str) -> Document:
        return {"first_day": self.first(option), "last_day": self.last(option)}

    def first(self, option: str) -> date:
        if self.said.first is None:
            raise usage(option, "", "needs --from DAY", None)
        return self.day("from", self.said.first)

    def last(self, option: str) -> date:
        if self.said.last is None:
            raise usage(option, "", "needs --to DAY", None)
        return self.day("to", self.said.last)

    def day(self, option: str, words: str) -> date:
        try:
            found = day(words, self.said.order)
        except BadValue as error:
            raise usage(option, words, error.reason, error.nearest) from error
        assert isinstance(found, date)
        return found

    def days_or_day(self, option: str, words: str) -> Document:
        plain = words.removeprefix("+")
        if plain.removeprefix("-").isdigit():
            return {"days": int(plain)}
        return {"to": self.day(option, words)}

    def swept(self, name: str) -> bool:
        return any(words.partition("=")[0] == name for words in self.said.sweeps)

    def axes(self, base: int) -> list[Axis]:
        """Return the axes said, with the changes they need added; those written here begin at number ``base``."""
        found = []
        for words in self.said.sweeps:
            name, said = _pair("sweep", words, "overtime=0..10")
            values = values_of(said)
            if name == HOURS_SWEPT:
                self.found.append(self.overtime(0))
                values = tuple(60 * value if isinstance(value, int) else value for value in values)
                place, label = f"{base + len(self.found) - 1}.per_week_min", "hours of overtime a week"
            elif name == PEOPLE_SWEPT:
                self.found.append(self.hire(0))
                place, label = f"{base + len(self.found) - 1}.count", "people hired"
            elif name[:1].isdigit():
                place, label = name, ""
            else:
                self.found.append({"change": "policy", "name": name, "value": values[0] if values else None})
                place, label = f"{base + len(self.found) - 1}.value", name
            found.append(
                _axis(
                    words, {"field": place, "values": values, "label": label, "per": 60 if name == HOURS_SWEPT else 1}
                )
            )
        return found


def scenario_said(firm: Firm, said: Said) -> tuple[Scenario, Sweep | None]:
    """Return the scenario that a file and options describe, the file's changes first; and the sweep over it, if one is asked for.

    Raises
    ------
    CommandError
        An option or file cannot be read.
    Refused
        A change cannot be what is said.
    """
    document: Document = _read(said.file) if said.file else {"name": "what if"}
    swept: list[Any] = document.pop("sweep", [])
    changes = list(document.get("changes", []))
    reader = _Reader(firm, said)
    reader.documents()
    axes = [_axis(str(one), one) for one in swept]
    axes += reader.axes(len(changes))
    named = {"name": said.name} if said.name else {}
    scenario = scenario_of({**document, **named, "changes": [*changes, *reader.found]})
    if not scenario.changes:
        hint = 'Maybe say what changes, as in --away "Dana Reyes" --from 2027-03-01 --to 2027-03-12.'
        raise CommandError("no_change", f"what-if needs a change. {hint}", exit_code=Exit.USAGE, hint=hint)
    if not axes:
        return scenario, None
    if len(axes) > 2:
        raise usage("sweep", said.sweeps[-1] if said.sweeps else "", "is a third parameter; two are the most", None)
    return scenario, Sweep(scenario=scenario, axes=tuple(axes))


def policy_settings(option: str, said: Sequence[str], group: str = "") -> tuple[PolicySet, ...]:
    """Return settings written as NAME=VALUE; names of a ``group`` may be written without it."""
    example = f"{'' if group else 'weights.'}{'complex_level=senior' if group else 'move=120'}"
    found = []
    for words in said:
        name, value = _pair(option, words, example)
        name = name if not group or name.startswith(f"{group}.") else f"{group}.{name}"
        found.append(PolicySet.model_validate({"name": name, "value": _only_value(option, value)}))
    return tuple(found)


def _read(path: Path) -> Document:
    """Return a scenario file: TOML, or JSON where its name says so."""
    content = path.read_bytes().decode("utf-8-sig", errors="replace")
    try:
        found = json.loads(content) if path.suffix.casefold() == ".json" else tomllib.loads(content)
    except ValueError as error:
        message = f"--scenario {path}: {error}. Maybe see docs/what-if.md for an example."
        raise CommandError("bad_scenario", message, field="scenario", value=str(path)) from error
    if not isinstance(found, dict):
        raise CommandError("bad_scenario", f"--scenario {path} is no object with changes.", field="scenario")
    return found


def _json_object(option: str, words: str) -> Document:
    try:
        found = json.loads(words)
    except ValueError as error:
        raise usage(option, words, f"is not JSON ({error})", '{"change": "away", ...}') from error
    if not isinstance(found, Mapping):
        raise usage(option, words, "is no JSON object", '{"change": "away", ...}')
    return dict(found)


def _pair(option: str, words: str, example: str) -> tuple[str, str]:
    what, equals, value = words.rpartition("=")
    if not equals or not what or not value:
        raise usage(option, words, "has no value", example)
    return what.strip(), value.strip()


def _whole(option: str, words: str) -> int:
    plain = words.removesuffix("%").strip().removeprefix("+")
    if not plain.removeprefix("-").isdigit():
        raise usage(option, words, "is no whole number", "10")
    return int(plain)


def _only_value(option: str, words: str) -> object:
    values = values_of(words)
    if len(values) != 1:
        raise usage(option, words, "is not one value", words.partition(",")[0])
    return values[0]


def _axis(words: str, document: object) -> Axis:
    try:
        return Axis.model_validate(document)
    except ValidationError as error:
        first = refusals(error)[0]
        raise usage("sweep", words, f"{first.field}: {first.message}", first.nearest) from error


def usage(option: str, value: str, reason: str, nearest: str | None) -> CommandError:
    """Return the refusal of what an option says."""
    near = f' Nearest: "{nearest}".' if nearest else ""
    said = f'--{option} "{value}"' if value else f"--{option}"
    return CommandError(
        "usage",
        f"{said} {reason}.{near}",
        exit_code=Exit.USAGE,
        field=option,
        value=value,
        nearest=nearest,
    )
