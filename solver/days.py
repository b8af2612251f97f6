"""Whole days of everybody on a board: their minutes, and the minutes that could still be added to them."""

from __future__ import annotations

from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from solver.axis import Axis, summed_min
from solver.calendar import capacity_min, day_list
from solver.firm import Firm, Overtime


class Days:
    """The days from the first to the last of an axis; cutting slots changes none of them."""

    def __init__(self, firm: Firm, axis: Axis) -> None:
        self.firm, self.axis = firm, axis

    def of_day_min(self, day: date) -> NDArray[np.int64]:
        """Return the ``(people,)`` minutes of one whole day, those of today that have passed included."""
        whole: NDArray[np.int64] = self._whole_min[:, (day - self.axis.first_day).days]
        return whole

    def most_added_min(self, people: NDArray[np.int64], first: date, last: date) -> NDArray[np.int64]:
        """Return how many minutes people's days from ``first`` to ``last`` still have.

        None on holidays, absences and outside employment; of today what is left of its share.
        """
        start, end = (first - self.axis.first_day).days, (last - self.axis.first_day).days + 1
        most: NDArray[np.int64] = self._addable_until_min[people, end] - self._addable_until_min[people, start]
        return most

    @cached_property
    def _whole_min(self) -> NDArray[np.int64]:
        return capacity_min(self.firm, day_list(self.axis.first_day, self.axis.last_day))

    @cached_property
    def _addable_until_min(self) -> NDArray[np.int64]:
        """``(people, days + 1)`` minutes that could be added before each day, summed: each day has 24 hours."""
        axis = self.axis
        full = Overtime(first_day=axis.first_day, last_day=axis.last_day, extra_min=(1_440,) * 7)
        longest = self.firm.model_copy(update={"overtime": (*self.firm.overtime, full)})
        added = capacity_min(longest, day_list(axis.first_day, axis.last_day)) - self._whole_min
        added[:, 0] = added[:, 0] * (axis.day_length - axis.passed) // axis.day_length
        return summed_min(added)
