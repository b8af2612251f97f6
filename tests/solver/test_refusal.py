from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from solver.refusal import Refusal, Refused, dotted, nearest_name, refusals, refuse, unknown


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    count: Annotated[int, Field(ge=2, le=9)] = 5
    above: Annotated[int, Field(gt=3)] = 5
    below: Annotated[int, Field(lt=7)] = 5
    share: Annotated[float, Field(gt=0.5)] = 1.0
    colour: Colour = Colour.RED
    size: Literal["small", "large"] = "small"

    @model_validator(mode="after")
    def _no_four(self) -> Inner:
        if self.count == 4:
            raise refuse("unlucky", "count", self.count, "brings bad luck", nearest=5, hint="Maybe take five.")
        return self


class Outer(BaseModel):
    name: str
    parts: tuple[Inner, ...] = ()


class Braced(BaseModel):
    kind: str

    @model_validator(mode="after")
    def _no_braces(self) -> Braced:
        raise refuse("braces", "kind", self.kind, "has braces", nearest="{value}")


def refused(data: dict[str, Any], model: type[BaseModel] = Outer) -> tuple[Refusal, ...]:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(data)
    return refusals(caught.value)


def only(data: dict[str, Any], model: type[BaseModel] = Outer) -> Refusal:
    found = refused(data, model)
    assert len(found) == 1
    return found[0]


def test_sentence_names_field_value_message_nearest_and_hint_in_one_line() -> None:
    refusal = Refusal(
        code="unknown_reference",
        field="row 17, task type",
        value="1120s",
        message="is not known",
        nearest="1120-S",
        hint="Maybe add it under task types.",
    )
    assert refusal.sentence() == (
        'row 17, task type "1120s" is not known. Nearest: "1120-S". Maybe add it under task types.'
    )


def test_sentence_leaves_out_what_there_is_none_of() -> None:
    assert Refusal(code="x", field="id", value="a", message="occurs twice").sentence() == 'id "a" occurs twice.'


def test_refusal_is_frozen() -> None:
    refusal = Refusal(code="x", field="id", value="a", message="occurs twice")
    for field in Refusal.model_fields:
        with pytest.raises(ValidationError):
            setattr(refusal, field, "y")


def test_refused_carries_the_refusal_and_reads_as_its_sentence() -> None:
    refusal = Refusal(code="x", field="id", value="a", message="occurs twice", nearest="b")
    error = Refused(refusal)
    assert isinstance(error, ValueError)
    assert error.refusal is refusal
    assert str(error) == 'id "a" occurs twice. Nearest: "b".'


@pytest.mark.parametrize(
    "value, known, nearest",
    [
        ("1120s", ("1040", "1120-S", "bookkeeping"), "1120-S"),
        ("ANN", ("bob", "Ann"), "Ann"),
        ("ann", ("Ann",), "Ann"),
        ("xyz", ("abc",), "abc"),
        ("xyz", ("abc", "ayb"), "ayb"),
        ("", ("abc",), "abc"),
        ("abc", (), None),
    ],
)
def test_nearest_name_is_the_most_alike_whatever_the_case(value: str, known: tuple[str, ...], nearest: str) -> None:
    assert nearest_name(value, known) == nearest


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=8), st.sets(st.text(max_size=8), min_size=1, max_size=6))
def test_nearest_name_is_known_and_does_not_depend_on_the_order(value: str, known: set[str]) -> None:
    found = nearest_name(value, sorted(known))
    assert found in known
    assert nearest_name(value, sorted(known, reverse=True)) == found


@settings(deadline=None, max_examples=100)
@given(st.sets(st.text(alphabet="abcdef", min_size=1, max_size=8), min_size=1, max_size=6))
def test_nearest_name_of_a_known_name_is_itself(known: set[str]) -> None:
    assert all(nearest_name(one, known) == one for one in known)


def test_error_of_a_validator_keeps_its_place_code_value_nearest_and_hint() -> None:
    assert only({"name": "a", "parts": [{}, {"count": 4}]}) == Refusal(
        code="unlucky",
        field="parts.1.count",
        value="4",
        message="brings bad luck",
        nearest="5",
        hint="Maybe take five.",
    )


def test_error_of_the_outermost_model_names_the_field_alone() -> None:
    assert only({"count": 4}, Inner).field == "count"


def test_error_text_for_programmers_names_the_nearest_only_where_there_is_one() -> None:
    assert str(refuse("x", "id", 3, "is odd", nearest=4)) == 'id "3" is odd. Nearest: "4"'
    assert str(refuse("x", "id", 3, "is odd")) == 'id "3" is odd'


def test_braces_in_a_value_are_shown_as_given() -> None:
    assert only({"kind": "{nearest}"}, Braced).value == "{nearest}"


def test_unknown_reference_says_where_to_add_it() -> None:
    error = unknown("client", "acmee", {"acme", "zeta"}, "clients")
    assert error.type == "unknown_reference"
    assert error.context == {
        "field": "client",
        "value": "acmee",
        "why": "is not known",
        "nearest": "acme",
        "hint": "Maybe add it under clients.",
    }


def test_unknown_reference_among_nothing_has_no_nearest() -> None:
    context = unknown("client", "acme", (), "clients").context
    assert context is not None
    assert context["nearest"] is None


@pytest.mark.parametrize(
    "field, value, code, nearest",
    [
        ("count", 1, "greater_than_equal", "2"),
        ("count", 10, "less_than_equal", "9"),
        ("above", 3, "greater_than", "4"),
        ("below", 7, "less_than", "6"),
        ("share", 0.25, "greater_than", None),
        ("colour", "gren", "enum", "green"),
        ("size", "Large", "literal_error", "large"),
        ("count", "many", "int_parsing", None),
        ("other", 1, "extra_forbidden", None),
    ],
)
def test_value_out_of_bounds_is_refused_with_the_nearest_that_is_not(
    field: str, value: object, code: str, nearest: str | None
) -> None:
    refusal = only({field: value}, Inner)
    assert (refusal.code, refusal.field, refusal.value, refusal.nearest) == (code, field, str(value), nearest)


def test_nearest_bound_is_accepted() -> None:
    assert Inner(count=2, above=4, below=6) == Inner(count=2, above=4, below=6)
    assert Inner(count=9).count == 9


def test_message_continues_the_sentence_in_plain_words() -> None:
    assert only({"count": 10}, Inner).message == "should be less than or equal to 9"
    assert only({}, Outer).message == "is missing"


def test_missing_field_is_named() -> None:
    refusal = only({"parts": []})
    assert (refusal.code, refusal.field) == ("missing", "name")


def test_every_mistake_is_reported_in_the_order_of_the_input() -> None:
    found = refused({"parts": [{"count": 1}, {"colour": "blue"}, {"count": 4}]})
    assert [one.field for one in found] == ["name", "parts.0.count", "parts.1.colour", "parts.2.count"]


def test_mistake_of_the_whole_input_is_said_of_the_input() -> None:
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate(7)
    assert refusals(caught.value)[0].field == "input"


def test_long_value_is_shown_shortened_to_eighty_characters() -> None:
    assert only({"count": "9" * 79 + "x"}, Inner).value == "9" * 79 + "x"
    shown = only({"count": "9" * 80 + "x"}, Inner).value
    assert shown == "9" * 79 + "…"


def test_dotted_joins_names_and_places() -> None:
    assert dotted(("tasks", 17, "deadline")) == "tasks.17.deadline"
    assert dotted(()) == ""
