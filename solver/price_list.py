"""The prices of a batch, kept for the next day: what one more open minute of each person is worth, and what each task costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, PlainSerializer, PlainValidator, WithJsonSchema, model_validator

from solver.axis import Axis
from solver.policy import Frozen
from solver.refusal import refuse


def _matrix(rows: object) -> NDArray[np.float64]:
    matrix = np.array(rows, dtype=np.float64, ndmin=2)
    matrix.flags.writeable = False
    return matrix


def _rows(matrix: NDArray[np.float64]) -> list[list[float]]:
    rows: list[list[float]] = matrix.tolist()
    return rows


Matrix = Annotated[
    NDArray[np.float64],
    PlainValidator(_matrix),
    PlainSerializer(_rows, return_type=list[list[float]]),
    WithJsonSchema({"type": "array", "items": {"type": "array", "items": {"type": "number"}}}),
]


class PriceList(Frozen):
    """Prices in minutes of the objective, from the multipliers of the batch's relaxation.

    It names people and days, not places in arrays: it outlives the board it was made on, and survives JSON.

    Attributes
    ----------
    minute
        ``(people, days)``; multipliers of a relaxation are never negative and never more for a later day, which is not checked here.

    Raises
    ------
    ValidationError
        A shape that is not people x days, a price that is no number, days out of order.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    people: tuple[str, ...]
    days: tuple[date, ...] = Field(description="earliest first")
    minute: Matrix = Field(
        description="per person and day: what the objective falls by with one more open minute of the person up to and "
        "including that day, which is what a minute promised by that day costs"
    )
    task: Mapping[str, float] = Field(default={}, description="price of each task of the batch: what doing it costs")
    skill: Mapping[str, float] = Field(default={}, description="price of one more minute of work that asks a skill")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        shape = (len(self.people), len(self.days))
        if self.minute.shape != shape and self.minute.size + shape[0] * shape[1] > 0:
            raise refuse("wrong_shape", "minute", self.minute.shape, "is not people x days", nearest=shape)
        if not np.isfinite(self.minute).all():
            raise refuse("not_a_number", "minute", "nan", "is no price", nearest=0)
        if list(self.days) != sorted(set(self.days)):
            raise refuse("days_unordered", "days", len(self.days), "are not each later than the one before")
        return self

    def on(self, axis: Axis, people: Sequence[str]) -> NDArray[np.float64]:
        """Return what a minute of each of ``people`` promised by each slot costs, ``(people, slots)``.

        A day the list does not name has the price of the next day it names, as every window that ends there binds it too;
        behind the last one, and for people it does not know, a minute costs nothing.
        """
        known = {id: p for p, id in enumerate(self.people)}
        rows = [known.get(id, len(self.people)) for id in people]
        columns = np.searchsorted(
            np.array([day.toordinal() for day in self.days], dtype=np.int64), [day.toordinal() for day in axis.days]
        )
        padded = np.zeros((len(self.people) + 1, len(self.days) + 1))
        padded[:-1, :-1] = self.minute
        found: NDArray[np.float64] = padded[np.array(rows, dtype=np.int64)[:, None], columns]
        return found

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PriceList):
            return NotImplemented
        names = (self.people, self.days, dict(self.task), dict(self.skill))
        return names == (other.people, other.days, dict(other.task), dict(other.skill)) and np.array_equal(
            self.minute, other.minute
        )

    def __hash__(self) -> int:
        return (self.people, self.days).__hash__()
