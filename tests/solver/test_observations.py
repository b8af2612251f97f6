from __future__ import annotations

from datetime import date, timedelta

from solver.firm import Client, Firm, Person, Status, Task, TaskType
from solver.observations import Observation, Silence, TimeEntry, observed, usable

DAY = date(2027, 3, 1)


def seen(task: str = "t", **fields: object) -> Observation:
    usual: dict[str, object] = {
        "task": task,
        "type": "1040",
        "client": "acme",
        "person": "dana",
        "estimate_min": 60,
        "logged_min": 70,
        "finished_on": DAY,
    }
    return Observation.model_validate({**usual, **fields})


def reasons(*observations: Observation) -> list[tuple[str, Silence]]:
    return [(one.task, one.reason) for one in usable(observations, as_of=DAY, window_days=30).left_out]


def test_a_finished_task_without_time_is_a_gap_and_not_a_task_of_no_length() -> None:
    assert reasons(seen(), seen("gap", logged_min=0)) == [("gap", Silence.NO_TIME)]


def test_every_task_that_says_nothing_is_named_with_the_reason() -> None:
    assert reasons(
        seen(),
        seen("a", estimate_min=None),
        seen("b", estimate_min=0),
        seen("c", finished_on=None),
        seen("d", finished=False, finished_on=None, logged_min=0),
        seen("e", finished_on=date(2027, 1, 30)),
        seen("f", finished_on=date(2027, 3, 2)),
        seen("g", finished=False, finished_on=None, type="990"),
    ) == [
        ("a", Silence.NO_ESTIMATE),
        ("b", Silence.NO_ESTIMATE),
        ("c", Silence.NO_DATE),
        ("d", Silence.NOT_STARTED),
        ("e", Silence.TOO_OLD),
        ("f", Silence.TOO_NEW),
        ("g", Silence.NO_PEER),
    ]


def test_the_window_holds_as_many_days_as_asked() -> None:
    assert reasons(seen(finished_on=date(2027, 1, 31))) == []


def test_of_several_records_of_a_task_the_last_is_used_in_any_order() -> None:
    early, late, still_open = (
        seen(finished_on=date(2027, 2, 1), logged_min=90),
        seen(),
        seen(finished=False, finished_on=None, logged_min=500),
    )
    for records in ((early, late, still_open), (still_open, late, early)):
        found = usable(records, as_of=DAY, window_days=30)
        assert found.observations == (late,)
        assert [one.reason for one in found.left_out] == [Silence.REPEATED, Silence.REPEATED]


def test_a_firm_is_observed_by_its_finished_and_its_started_tasks() -> None:
    def task(id: str, **fields: object) -> Task:
        usual: dict[str, object] = {"id": id, "type": "1040", "client": "acme", "deadline": DAY, "assignee": "dana"}
        return Task.model_validate({**usual, **fields})

    firm = Firm(
        people=(Person(id="dana", level="senior"),),
        clients=(Client(id="acme"),),
        task_types=(TaskType(id="1040", skill="tax", default_estimate_min=45),),
        tasks=(
            task("done", status=Status.DONE, logged_min=70, estimate_min=60, completed_on=DAY),
            task("by default", status=Status.DONE, logged_min=70, completed_on=DAY),
            task("begun", logged_min=10, estimate_min=60),
            task("planned", estimate_min=60),
            task("cancelled", status=Status.CANCELLED, logged_min=10, estimate_min=60),
        ),
    )
    assert observed(firm) == (
        seen("done"),
        seen("by default", estimate_min=45),
        seen("begun", logged_min=10, finished=False, finished_on=None),
    )


def test_who_worked_and_when_is_what_the_time_entries_say() -> None:
    def entry(task: str, person: str, minutes: int, day: date = DAY) -> TimeEntry:
        return TimeEntry(task=task, person=person, day=day, minutes=minutes)

    def task(id: str, **fields: object) -> Task:
        usual: dict[str, object] = {"id": id, "type": "1040", "client": "acme", "deadline": DAY, "assignee": "dana"}
        done = {"status": Status.DONE, "estimate_min": 60, "logged_min": 70, "completed_on": DAY}
        return Task.model_validate({**usual, **done, **fields})

    firm = Firm(
        people=(Person(id="dana", level="senior"), Person(id="eli", level="senior")),
        clients=(Client(id="acme"),),
        task_types=(TaskType(id="1040", skill="tax"),),
        tasks=(task("another"), task("shared"), task("undated", completed_on=None), task("summed", logged_min=0)),
    )
    entries = [
        entry("another", "eli", 70),
        entry("shared", "eli", 30),
        entry("shared", "dana", 40),
        entry("undated", "dana", 60, DAY - timedelta(days=3)),
        entry("undated", "dana", 10, DAY - timedelta(days=2)),
        entry("summed", "dana", 70),
        entry("summed", "eli", 0),
    ]
    assert observed(firm, entries, first_estimate_min={"summed": 50}) == (
        seen("another", person="eli"),
        seen("shared", person=None),
        seen("undated", finished_on=DAY - timedelta(days=2)),
        seen("summed", estimate_min=50),
    )
