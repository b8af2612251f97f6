from __future__ import annotations

import math
from collections import defaultdict
from datetime import date
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.time_sheets import AS_OF, Habits, TimeSheets, time_sheets
from solver.firm import Firm, Person, Skill, TaskType
from solver.learning import learn
from solver.learnt import Learned, Ratio
from solver.observations import Observation

DAY = date(2027, 2, 1)


def heard(sheets: TimeSheets) -> Learned:
    return learn(sheets.firm, sheets.observations, as_of=AS_OF)


def year(seed: int, **habits: float) -> TimeSheets:
    return time_sheets(people=12, clients=40, tasks=1200, seed=seed, habits=Habits(**habits))  # type: ignore[arg-type]


def task(id: object, logged_min: int, **fields: object) -> Observation:
    usual: dict[str, object] = {
        "task": str(id),
        "type": "1040",
        "client": "acme",
        "person": "dana",
        "estimate_min": 60,
        "logged_min": logged_min,
        "finished_on": DAY,
    }
    return Observation.model_validate({**usual, **fields})


def holds(ratio: Ratio, log_truth: float) -> bool:
    return ratio.low <= math.exp(log_truth) <= ratio.high


def errors(sheets: TimeSheets, learned: Learned) -> dict[str, list[float]]:
    """Return the errors in logs of types, clients, people, and people in types."""
    level = sheets.type_level
    return {
        "type": [math.log(one.level.ratio) - level[one.type] for one in learned.types],
        "client": [
            math.log(one.beside_type.ratio) - sheets.client_effect[one.type, one.client] for one in learned.clients
        ],
        "person": [math.log(one.level.ratio) - sheets.person_effect[one.person] for one in learned.people],
        "person in type": [
            math.log(one.level.ratio)
            - sheets.person_effect[one.person]
            - sheets.person_type_effect[one.person, one.type]
            for one in learned.people_in_types
        ],
    }


def rms(values: list[float]) -> float:
    return math.sqrt(fmean(one**2 for one in values))


def test_planted_effects_are_found_again() -> None:
    """With 24,000 tasks and 30 people: levels within 6 %, people in types within 4 %, and the spreads within 12 %."""
    sheets = time_sheets(people=30, clients=60, tasks=24_000, seed=5)
    learned = heard(sheets)
    found = errors(sheets, learned)
    # What all people have in common is the level of the type: by 0.12 / sqrt(30) the two cannot be told apart
    assert rms(found["type"]) < 0.06
    shared = fmean(found["person in type"])
    assert rms([one - shared for one in found["person in type"]]) < 0.04
    assert rms(found["client"]) < 0.06
    spreads, habits = learned.spreads, Habits()
    assert spreads is not None
    assert spreads.client_sd == pytest.approx(habits.client_sd, rel=0.12)
    assert spreads.person_type_sd == pytest.approx(habits.person_type_sd, rel=0.12)
    assert spreads.task_sd == pytest.approx(habits.task_sd, rel=0.05)


def test_the_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """90 % intervals over 60 firms: between 85 and 95 %, for each kind of effect, with and without gross errors."""
    for gross_share in (0.0, 0.05):
        inside: dict[str, list[bool]] = defaultdict(list)
        for seed in range(60):
            sheets = year(seed, gross_share=gross_share)
            learned = heard(sheets)
            level, client = sheets.type_level, sheets.client_effect
            inside["type"] += [holds(one.level, level[one.type]) for one in learned.types]
            inside["client"] += [
                holds(one.level, level[one.type] + client[one.type, one.client]) for one in learned.clients
            ]
            inside["beside type"] += [holds(one.beside_type, client[one.type, one.client]) for one in learned.clients]
            inside["person"] += [holds(one.level, sheets.person_effect[one.person]) for one in learned.people]
            inside["person in type"] += [
                holds(one.level, sheets.person_effect[one.person] + sheets.person_type_effect[one.person, one.type])
                for one in learned.people_in_types
            ]
        shares = {kind: fmean(held) for kind, held in inside.items()}
        assert all(0.85 <= share <= 0.95 for share in shares.values()), (gross_share, shares)


def test_gross_errors_move_plain_means_and_hardly_what_is_learnt() -> None:
    """Of 5 % of the tasks ten times the time is logged: the mean error of types grows by a tenth at most, of means more than twofold."""

    def means(sheets: TimeSheets) -> list[float]:
        logs: dict[str, list[float]] = defaultdict(list)
        for one in sheets.observations:
            logs[one.type].append(math.log(one.logged_min / (one.estimate_min or 1)))
        return [fmean(own) - sheets.type_level[kind] for kind, own in logs.items()]

    clean: list[float] = []
    dirty: list[float] = []
    clean_means: list[float] = []
    dirty_means: list[float] = []
    for seed in range(20):
        for share, learnt, meant in ((0.0, clean, clean_means), (0.05, dirty, dirty_means)):
            sheets = time_sheets(people=12, clients=40, tasks=1200, seed=seed, habits=Habits(gross_share=share))
            learnt += errors(sheets, heard(sheets))["type"]
            meant += means(sheets)
    assert rms(dirty) < 1.1 * rms(clean)
    assert rms(dirty_means) > 1.8 * rms(clean_means)
    assert abs(fmean(dirty) - fmean(clean)) < 0.01 < 0.1 < fmean(dirty_means) - fmean(clean_means)


