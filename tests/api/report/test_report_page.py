"""The HTML page: self-contained, escaped, complete, and equal to the data it was made from."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest

from api.report import ReportData, write_html
from api.report.page import html
from solver.firm import Firm, Procedure
from solver.plan import Scarcity

NASTY = "\"><img src=x onerror=alert(1)><script>alert('1')</script> עברית & Söhne"
VOID = {"meta", "input", "br", "img", "link", "base"}


class Page(HTMLParser):
    """A page taken apart: tags with attributes, and the text of each section by its id."""

    def __init__(self, source: str) -> None:
        """Read a page."""
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[str, str] = {}
        self.cells: list[tuple[str, str]] = []
        self._path: list[tuple[str, str]] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember a tag and where its text goes."""
        known = dict(attrs)
        self.tags.append((tag, known))
        if tag not in VOID:
            here = self._path[-1][1] if self._path else ""
            self._path.append((tag, (known.get("id") or here) if tag in ("section", "header", "nav") else here))
            if tag == "td":
                self.cells.append((known.get("title") or "", ""))

    def handle_endtag(self, tag: str) -> None:
        """Close a tag; every tag must close the one that is open."""
        opened, _ = self._path.pop()
        assert opened == tag, f"</{tag}> closes <{opened}>"

    def handle_data(self, text: str) -> None:
        """Add text to its section."""
        if not self._path:
            return
        tag, section = self._path[-1]
        if tag not in ("script", "style"):
            self.text[section] = self.text.get(section, "") + text
        if tag == "td":
            title, so_far = self.cells[-1]
            self.cells[-1] = (title, so_far + text)


@pytest.fixture(scope="module")
def page(report: ReportData) -> Page:
    """The page of the full report."""
    return Page(html(report))


def renamed(report: ReportData, name: str) -> ReportData:
    """Give the firm, everybody, every client and every type the same name."""
    firm = report.firm.model_copy(
        update={
            "name": name,
            "people": tuple(one.model_copy(update={"name": name, "team": name}) for one in report.firm.people),
            "clients": tuple(one.model_copy(update={"name": name}) for one in report.firm.clients),
            "task_types": tuple(one.model_copy(update={"name": name}) for one in report.firm.task_types),
        }
    )
    return replace(report, firm=firm, notes=(name,))


def test_the_page_loads_nothing_from_anywhere(page: Page, report: ReportData) -> None:
    for tag, known in page.tags:
        assert tag not in {"link", "img", "iframe", "object", "embed", "base", "form"}
        assert "src" not in known
        assert "srcset" not in known
        href = known.get("href")
        assert href is None or href.startswith("#") or tag == "a"
        assert not [name for name in known if name.startswith("on")]
    styles = re.findall(r"<style>(.*?)</style>", html(report), re.S)
    assert styles
    assert not [one for one in styles if "url(" in one or "@import" in one]


def test_the_only_outside_links_are_written_procedures(page: Page, report: ReportData) -> None:
    procedures = {one.procedure.link for one in report.firm.task_types}
    outside = {known["href"] for tag, known in page.tags if tag == "a" and not str(known["href"]).startswith("#")}
    assert outside
    assert outside <= procedures


def test_a_procedure_that_could_run_code_is_not_a_link(report: ReportData) -> None:
    procedure = Procedure(link="javascript:alert(1)")
    kinds = tuple(one.model_copy(update={"procedure": procedure}) for one in report.firm.task_types)
    source = html(replace(report, firm=report.firm.model_copy(update={"task_types": kinds})))
    assert "javascript:" not in source


def test_the_browser_is_told_to_run_this_script_only(report: ReportData) -> None:
    source = html(report)
    scripts = re.findall(r"<script>(.*?)</script>", source, re.S)
    assert len(scripts) == 1
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    policy = next(known["content"] for _, known in Page(source).tags if known.get("http-equiv"))
    assert policy is not None
    assert f"script-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")


def test_inside_links_lead_somewhere(page: Page) -> None:
    ids = {known["id"] for _, known in page.tags if "id" in known}
    assert {str(known["href"])[1:] for _, known in page.tags if str(known.get("href", "")).startswith("#")} <= ids
    assert len(ids) == sum(1 for _, known in page.tags if "id" in known)


