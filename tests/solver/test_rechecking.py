from __future__ import annotations

from typing import Any

import pytest

from solver.batch import solve
from solver.board import compile_board
from solver.firm import Firm, Person, Skill
from solver.plan import Move, Proposal
from solver.rebalance import proposals
from solver.rechecking import Obstacle, recheck
from solver.stop import WorkBudget
from tests.firms_for_tests import NOW, firm, person, random_firm, task

PEOPLE = (person("ann"), person("bob"), person("cat", skills=("audit",)))


def checked(made: Firm, *moves: tuple[str, str | None, str]) -> Proposal | Obstacle:
    some = [Move(task=one, from_person=here, to_person=there) for one, here, there in moves]
    (found,) = recheck(compile_board(made, now=NOW), [some])
    return found


def loaded(**more: Any) -> Firm:
    """Ann has five tasks of eight hours in a week of forty, Bob one of ``bob_hours``."""
    work = [task(f"t{i}", hours=8, due=4, assignee="ann") for i in range(5)]
    work[0] = work[0].model_copy(update={name: value for name, value in more.items() if name != "bob_hours"})
    return firm(PEOPLE, (*work, task("b", hours=more.get("bob_hours", 8), due=4, assignee="bob")))


@pytest.mark.parametrize("seed", range(2))
def test_what_was_just_proposed_is_still_right_with_the_same_figures(seed: int) -> None:
    made = random_firm(seed, people=5, tasks=20)
    made = made.model_copy(update={"tasks": tuple(one for one in made.tasks if one.assignee is not None)})
    found = proposals(compile_board(made, now=NOW), solve(made, now=NOW, stop=WorkBudget(0.05)))
    assert recheck(compile_board(made, now=NOW), [one.moves for one in found]) == list(found)


def test_a_move_fits_to_the_last_minute_and_not_one_more() -> None:
    fits = checked(loaded(bob_hours=32), ("t0", "ann", "bob"))
    over = checked(loaded(bob_hours=32 + 1 / 60), ("t0", "ann", "bob"))
    assert isinstance(fits, Obstacle)  # it fits, but only moves the overload
    assert fits.code == "no_gain"
    assert isinstance(over, Obstacle)
    assert (over.code, over.sentence) == ("hours", "t0 finds no room with bob: 1 min are missing")
    light = checked(loaded(), ("t0", "ann", "bob"))
    assert isinstance(light, Proposal)
    assert light.gain_min > 0
    assert [(one.person, one.before_min, one.after_min) for one in light.loads] == [
        ("ann", 2400, 1920),
        ("bob", 480, 960),
    ]


@pytest.mark.parametrize(
    "made, move, code, said",
    [
        (loaded(), ("gone", "ann", "bob"), "not_open", "gone needs no work any more"),
        (loaded(status="done"), ("t0", "ann", "bob"), "not_open", "t0 needs no work any more"),
        (loaded(), ("t0", "bob", "ann"), "elsewhere", "t0 is not where it was: ann has it"),
        (loaded(assignee=None), ("t0", "ann", "bob"), "elsewhere", "t0 is not where it was: nobody has it"),
        (loaded(pinned=True), ("t0", "ann", "bob"), "fixed", "t0 is pinned now"),
        (loaded(logged_min=5), ("t0", "ann", "bob"), "fixed", "t0 was started"),
        (loaded(estimate_min=None), ("t0", "ann", "bob"), "held", "t0 waits for its estimate"),
        (loaded(), ("t0", "ann", "dan"), "unknown_person", "dan is not there any more"),
        (loaded(), ("t0", "ann", "cat"), "skill", "t0 cannot go to cat, who does not have the skill"),
        (
            loaded(requested_person="ann"),
            ("t0", "ann", "bob"),
            "request",
            "cannot go to bob, who is not whom the client",
        ),
    ],
)
def test_what_stands_in_the_way_is_named(made: Firm, move: tuple[str, str | None, str], code: str, said: str) -> None:
    found = checked(made, move)
    assert isinstance(found, Obstacle)
    assert (found.code, found.task, found.person) == (code, move[0], move[2])
    assert said in found.sentence


def test_moves_of_a_bundle_make_room_for_each_other() -> None:
    rather_not = {"mismatch_min": 600}
    tax = Skill(skill="tax")
    ann = Person(id="ann", level="associate", skills=(tax.model_copy(update=rather_not),))
    made = firm((ann, person("bob")), (task("a", hours=30, assignee="ann"), task("b", hours=30, assignee="bob")))
    alone = checked(made, ("a", "ann", "bob"))
    both = checked(made, ("a", "ann", "bob"), ("b", "bob", "ann"))
    assert isinstance(alone, Obstacle)
    assert alone.code == "hours"
    assert isinstance(both, Obstacle)
    assert both.code == "no_gain"  # each has one of them in any case


def test_who_could_never_do_it_in_time_and_who_works_on_the_piece_are_named() -> None:
    quick = Person(id="ann", level="associate", skills=(Skill(skill="tax", efficiency_pct=50),))
    made = firm((quick, person("bob")), (task("long", hours=50, due=4, assignee="ann"),))
    found = checked(made, ("long", "ann", "bob"))
    assert isinstance(found, Obstacle)
    assert (found.code, found.person) == ("deadline", "bob")
    work = (task("prepared", assignee="bob"), task("review", due=11, assignee="ann", reviews="prepared"))
    found = checked(firm((quick, person("bob")), work), ("review", "ann", "bob"))
    assert isinstance(found, Obstacle)
    assert (found.code, found.sentence) == (
        "reviewer",
        "review cannot go to bob, who worked on the piece that is reviewed",
    )
