from __future__ import annotations

from solver.plan import Certificate, SolveStatus, StopReason


def certificate(objective_min: int, bound_min: int, gap_pct: float, status: SolveStatus) -> Certificate:
    return Certificate(
        status=status,
        objective_min=objective_min,
        bound_min=bound_min,
        gap_pct=gap_pct,
        unavoidable_min=0,
        terms=(),
        rule_objective_min=5_000,
        stop_reason=StopReason.WORK,
        seed=0,
        work_units=1.0,
        versions={},
    )


def test_a_proven_plan_says_that_none_is_better() -> None:
    said = certificate(1_200, 1_200, 0.0, SolveStatus.OPTIMAL).sentence()
    assert said == "No better plan exists (objective 1,200 minutes, proven)."


def test_a_plan_with_a_gap_says_how_much_better_any_plan_can_be() -> None:
    said = certificate(1_200, 900, 25.0, SolveStatus.FEASIBLE).sentence()
    assert said.startswith(
        "No plan can be more than 25.0 % better: this one costs 1,200 minutes, and none costs less than 900."
    )
    assert said.endswith("Search ended: work budget used.")


def test_a_plan_without_a_bound_does_not_pretend_to_know() -> None:
    said = certificate(1_200, 0, 100.0, SolveStatus.FEASIBLE).sentence()
    assert said.startswith("This plan costs 1,200 minutes; how far below the best plan is, is not known yet.")