def test_names_cannot_break_out_of_the_page(report: ReportData) -> None:
    page = Page(html(renamed(report, NASTY)))
    assert sum(tag == "script" for tag, _ in page.tags) == 1
    assert not [tag for tag, _ in page.tags if tag == "img"]
    for section in ("summary", "heat", "proposals", "escalations", "late", "holds", "flags", "timetable"):
        assert NASTY in page.text[section]


def test_reasons_cannot_break_out_of_the_page(report: ReportData) -> None:
    proposals = tuple(one.model_copy(update={"reason": NASTY}) for one in report.proposals)
    escalations = tuple(one.model_copy(update={"reason": NASTY}) for one in report.plan.escalations)
    plan = report.plan.model_copy(update={"escalations": escalations})
    page = Page(html(replace(report, proposals=proposals, plan=plan)))
    assert not [tag for tag, _ in page.tags if tag == "img"]
    assert NASTY in page.text["proposals"]
    assert NASTY in page.text["escalations"]


def test_every_person_has_a_heat_row_and_a_timetable(page: Page, report: ReportData) -> None:
    for person in report.firm.people:
        assert person.label in page.text["heat"]
        assert person.label in page.text["timetable"]


def test_nothing_is_buried(page: Page, report: ReportData) -> None:
    plan = report.plan
    shown = {
        "proposals": [
            *(move.task for one in report.proposals for move in one.moves),
            *(one.id for one in report.proposals),
            *(one.reason for one in report.proposals),
            *(one.task for one in plan.tasks if one.new),
        ],
        "escalations": [one.task for one in plan.escalations] + [one.reason for one in plan.escalations],
        "late": [one.task for one in plan.tasks if one.late],
        "holds": [one.task for one in plan.holds],
        "flags": [one.task for one in plan.flags] + [one.reason for one in plan.flags],
        "timetable": [one.task for one in plan.timetable],
        "summary": list(report.notes),
    }
    for section, wanted in shown.items():
        assert wanted, section
        assert not [one for one in wanted if one not in page.text[section]], section


def test_every_candidate_and_way_out_of_an_escalation_is_shown(page: Page, report: ReportData) -> None:
    label = {person.id: person.label for person in report.firm.people}
    text = page.text["escalations"]
    for one in report.plan.escalations:
        assert all(label[candidate.person] in text for candidate in one.qualified)
    for words in ("works 2 h 30 more before the deadline", "Due Tue 1 Dec 2026 instead", "2 h 30 short"):
        assert words in text
    assert "no plan can place it" in text


def test_the_cheapest_way_out_is_marked_once(page: Page, report: ReportData) -> None:
    assert "cheapest" not in page.text["escalations"].replace("the cheapest ways out", "")
    first = next(one for one in report.plan.escalations if len(one.ways_out) > 1)
    tried = first.model_copy(update={"cheapest": first.ways_out[1]})
    plan = report.plan.model_copy(update={"escalations": (tried,)})
    text = Page(html(replace(report, plan=plan))).text["escalations"].replace("the cheapest ways out", "")
    assert text.count("cheapest") == 1
    assert re.search(r"Due Tue 1 Dec 2026 instead[^.]*\. cheapest", text)


def test_scarce_hours_are_listed_with_the_certificate(page: Page, report: ReportData) -> None:
    assert "scarce" not in page.text["certificate"]
    sentence = f"One more hour of a senior ({NASTY}) by 2026-12-01 is worth 5 h of escalated work."
    scarce = Scarcity(
        person="p01",
        level="senior",
        skills=("tax",),
        day=date(2026, 12, 1),
        price_min=30_000,
        worth_min=36_000,
        escalated_min=36_000,
        late_min=0,
        escalated_work_min=300,
        late_work_min=0,
        tasks=("T-1041",),
        sentence=sentence,
    )
    certificate = report.plan.certificate.model_copy(update={"scarcity": (scarce,)})
    plan = report.plan.model_copy(update={"certificate": certificate})
    text = Page(html(replace(report, plan=plan))).text["certificate"]
    assert "Hours that are scarce" in text
    assert sentence in text