def test_open_tasks_keep_the_long_ones_from_being_left_out() -> None:
    with_open, without = [], []
    for seed in range(12):
        sheets = time_sheets(people=12, clients=40, tasks=1200, seed=seed, habits=Habits(open_share=0.6))
        done = [one for one in sheets.observations if one.finished]
        assert 0.6 * len(sheets.observations) < len(done) < 0.85 * len(sheets.observations)
        with_open += errors(sheets, heard(sheets))["type"]
        without += errors(sheets, learn(sheets.firm, done, as_of=AS_OF))["type"]
    assert abs(fmean(with_open)) < 0.025
    assert fmean(without) < -0.06


def test_shrunk_levels_foretell_new_tasks_better_than_means_of_groups() -> None:
    shrunk, means = [], []
    for seed in range(8):
        sheets = year(seed)
        old, new = sheets.observations[:900], sheets.observations[900:]
        learned = learn(sheets.firm, old, as_of=AS_OF)
        groups: dict[tuple[str, ...], list[float]] = defaultdict(list)
        for one in old:
            groups[(one.type,)].append(math.log(one.logged_min / (one.estimate_min or 1)))
            groups[one.type, one.client].append(math.log(one.logged_min / (one.estimate_min or 1)))
        for one in new:
            truth = math.log(one.logged_min / (one.estimate_min or 1))
            group = groups[one.type, one.client] or groups[(one.type,)]
            means.append((truth - fmean(group)) ** 2)
            shrunk.append((truth - math.log(learned.expected_ratio(one.type, one.client, one.person))) ** 2)
    assert fmean(shrunk) < 0.8 * fmean(means)


def test_a_slow_person_with_an_easy_client_is_told_apart_from_the_client() -> None:
    """Dana needs half as long again as Ben for everybody; Acme's work takes two thirds: Dana with Acme takes what is estimated."""
    took = {("dana", "acme"): 60, ("dana", "bolt"): 90, ("ben", "acme"): 40, ("ben", "bolt"): 60}
    seen = [
        task(f"{person} {client} {i}", minutes + i % 3 - 1, person=person, client=client)
        for (person, client), minutes in took.items()
        for i in range(40)
    ]
    found = learn(Firm(), seen, as_of=AS_OF)
    speed = {one.person: one.level.ratio for one in found.people_in_types}
    client = {one.client: one.beside_type.ratio for one in found.clients}
    assert speed["dana"] / speed["ben"] == pytest.approx(1.5, rel=0.03)
    assert client["bolt"] / client["acme"] == pytest.approx(1.5, rel=0.03)


def test_who_is_alone_with_a_type_is_neither_slow_nor_fast() -> None:
    seen = [task(i, 150 + i % 7) for i in range(30)] + [
        task(i, 30 + i % 5, type="990", person="ben") for i in range(100, 130)
    ]
    found = learn(Firm(), seen, as_of=AS_OF)
    assert [one.level.ratio for one in found.people] == pytest.approx([1.0, 1.0])
    assert all(one.level.low < 0.9 and one.level.high > 1.1 for one in found.people)
    assert {one.type: one.level.ratio for one in found.types} == pytest.approx(
        {"1040": 153 / 60, "990": 32 / 60}, rel=0.02
    )


def test_what_is_learnt_about_people_is_beside_their_cells() -> None:
    """A cell that says 150 % of somebody who takes half as long again as the others leaves nothing to learn."""
    types = (TaskType(id="1040", skill="tax"),)
    seen = [task(f"{who}{i}", minutes, person=who) for who, minutes in (("dana", 90), ("ben", 60)) for i in range(40)]

    def firm(pct: int) -> Firm:
        people = [Person(id="dana", level="senior", skills=(Skill(skill="tax", efficiency_pct=pct),))]
        return Firm(people=(*people, Person(id="ben", level="senior")), task_types=types)

    aware, unaware = (learn(firm(pct), seen, as_of=AS_OF).people_in_skills for pct in (150, 100))
    assert [one.level.ratio for one in aware] == pytest.approx([1.0, 1.0], abs=0.001)
    assert [one.person for one in aware] == ["ben", "dana"]
    assert aware[1].efficiency_pct.ratio == pytest.approx(150, abs=0.2)
    assert unaware[1].efficiency_pct.ratio > 115
    assert [one.compared_tasks for one in aware] == [40, 40]


