"""What the report says: order, wording and counts, before any layout."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date, time

import pytest

from api.report import ReportData
from api.report.cards import Direction, headline, people_inside_hours
from api.report.heat import HeatCell
from api.report.story import tell
from api.report.wording import deadline_text, percent_text, sentence_text
from solver.plan import Filter, Flag, Move, Term
from solver.prices import TERMS
from solver.wording import hours_text


@pytest.mark.parametrize(
    ("work_min", "text"),
    [
        (0, "0 h"),
        (45, "45 min"),
        (60, "1 h"),
        (210, "3 h 30"),
        (65, "1 h 05"),
        (74_400, "1,240 h"),
        (-90, "\u22121 h 30"),
    ],
)
def test_hours_read_like_hours(work_min: int, text: str) -> None:
    assert hours_text(work_min) == text


def test_days_and_shares_cannot_be_misread() -> None:
    assert deadline_text(date(2026, 4, 5), None) == "Sun 5 Apr 2026"
    assert deadline_text(date(2026, 4, 5), time(17, 30)) == "Sun 5 Apr 2026, 17:30"
    assert percent_text(None) == "\u2013"
    assert sentence_text("the estimate is missing") == "The estimate is missing."


@pytest.mark.parametrize(
    ("load_min", "capacity_min", "tone", "text"),
    [
        (0, 2_400, "h0", "0"),
        (24, 2_400, "h1", "1"),
        (960, 2_400, "h2", "40"),
        (2_280, 2_400, "h5", "95"),
        (2_400, 2_400, "h5", "100"),
        (2_401, 2_400, "over", "100"),
        (0, 0, "away", "away"),
        (60, 0, "over", "over"),
    ],
)
def test_a_week_is_over_from_one_minute_above_its_hours(load_min: int, capacity_min: int, tone: str, text: str) -> None:
    assert (HeatCell(load_min, capacity_min).tone, HeatCell(load_min, capacity_min).text) == (tone, text)


def test_proposals_come_by_gain_per_move(report: ReportData) -> None:
    story = tell(report)
    gain = {one.id: one.gain_per_move_min for one in report.proposals}
    shown = [gain[one.id] for one in story.proposals]
    assert shown == sorted(gain.values(), reverse=True)
    assert shown != [one.gain_per_move_min for one in report.proposals]


def test_a_move_of_new_work_comes_from_nobody(report: ReportData) -> None:
    first = report.proposals[0]
    move = Move(task=first.moves[0].task, from_person=None, to_person=first.moves[0].to_person)
    story = tell(replace(report, proposals=(first.model_copy(update={"moves": (move,)}),)))
    assert story.proposals[0].moves[0].giver is None


def test_bars_stay_inside_the_page_however_high_the_load(report: ReportData) -> None:
    first = report.proposals[0]
    loads = tuple(one.model_copy(update={"before_min": 99 * one.capacity_min}) for one in first.loads)
    story = tell(replace(report, proposals=(first.model_copy(update={"loads": loads}),)))
    bar = story.proposals[0].loads[0]
    assert bar.before == "9,900 %"
    assert bar.before_width_pct == 100
    assert 0 < bar.full_at_pct < 100


def test_late_tasks_without_an_end_lead_then_the_latest(report: ReportData) -> None:
    late = tell(report).late
    assert {one.task.id for one in late} == {one.task for one in report.plan.tasks if one.late}
    order = [(one.promised != "beyond the plan", -one.days_late) for one in late]
    assert order == sorted(order)


def test_a_task_late_within_its_last_day_is_late(report: ReportData) -> None:
    task = next(one for one in report.plan.tasks if not one.late)
    same_day = task.model_copy(update={"late": True, "days_late": 0, "promised_day": date(2026, 12, 1)})
    story = tell(replace(report, plan=report.plan.model_copy(update={"tasks": (same_day,)})))
    assert [one.late for one in story.late] == ["late that day"]
    assert not story.tight


def test_a_task_is_at_risk_when_it_ends_on_its_last_day(report: ReportData) -> None:
    deadline = {one.id: one.deadline for one in report.firm.tasks}
    tight = {one.task.id for one in tell(report).tight}
    wanted = {one.task for one in report.plan.tasks if not one.late and one.finish_day == deadline[one.task]}
    assert wanted
    assert tight == wanted


def test_the_timetable_has_every_minute_once(report: ReportData) -> None:
    minutes: dict[str, int] = defaultdict(int)
    for one in report.plan.timetable:
        minutes[one.person] += one.minutes
    tasks = Counter(person for person, _ in {(one.person, one.task) for one in report.plan.timetable})
    shown = tell(report).timetables
    for own in shown:
        person = own.person.id
        if minutes[person]:
            count = f"{tasks[person]} task{'' if tasks[person] == 1 else 's'}"
            assert own.summary == f"{count}, {hours_text(minutes[person])}"
        else:
            assert own.summary == "no work planned"
    cells = sum(
        bool(text) for one in tell(report).timetables for week in one.weeks for row in week.rows for text in row.hours
    )
    assert cells == len({(one.person, one.day, one.task) for one in report.plan.timetable})


def test_the_headline_counts_people_moves_and_exceptions(report: ReportData) -> None:
    inside = people_inside_hours(report.plan, report.after)
    over = {one.person for one in report.after.weeks if one.load_min > one.capacity_min}
    late = {one.person for one in report.plan.tasks if one.late}
    assert inside == len(report.firm.people) - len(over | late)
    said = headline(report)
    assert said.startswith(f"With this plan {inside} of 30 people")
    assert "4 tasks need a decision, 14 moves wait for approval and 10 tasks lack an estimate." in said


def test_a_card_says_whether_the_change_is_healthy(report: ReportData) -> None:
    worse = replace(report, before=report.after, after=report.before)
    for better_card, worse_card in zip(tell(report).cards, tell(worse).cards, strict=True):
        assert better_card.direction is Direction.BETTER
        assert worse_card.direction is Direction.WORSE
    same = tell(replace(report, before=report.after)).cards
    assert {one.direction for one in same} == {Direction.SAME}


def test_a_metric_that_cannot_be_known_is_not_compared(empty_report: ReportData) -> None:
    assert tell(empty_report).cards[0].direction is Direction.UNKNOWN


def test_weeks_after_the_last_work_are_left_out(report: ReportData) -> None:
    idle = tuple(one.model_copy(update={"load_min": 0}) for one in report.after.weeks[3:])
    before = report.before.model_copy(update={"weeks": ()})
    after = report.after.model_copy(update={"weeks": (*report.after.weeks[:3], *idle)})
    assert len(tell(replace(report, before=before, after=after)).heat_maps[0].weeks) == 3


def test_a_plan_worse_than_the_rule_says_so(report: ReportData) -> None:
    certificate = report.plan.certificate.model_copy(update={"rule_objective_min": 1})
    story = tell(replace(report, plan=report.plan.model_copy(update={"certificate": certificate})))
    assert "give the search more time" in " ".join(story.assurance.sentences)


def test_every_term_of_the_engine_has_a_reason(report: ReportData) -> None:
    terms = tuple(Term(name=name, minutes=1) for name in TERMS)
    certificate = report.plan.certificate.model_copy(update={"terms": terms})
    story = tell(replace(report, plan=report.plan.model_copy(update={"certificate": certificate})))
    assert {one.name for one in story.assurance.terms} == set(TERMS) | {one.name for one in terms_of_today(report)}
    reasoned = {one.name for one in story.assurance.terms if one.reasons}
    assert set(TERMS) <= reasoned


def terms_of_today(report: ReportData) -> tuple[Term, ...]:
    """Return the terms of today's certificate."""
    return report.today.certificate.terms


def test_a_plan_without_a_bound_does_not_boast(report: ReportData) -> None:
    certificate = report.plan.certificate.model_copy(update={"bound_min": 0, "gap_pct": 100.0})
    story = tell(replace(report, plan=report.plan.model_copy(update={"certificate": certificate})))
    assert story.assurance.title.startswith("How far from the best is not known")


def test_a_flag_says_where_the_plan_puts_the_task(report: ReportData) -> None:
    kept, moved = (next(one for one in report.plan.tasks if bool(one.moved_from) is gone) for gone in (False, True))
    holders = ((kept.task, kept.person), (moved.task, str(moved.moved_from)), (report.plan.escalations[0].task, "p00"))
    flags = tuple(
        Flag(task=task, person=person, stopped_by=Filter.SKILL, reason="no skill") for task, person in holders
    )
    story = tell(replace(report, plan=report.plan.model_copy(update={"flags": flags})))
    label = {person.id: person.label for person in report.firm.people}
    assert {one.task.id: one.plan for one in story.flags} == {
        holders[0][0]: "stays",
        holders[1][0]: f"to {label[moved.person]}",
        holders[2][0]: "not placed",
    }
