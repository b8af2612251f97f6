"""The season's program as it goes to HiGHS: solved once, or asked many things near its best."""

from __future__ import annotations

from dataclasses import dataclass, replace

import highspy
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import LinearConstraint

from solver.quiet import PRIMAL, Quiet

Floats = NDArray[np.float64]
GAP = 0.002
"""Whole hires are settled to a fifth of a percent of the cost."""
ROUGH_GAP = 0.01
"""Who does long tasks is settled to a hundredth of the cost: what is short of a skill is not known better."""
ROUGH_NODES = 500
"""Nodes after which the best answer so far counts, where it need not be exact."""
ROUGH_WORST = 0.05
"""Share of its cost by which an answer may be dearer than the least possible: one that is worse when nodes or time run out misleads."""
_SUB_PROGRAMS = ("rens", "rins", "root_reduced_cost")
"""Heuristics of HiGHS that solve a smaller integer program: without them a year of 30 people takes half the time, for answers as good."""
LIMIT_S = 120.0
"""Safety net of the integer part; the linear part takes seconds."""


@dataclass(frozen=True)
class Model:
    """The program as it goes to the solver, and where its parts begin."""

    price: Floats
    constraints: tuple[LinearConstraint, ...]
    upper: Floats
    whole: Floats
    columns: int
    over: int
    first_hire: int

    def least(self, *, rough: bool = False) -> tuple[Floats, float]:
        """Return the cheapest answer and its cost; where a rough one ends far from it, the cheapest without whole numbers."""
        solver = self.solver()
        solver.setOptionValue("mip_rel_gap", ROUGH_GAP if rough else GAP)
        solver.setOptionValue("time_limit", LIMIT_S)
        if rough:
            solver.setOptionValue("mip_max_nodes", ROUGH_NODES)
            for name in _SUB_PROGRAMS:
                solver.setOptionValue(f"mip_heuristic_run_{name}", False)
        solver.run()
        if rough and self.whole.any() and not solver.getInfo().mip_gap <= ROUGH_WORST:
            return replace(self, whole=np.zeros_like(self.whole)).least()
        if solver.getInfo().primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
            raise RuntimeError(f"the season's program has no answer: {solver.getModelStatus()}")
        return np.array(solver.getSolution().col_value), float(solver.getInfo().objective_function_value)

    def solver(self) -> Quiet:
        """Return HiGHS with the program in it."""
        rows = sp.vstack([one.A for one in self.constraints], format="csr")
        lower, upper = (
            np.concatenate([np.broadcast_to(getattr(one, end), one.A.shape[0]) for one in self.constraints])
            for end in ("lb", "ub")
        )
        program = highspy.HighsLp()
        program.num_col_, program.num_row_ = len(self.price), rows.shape[0]
        program.col_cost_, program.col_lower_, program.col_upper_ = self.price, np.zeros_like(self.price), self.upper
        program.row_lower_, program.row_upper_ = lower, upper
        program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        program.a_matrix_.start_, program.a_matrix_.index_ = rows.indptr, rows.indices
        program.a_matrix_.value_ = rows.data
        if self.whole.any():
            kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
            program.integrality_ = [kinds[int(whole)] for whole in self.whole.tolist()]
        solver = Quiet()
        solver.passModel(program)
        return solver


class NearBest:
    """All answers of a program without whole numbers that cost at most ``1 + slack`` times the least.

    Each question goes on from the answer to the one before: on the year of 30 people a twentieth of the time of asking anew.
    """

    def __init__(self, model: Model, slack: float) -> None:
        assert not model.whole.any(), "ranges are of linear programs"
        self._columns = np.arange(len(model.price), dtype=np.int32)
        self._solver = model.solver()
        cost, priced = self.least(model.price), np.flatnonzero(model.price).astype(np.int32)
        highest = cost * (1.0 + slack) + 1.0
        self._solver.addRow(-highspy.kHighsInf, highest, len(priced), priced, model.price[priced])
        # The last answer is possible under every price: the primal simplex goes on from there, the dual one would begin anew.
        self._solver.setOptionValue("simplex_strategy", PRIMAL)

    def least(self, price: Floats) -> float:
        """Return the least that these prices of the columns come to."""
        self._solver.changeColsCost(len(self._columns), self._columns, price)
        self._solver.run()
        status = self._solver.getModelStatus()
        if status != highspy.HighsModelStatus.kOptimal:
            raise RuntimeError(f"a range of the season's program has no answer: {status}")
        return float(self._solver.getInfo().objective_function_value)