@pytest.mark.parametrize(
    "seen",
    [
        [],
        [task(1, 90)],
        [task(1, 90, finished=False, finished_on=None)],
        [task(i, 60) for i in range(30)],
        [task(i, 75, person=None) for i in range(9)],
        [task(1, 10_000_000, estimate_min=1), task(2, 1, estimate_min=1_000_000)],
        [task(1, 60), task(2, 6_000_000, finished=False, finished_on=None)],
        [task(1, 60), task(1, 60), task(1, 90)],
    ],
    ids=["none", "one", "open", "constant", "shared", "absurd", "absurd and open", "repeated"],
)
def test_little_or_odd_evidence_gives_finite_answers(seen: list[Observation]) -> None:
    learned = learn(Firm(), seen, as_of=AS_OF)
    numbers = [value for one in learned.types for value in (*one.level.model_dump().values(), one.mean_ratio)]
    numbers += [value for one in learned.people_in_types for value in one.level.model_dump().values()]
    assert np.isfinite(numbers).all()
    assert Learned.model_validate_json(learned.model_dump_json()) == learned


def test_a_constant_ratio_is_learnt_as_it_is() -> None:
    (only,) = learn(Firm(), [task(i, 90) for i in range(30)], as_of=AS_OF).types
    assert only.level.ratio == pytest.approx(1.5)
    assert only.tasks == 30


def test_the_mean_task_takes_longer_than_the_median_one() -> None:
    (one,) = learn(Firm(), [task(i, round(60 * math.exp(math.sin(i)))) for i in range(80)], as_of=AS_OF).types
    assert one.mean_ratio == pytest.approx(one.level.ratio * math.exp(one.task_sd**2 / 2))


def test_unfinished_tasks_far_above_the_only_finished_one_do_not_drive_the_noise_away() -> None:
    seen = [
        task(0, 1, estimate_min=3),
        task(1, 1, estimate_min=1, finished=False),
        task(2, 1, estimate_min=1, finished=False),
    ]
    (one,) = learn(Firm(), [*seen, task(3, 1, estimate_min=1, finished=False)], as_of=AS_OF).types
    assert one.level.low <= 1 / 3
    assert one.level.high >= 1
    assert one.task_sd <= 1.5


def test_a_level_is_found_where_the_only_finished_task_counts_as_a_gross_error() -> None:
    (one,) = learn(Firm(), [task(0, 1, estimate_min=1), task(1, 99, estimate_min=1, finished=False)], as_of=AS_OF).types
    assert one.level.ratio >= 1
    assert math.isfinite(one.level.high)


def test_whom_nobody_knows_takes_what_the_others_take() -> None:
    learned = learn(Firm(), [task(i, 90) for i in range(30)], as_of=AS_OF)
    assert learned.expected_ratio("1040", "new", "new") == pytest.approx(1.5)
    assert learned.expected_ratio("new", "acme", "dana") == pytest.approx(1.0)


MINUTES = st.integers(1, 3_000)
OBSERVED = st.builds(
    Observation,
    task=st.sampled_from([f"t{i}" for i in range(40)]),
    type=st.sampled_from(["1040", "990"]),
    client=st.sampled_from(["acme", "bolt", "cole"]),
    person=st.sampled_from(["dana", "ben", "eve", None]),
    estimate_min=st.none() | MINUTES,
    logged_min=st.just(0) | MINUTES,
    finished=st.booleans(),
    finished_on=st.just(DAY),
)


@given(st.lists(OBSERVED, max_size=30), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_the_order_of_observations_does_not_matter(seen: list[Observation], random: object) -> None:
    before = [one.model_dump() for one in seen]
    shuffled = list(seen)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert learn(Firm(), seen, as_of=AS_OF) == learn(Firm(), shuffled, as_of=AS_OF)
    assert [one.model_dump() for one in seen] == before


@given(st.lists(OBSERVED, max_size=30), st.integers(2, 50))
@settings(max_examples=40, deadline=None)
def test_estimates_times_as_long_make_ratios_as_many_times_smaller(seen: list[Observation], times: int) -> None:
    scaled = [one.model_copy(update={"estimate_min": one.estimate_min and times * one.estimate_min}) for one in seen]
    plain, found = learn(Firm(), seen, as_of=AS_OF), learn(Firm(), scaled, as_of=AS_OF)
    assert [one.level.ratio for one in found.types] == pytest.approx(
        [one.level.ratio / times for one in plain.types], rel=1e-3
    )
    assert [one.level.ratio for one in found.people_in_types] == pytest.approx(
        [one.level.ratio for one in plain.people_in_types], rel=1e-3
    )
