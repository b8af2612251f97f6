"""``evenhand replay``: a past period of a stored firm, as it was and as it would have been under another policy."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pydantic import ValidationError
from rich.text import Text

from api.commands.storing import opened, require_firm
from api.console import ProgressLine, out, print_json, table
from api.errors import CommandError, Exit
from api.report.outlook import write_outlook
from api.report.past_page import PastReport, headline, past_page, past_parts, write_past_workbook
from api.scenario_words import policy_settings, usage
from api.store.boards import labels_of
from api.store.loading import load_firm
from api.store.past import days_of, read_past
from api.summary import SHOWN, print_written
from scenarios.approvals import Approvals
from scenarios.past import WEEKDAYS, Past, Terms
from scenarios.past_replay import PastReplay, outcome, play
from solver.plan import RoutingPolicy
from solver.policy import Policy
from solver.refusal import nearest_name, refusals


@dataclass(frozen=True)
class Asked:
    """What the options say."""

    first: str
    last: str
    policy: Path | None
    guardrail: tuple[str, ...]
    settings: tuple[str, ...]
    routing: RoutingPolicy | None
    nights: str | None
    freeze_days: int | None
    approvals: Approvals
    units: float
    seed: int
    reports: tuple[Path, ...]


def replay(url: str, firm: str, asked: Asked, *, as_json: bool) -> Exit:
    """Play the period under the policy in force, which must make the record again, and under the other one; compare."""
    for path in asked.reports:
        _require_form(path)
    first, last = _day("from", asked.first), _day("to", asked.last)
    if last < first:
        raise usage("to", asked.last, f"is before {first}", first.isoformat())
    terms = _terms(asked)
    with ProgressLine(quiet=as_json) as line, opened(url, must_exist=True) as database:
        require_firm(database, firm)
        line.say("reading the period")
        with database.reading(firm) as session:
            made, labels = load_firm(session), labels_of(session)
            begin, end = days_of(made, first, last)
            past = read_past(session, first=begin, last=end)
        terms.applied_to(past.firm)  # what cannot be is refused before anything is played
        line.say(f"playing {len(past.events):,} events as they were")
        was = play(past, Terms(), units=asked.units, seed=asked.seed)
        other = None if terms == Terms() else _both(past, terms, was, asked, line)
    report = PastReport(made.name, begin, end, labels, outcome(past, was, other))
    for path in asked.reports:
        if path.suffix.casefold() == ".html":
            write_outlook(past_page(report), path)
        else:
            write_past_workbook(report, path)
    if as_json:
        print_json({**_document(report), "written": [str(path) for path in asked.reports]})
    else:
        _print(report)
        print_written(out(), list(asked.reports))
    return Exit.DONE


def _both(past: Past, terms: Terms, was: PastReplay, asked: Asked, line: ProgressLine) -> tuple[PastReplay, PastReplay]:
    """Return the period under the policy in force and under the other one, with the same means for every batch."""
    before = was
    if past.plans or terms.approvals is not Approvals.AS_THEY_DID:
        line.say("playing the policy in force with batches planned anew")
        in_force = Terms(approvals=terms.approvals)
        before = play(past, in_force, units=asked.units, seed=asked.seed, anew=True)
    line.say("playing the other policy")
    return before, play(past, terms, units=asked.units, seed=asked.seed, anew=True)


def _terms(asked: Asked) -> Terms:
    settings = (
        *policy_settings("guardrail", asked.guardrail, "guardrail"),
        *policy_settings("set", asked.settings),
    )
    return Terms(
        policy=None if asked.policy is None else _policy(asked.policy),
        settings=settings,
        routing=asked.routing,
        night_weekdays=None if asked.nights is None else _nights(asked.nights),
        freeze_days=asked.freeze_days,
        approvals=asked.approvals,
    ).called("the other policy")


def _policy(path: Path) -> Policy:
    content = path.read_bytes().decode("utf-8-sig", errors="replace")
    try:
        found = tomllib.loads(content) if path.suffix.casefold() == ".toml" else json.loads(content)
        return Policy.model_validate(found)
    except ValidationError as error:
        sentence = refusals(error)[0].sentence()
    except ValueError as error:
        sentence = str(error)
    message = f"--policy {path}: {sentence} Maybe compare with `evenhand schema policy`."
    raise CommandError("bad_policy", message, field="policy", value=str(path))


def _nights(said: str) -> tuple[int, ...]:
    known = {name.casefold(): day for day, name in enumerate(WEEKDAYS)}
    words = [word.strip().casefold() for word in said.split(",")]
    if words == ["never"]:
        return ()
    if words == ["every"]:
        return tuple(range(7))
    wrong = next((word for word in words if word not in known), None)
    if wrong is not None:
        near = nearest_name(wrong, [*known, "every", "never"])
        raise usage("nights", said, "is neither every, never nor days of the week", near)
    return tuple(sorted({known[word] for word in words}))


def _day(option: str, said: str) -> date:
    try:
        return date.fromisoformat(said)
    except ValueError as error:
        raise usage(option, said, "is no day", "2027-03-01") from error


def _require_form(path: Path) -> None:
    if path.suffix.casefold() not in (".html", ".xlsx"):
        raise usage("report", str(path), "is neither .html nor .xlsx", str(path.with_suffix(".html")))


def _document(report: PastReport) -> dict[str, object]:
    period = {"firm": report.firm, "from": report.first.isoformat(), "to": report.last.isoformat()}
    return {**period, **report.outcome.model_dump(mode="json")}


def _print(report: PastReport) -> None:
    console = out()
    console.print(Text(headline(report)))
    for part in past_parts(report):
        if part.rows:
            console.print(table(part.title, part.columns, [row.cells for row in part.rows[:SHOWN]]))
            if len(part.rows) > SHOWN:
                console.print(Text(f"... and {len(part.rows) - SHOWN:,} more: --report has them all"))
