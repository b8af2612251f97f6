from __future__ import annotations

import random
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from api.store.database import Database
from api.store.draft import Draft, read_head
from api.store.loading import firm_at, load_firm, working_firm
from api.store.refusals import NotFound, Taken, Unreadable
from api.store.saving import create_firm, save_firm
from scenarios.firms import generate_firm
from solver.firm import Booking, Client, Firm, Overtime, Person, Procedure, Status, Task, TaskType, TimeOff
from solver.refusal import Refused
from tests.firms_for_tests import day, firm, person, random_firm, task

NOW = datetime(2027, 3, 1, 14, 0, tzinfo=UTC)


def loaded(database: Database, id: str = "one") -> Firm:
    with database.reading(id) as session:
        return load_firm(session)


def saved(database: Database, firm: Firm, id: str = "one") -> int:
    with database.writing(id) as session:
        draft = Draft(session, id, read_head(session, id, lock=True), at=NOW, actor="test")
        save_firm(draft, firm)
        draft.finish()
        return draft.head.version


@pytest.mark.parametrize("seed", range(4))
def test_a_random_firm_comes_back_as_it_was_saved(database: Database, seed: int) -> None:
    made = random_firm(seed, people=8, tasks=40)
    create_firm(database, "one", made, now=NOW, actor="test")
    assert loaded(database) == made


def test_a_generated_firm_comes_back_as_it_was_saved(database: Database) -> None:
    made = generate_firm(people=12, tasks=120).firm
    create_firm(database, "one", made, now=NOW, actor="test")
    assert loaded(database) == made


TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1, max_size=12).filter(
    lambda text: bool(text.strip())
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(TEXT, min_size=3, max_size=3, unique_by=str.strip), TEXT, TEXT, st.times())
def test_any_text_and_time_comes_back(database: Database, ids: list[str], name: str, step: str, clock: time) -> None:
    dana = Person(id=ids[0], name=name, level="senior", team=step)
    kind = TaskType(id=ids[1], skill=step, procedure=Procedure(steps=(step, name), link=name))
    work = Task(
        id=ids[2], type=kind.id, client=ids[0], deadline=date(2027, 4, 1), deadline_time=clock, assignee=dana.id
    )
    made = Firm(people=(dana,), clients=(Client(id=ids[0], name=name),), task_types=(kind,), tasks=(work,))
    id = f"firm-{uuid4().hex}"
    create_firm(database, id, made, now=NOW, actor="test")
    assert loaded(database, id) == made
    with database.reading(id) as session:
        assert firm_at(session, 5) == made


def test_saving_another_firm_over_it_leaves_exactly_that_one_and_keeps_every_version(database: Database) -> None:
    firms = [random_firm(seed, people=4 + seed % 3, tasks=10 + 5 * (seed % 3)) for seed in range(5)]
    create_firm(database, "one", firms[0], now=NOW, actor="test")
    with database.reading("one") as session:
        versions = [read_head(session, "one").version]
    for other in firms[1:]:
        versions.append(saved(database, other))
        assert loaded(database) == other
    with database.reading("one") as session:
        assert [firm_at(session, version) for version in versions] == firms


def test_order_in_every_list_is_kept_when_it_is_shuffled(database: Database) -> None:
    made = random_firm(3, people=6, tasks=20)
    create_firm(database, "one", made, now=NOW, actor="test")
    draw = random.Random(1)
    for _ in range(4):
        parts = ("people", "clients", "task_types", "tasks", "time_off", "bookings")
        update = {part: tuple(draw.sample(getattr(made, part), len(getattr(made, part)))) for part in parts}
        made = made.model_copy(update=update)
        saved(database, made)
        assert loaded(database) == made


def test_saving_the_same_firm_again_changes_nothing(database: Database) -> None:
    made = random_firm(2)
    create_firm(database, "one", made, now=NOW, actor="test")
    with database.reading("one") as session:
        before = read_head(session, "one")
    assert saved(database, made) == before.version
    with database.reading("one") as session:
        assert read_head(session, "one") == before


