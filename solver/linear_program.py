"""A linear program that is solved again and again with more rows and variables, each time from where the last one ended.

HiGHS from nothing takes 3.4 seconds for each round of the relaxation of 100 people and 3,000 tasks; from the last basis
one is half a second (38 and 161 iterations after 27,603 of the first).
"""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from solver.quiet import Quiet

Numbers = NDArray[np.float64]
BASIC, LOWER = highspy.HighsBasisStatus.kBasic, highspy.HighsBasisStatus.kLower


@dataclass(frozen=True)
class Program:
    """Least ``price`` of variables from zero to ``upper``, with some rows equal to their right sides and some at most those.

    Programs that follow each other differ by what was appended: variables, equal rows, other rows. Of the appended variables the last
    ones, as many as there are appended equal rows, must be what these rows work out, one each.
    """

    price: Numbers
    upper: Numbers
    equal: sp.csr_matrix
    equal_right: Numbers
    most: sp.csr_matrix
    most_right: Numbers

    @property
    def size(self) -> tuple[int, int, int]:
        """Number of variables, equal rows and other rows."""
        return len(self.price), len(self.equal_right), len(self.most_right)


@dataclass(frozen=True)
class Answer:
    """Values of the variables, multipliers of the equal and of the other rows (never above zero), and iterations it took."""

    values: Numbers
    equal: Numbers
    most: Numbers
    iterations: int


@dataclass
class Repeated:
    """Solves programs that follow each other.

    Attributes
    ----------
    basis
        Where the last one ended, with the size it had.
    """

    basis: tuple[highspy.HighsBasis, tuple[int, int, int]] | None = None

    def solve(self, program: Program) -> Answer | None:
        """Return the answer, nothing where HiGHS finds none."""
        solver, size = Quiet(), program.size
        solver.passModel(_written(program))
        if self.basis is not None:
            solver.setBasis(_extended(*self.basis, size))
        solver.run()
        if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            self.basis = None
            return None
        self.basis = solver.getBasis(), size
        solution, known = solver.getSolution(), solver.getInfo()
        dual = np.array(solution.row_dual)
        iterations = max(int(known.simplex_iteration_count), 0)
        return Answer(np.array(solution.col_value), dual[: size[1]], np.minimum(dual[size[1] :], 0.0), iterations)


def _written(program: Program) -> highspy.HighsLp:
    matrix = sp.vstack([program.equal, program.most]).tocsc()
    written = highspy.HighsLp()
    written.num_col_, written.num_row_ = matrix.shape[1], matrix.shape[0]
    written.col_cost_, written.col_upper_ = program.price, program.upper
    written.col_lower_ = np.zeros(matrix.shape[1])
    written.row_lower_ = np.concatenate([program.equal_right, np.full(len(program.most_right), -highspy.kHighsInf)])
    written.row_upper_ = np.concatenate([program.equal_right, program.most_right])
    written.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    written.a_matrix_.start_, written.a_matrix_.index_ = matrix.indptr, matrix.indices
    written.a_matrix_.value_ = matrix.data
    return written


def _extended(basis: highspy.HighsBasis, before: tuple[int, int, int], now: tuple[int, int, int]) -> highspy.HighsBasis:
    """Return the basis with what was appended: variables that new equal rows work out are basic, and so is the slack of other rows."""
    more_variables, more_equal, more_most = (b - a for a, b in zip(before, now, strict=True))
    column, row = list(basis.col_status), list(basis.row_status)
    extended = highspy.HighsBasis()
    extended.col_status = column + [LOWER] * (more_variables - more_equal) + [BASIC] * more_equal
    extended.row_status = row[: before[1]] + [LOWER] * more_equal + row[before[1] :] + [BASIC] * more_most
    extended.valid = True
    return extended
