from __future__ import annotations

import copy
import pickle

from solver.board import compile_board
from solver.plan import Candidate, Decision, Outcome
from solver.routing import dry_run, place
from solver.seen import Candidates
from tests.firms_for_tests import NOW, firm, person, task


def decided() -> Decision:
    board = compile_board(firm((person("bob"), person("ann"), person("eve", skills=()))), now=NOW)
    return place(board, task("t", hours=2))


PLAIN = (
    Candidate(person="ann", remaining_min=2_400, stopped_by=None, work_min=120, gap_min=0, load_min=0),
    Candidate(person="bob", remaining_min=2_400, stopped_by=None, work_min=120, gap_min=0, load_min=0),
)


def test_candidates_equal_the_tuple_they_stand_for() -> None:
    candidates = decided().candidates
    assert candidates[:2] == PLAIN
    assert tuple(candidates) == candidates
    assert candidates == tuple(candidates)
    assert candidates != PLAIN
    assert {candidates: 1}[tuple(candidates)] == 1
    assert (len(candidates), candidates[-1].person, repr(candidates)) == (3, "eve", repr(tuple(candidates)))


def test_candidates_show_the_board_at_the_decision_whenever_they_are_read() -> None:
    board, twin = (compile_board(firm((person("ann"), person("bob"))), now=NOW) for _ in range(2))
    late_read = [place(board, task(f"t{i}", hours=7)) for i in range(20)]
    early_read = []
    for i in range(20):
        early_read.append(place(twin, task(f"t{i}", hours=7)))
        assert len(tuple(early_read[-1].candidates)) == 2
    board.withdraw("t3")
    assert late_read == early_read
    assert [one.model_dump_json() for one in late_read] == [one.model_dump_json() for one in early_read]
    assert {one.outcome for one in late_read} == {Outcome.PLACED, Outcome.ESCALATED}


def test_ways_out_show_the_board_at_the_decision_whenever_they_are_read() -> None:
    board = compile_board(firm((person("ann"),), (task("x", hours=38, assignee="ann"),)), now=NOW)
    decision = dry_run(board, task("t", hours=4))
    said = decision.model_dump_json()
    board.withdraw("x")
    assert decision.model_dump_json() == said
    assert '"x"' in said


def test_decision_is_written_copied_and_pickled_with_plain_candidates() -> None:
    decision = decided()
    assert Decision.model_validate_json(decision.model_dump_json()) == decision
    assert Decision.model_validate(decision.model_dump()) == decision
    assert decision.model_copy(deep=True) == decision == copy.deepcopy(decision)
    again = pickle.loads(pickle.dumps(decision))
    assert again == decision
    assert type(again.candidates) is tuple
    assert isinstance(decision.candidates, Candidates)


def test_candidates_compare_with_their_own_kind_only() -> None:
    candidates = decided().candidates
    others: list[object] = [list(candidates), "ann"]
    assert candidates == decided().candidates
    assert candidates not in others