def test_equal_calendar_entries_are_kept_as_often_as_they_occur(database: Database) -> None:
    ann = person("ann")
    booking = Booking(person="ann", first_day=day(0), last_day=day(4), minutes_per_day=60, label="course")
    made = firm((ann,), time_off=(TimeOff(person="ann", first_day=day(1), last_day=day(1)),), bookings=(booking,) * 3)
    made = made.model_copy(update={"overtime": (Overtime(first_day=day(0), last_day=day(9), extra_min=(60,) * 7),)})
    create_firm(database, "one", made, now=NOW, actor="test")
    assert loaded(database) == made
    fewer = made.model_copy(update={"bookings": (booking,)})
    saved(database, fewer)
    assert loaded(database) == fewer


def test_names_stand_in_no_history(database: Database) -> None:
    made = firm(
        (person("ann", name="Ann Secret"),), (task("t", assignee="ann"),), clients=(Client(id="acme", name="Acme Ltd"),)
    )
    create_firm(database, "one", made, now=NOW, actor="test")
    with database.reading("one") as session:
        rows = session.connection().exec_driver_sql("select document from changes").scalars().all()
        assert not any("Secret" in row or "Acme Ltd" in row for row in rows)
        version = read_head(session, "one").version
        assert firm_at(session, version) == made
        assert firm_at(session, version, marked=True).people[0].name == "⟦ann⟧"


def test_the_working_firm_holds_open_tasks_and_what_reviews_link_them_to(database: Database) -> None:
    done: dict[str, Any] = {"status": Status.DONE, "completed_on": day(0)}
    work = (
        task("prepared", assignee="ann", **done),
        task("review", reviews="prepared"),
        task("second", reviews="review", **done),
        task("old", assignee="ann", **done),
    )
    made = firm((person("ann"),), work)
    create_firm(database, "one", made, now=NOW, actor="test")
    with database.reading("one") as session:
        version = read_head(session, "one").version
        assert [one.id for one in working_firm(session, version, version).tasks] == ["prepared", "review", "second"]


def test_firms_of_one_database_know_nothing_of_each_other(database: Database) -> None:
    first, second = random_firm(1), random_firm(2, people=7, tasks=30)
    create_firm(database, "one", first, now=NOW, actor="test")
    create_firm(database, "two", second, now=NOW, actor="test")
    assert (loaded(database, "one"), loaded(database, "two")) == (first, second)
    assert database.firm_ids() == ["one", "two"]


def test_a_firm_that_contradicts_itself_is_refused_and_leaves_nothing(database: Database) -> None:
    broken = firm((person("ann"),)).model_copy(update={"tasks": (task("t", assignee="nobody"),)})
    with pytest.raises(ValidationError, match="nobody"):
        create_firm(database, "one", broken, now=NOW, actor="test")
    assert database.firm_ids() == []


def test_an_id_is_taken_once(database: Database) -> None:
    create_firm(database, "one", firm(), now=NOW, actor="test")
    with pytest.raises(Taken, match="one"):
        create_firm(database, "one", firm(), now=NOW, actor="test")


@pytest.mark.parametrize("id, nearest", [("", "firm"), ("*", "firm"), ("Lee & Co", "Lee-Co"), ("x" * 64, "x" * 63)])
def test_what_cannot_be_the_id_of_a_firm_is_refused(database: Database, id: str, nearest: str) -> None:
    with pytest.raises(Refused) as refused:
        create_firm(database, id, firm(), now=NOW, actor="test")
    assert refused.value.refusal.nearest == nearest


def test_text_that_no_database_keeps_is_refused_with_its_field(database: Database) -> None:
    with pytest.raises(Refused, match=r'people.name "Ann\\0"'):
        create_firm(database, "one", firm((person("ann", name="Ann\x00"),)), now=NOW, actor="test")


def test_a_firm_that_is_not_there_is_not_found(database: Database) -> None:
    with pytest.raises(NotFound, match='firm "none"'), database.reading("none") as session:
        read_head(session, "none")


def test_a_version_that_never_was_is_refused(database: Database) -> None:
    create_firm(database, "one", firm(), now=NOW, actor="test")
    with database.reading("one") as session, pytest.raises(Unreadable, match="version"):
        firm_at(session, 99)
