from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from solver.policy import Cadence, Guardrail, MissingEstimate, Policy, ValueTier, Weights
from solver.refusal import Refusal, refusals


def refused(model: type[BaseModel], data: dict[str, Any]) -> Refusal:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(data)
    found = refusals(caught.value)
    assert len(found) == 1
    return found[0]


BOUNDS = [
    (Guardrail, "complex_from", 1, 5),
    (Weights, "escalation", 0, 10_000_000),
    (Weights, "late_start", 0, 10_000_000),
    (Weights, "late_day", 0, 10_000_000),
    (Weights, "balance_pct", 0, 1_000),
    (Weights, "balance_far_pct", 0, 1_000),
    (Weights, "far_from_share_pct", 0, 1_000),
    (Weights, "week_balance_pct", 0, 1_000),
    (Weights, "week_ends", 0, 12),
    (Weights, "move", 0, 10_000_000),
    (Weights, "move_soon", 0, 10_000_000),
    (Weights, "soon_days", 0, 60),
    (Weights, "continuity", 0, 10_000_000),
    (Weights, "level_above_pct", 0, 1_000),
    (Weights, "overtime", 0, 10_000_000),
    (Cadence, "nightly_hour", 0, 23),
    (Policy, "horizon_days", 1, 730),
    (Policy, "late_tail_days", 1, 365),
    (Policy, "remaining_floor_min", 1, 480),
]


@pytest.mark.parametrize("model, field, least, most", BOUNDS)
def test_value_at_the_edge_is_accepted_and_beyond_it_refused(
    model: type[BaseModel], field: str, least: int, most: int
) -> None:
    assert getattr(model.model_validate({field: least}), field) == least
    assert getattr(model.model_validate({field: most}), field) == most
    below = refused(model, {field: least - 1})
    assert (below.code, below.field, below.value, below.nearest) == (
        "greater_than_equal",
        field,
        str(least - 1),
        str(least),
    )
    above = refused(model, {field: most + 1})
    assert (above.code, above.field, above.value, above.nearest) == ("less_than_equal", field, str(most + 1), str(most))


def test_every_number_of_the_policy_is_tested_at_its_edges() -> None:
    numbers = {
        (model, name)
        for model in (Guardrail, Weights, Cadence, Policy)
        for name, info in model.model_fields.items()
        if info.annotation is int
    }
    assert numbers == {(model, field) for model, field, _, _ in BOUNDS}


def test_every_weight_says_its_reason() -> None:
    assert all(info.description for info in Weights.model_fields.values())


def test_unknown_missing_estimate_is_refused_with_the_nearest() -> None:
    refusal = refused(Policy, {"missing_estimate": "type-default"})
    assert (refusal.code, refusal.field, refusal.value) == ("enum", "missing_estimate", "type-default")
    assert refusal.nearest == "type_default"
    assert Policy.model_validate({"missing_estimate": "type_default"}).missing_estimate is MissingEstimate.TYPE_DEFAULT


@pytest.mark.parametrize("model", [Guardrail, Weights, Cadence, Policy])
def test_field_nobody_knows_is_refused(model: type[BaseModel]) -> None:
    refusal = refused(model, {"weigths": 1})
    assert (refusal.code, refusal.field, refusal.value) == ("extra_forbidden", "weigths", "1")


def test_refusal_inside_the_policy_names_the_whole_path() -> None:
    assert refused(Policy, {"weights": {"soon_days": 61}}).field == "weights.soon_days"
    assert refused(Policy, {"guardrail": {"complex_from": 6}}).field == "guardrail.complex_from"


@pytest.mark.parametrize("model", [Guardrail, Weights, Cadence, Policy])
def test_policy_is_frozen(model: type[BaseModel]) -> None:
    one = model()
    for field in model.model_fields:
        with pytest.raises(ValidationError):
            setattr(one, field, getattr(one, field))


def test_policy_survives_json() -> None:
    policy = Policy(
        guardrail=Guardrail(complex_from=3, complex_level="senior", high_value_level="manager"),
        weights=Weights(escalation=7, week_ends=0),
        cadence=Cadence(nightly_hour=23, midweek_check=False),
        horizon_days=14,
        late_tail_days=7,
        missing_estimate=MissingEstimate.TYPE_DEFAULT,
        remaining_floor_min=30,
    )
    assert Policy.model_validate_json(policy.model_dump_json()) == policy
    assert Policy.model_validate(policy.model_dump(mode="json")) == policy


def test_default_policy_guards_nothing_and_holds_what_has_no_estimate() -> None:
    policy = Policy()
    assert policy.guardrail.complex_level is None
    assert policy.guardrail.high_value_level is None
    assert policy.missing_estimate is MissingEstimate.HOLD
    assert policy.remaining_floor_min == 15


def test_tiers_are_low_standard_and_high() -> None:
    assert [tier.value for tier in ValueTier] == ["low", "standard", "high"]