def test_more_people_than_fit_are_folded_not_dropped(report: ReportData) -> None:
    first = next(one for one in report.plan.escalations if one.qualified)
    many = tuple(
        first.qualified[0].model_copy(update={"person": person.id, "gap_min": 60 + i})
        for i, person in enumerate(report.firm.people)
    )
    plan = report.plan.model_copy(update={"escalations": (first.model_copy(update={"qualified": many}),)})
    text = Page(html(replace(report, plan=plan))).text["escalations"]
    assert "25 more people" in text
    assert all(person.label in text for person in report.firm.people)


def test_the_cards_show_the_metrics(page: Page, report: ReportData) -> None:
    for side in (report.before.firm, report.after.firm):
        for share in (side.utilisation_pct, side.spread_pct, side.on_time_forecast_pct):
            assert f"{share:.0f} %" in page.text["summary"]
    assert f"Late tasks\ntoday {report.before.firm.late_open} → with the plan {report.after.firm.late_open}" in re.sub(
        r" +", " ", page.text["summary"]
    )


def test_each_heat_cell_shows_its_week(page: Page, report: ReportData) -> None:
    shown = {title: text for title, text in page.cells if ", week of " in title}
    label = {person.id: person.label for person in report.firm.people}
    for week in report.after.weeks:
        day = f"{week.week_start.day} {week.week_start:%b}"
        found = [text for title, text in shown.items() if title.startswith(f"{label[week.person]}, week of {day}: ")]
        wanted = f"{100 * week.load_min / week.capacity_min:.0f}" if week.capacity_min else "away"
        assert wanted in found


def test_the_certificate_is_said_in_plain_words_with_all_terms(page: Page, report: ReportData) -> None:
    certificate = report.plan.certificate
    text = page.text["certificate"]
    assert certificate.sentence() in text
    assert "33 % less" in text
    for term in certificate.terms:
        assert f"{term.minutes:,}" in text
    assert "an hour for handing over, telling, and reading in" in text
    assert "_pct" not in text


def test_the_moment_is_told_on_the_firms_clock(page: Page) -> None:
    assert "Tuesday 24 November 2026, 08:15 EST (America/New_York)" in page.text["summary"]


def test_an_empty_firm_gets_a_page_that_says_what_each_empty_part_means(empty_report: ReportData) -> None:
    page = Page(html(empty_report))
    assert "no people yet" in page.text["summary"]
    assert "Add people" in page.text["heat"]
    assert "No move is worth its disruption" in page.text["proposals"]
    assert "Every open task has an estimate" in page.text["holds"]
    assert "No people yet" in page.text["timetable"]
    assert "no better plan exists" in page.text["certificate"]


def test_a_firm_of_four_is_told_that_this_is_the_wrong_tool(report: ReportData, empty_report: ReportData) -> None:
    four = Firm(name="Four", people=report.firm.people[:4])
    assert "Below five" in html(replace(empty_report, firm=four))
    assert "Below five" not in html(replace(empty_report, firm=Firm(name="Five", people=report.firm.people[:5])))


def test_a_backlog_without_estimates_is_called_out(report: ReportData) -> None:
    def with_missing(count: int) -> str:
        tasks = tuple(
            one.model_copy(update={"estimate_min": None if i < count else 60})
            for i, one in enumerate(report.firm.tasks)
        )
        return html(replace(report, firm=report.firm.model_copy(update={"tasks": tasks})))

    assert "101 of 200 open tasks have no estimate" in with_missing(101)
    assert "have no estimate" not in with_missing(100)


def test_the_file_holds_the_page(report: ReportData, tmp_path: Path) -> None:
    write_html(report, tmp_path / "report.html")
    assert (tmp_path / "report.html").read_bytes().decode("utf-8") == html(report)


def test_proposals_beyond_the_first_are_folded_not_dropped(report: ReportData) -> None:
    many = tuple(report.proposals[0].model_copy(update={"id": f"Q-{i:03d}"}) for i in range(45))
    text = Page(html(replace(report, proposals=many))).text["proposals"]
    assert "25 more proposals" in text
    assert all(one.id in text for one in many)
