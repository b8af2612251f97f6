"""Branch and cut on the whole firm: the bound that closes the gap where the firm is small enough, beside the search and fed by it.

The cuts that HiGHS finds at the root are what the relaxation lacks. Two things make it fast enough: only those windows are rows that the
relaxation found to matter, written with cumulative loads (46,000 entries where all windows are 1,100,000), and it is begun anew, in
stages, from better and better plans: each lets it fix more of the rest. A plan that breaks a window left out is not used; its windows
are rows in the next stage. Leaving rows out only lowers a bound.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray

from solver import integer_program
from solver.crew import Line
from solver.integer_program import Program
from solver.model import Scope
from solver.problem import ESCALATED, Assignment, Problem
from solver.quiet import Quiet

MOST_ENTRIES = 800_000
"""Entries of the matrix up to which it is tried: at 46,000 (30 people, 600 tasks) the root takes six seconds, at 470,000 (100 people,
3,000 tasks) forty."""
UNITS_PER_STEP = 1.5e-5
"""Deterministic work of one simplex iteration, times the cube root of the entries; fitted to the two sizes above."""
WORTH_A_STAGE = 0.05
"""A plan better by this share of the objective ends a stage: a new one from there fixes more than this one would."""
FIRST_NODES, MORE_NODES = 1, 100
"""Nodes of the first stage, which is the root alone, and by how much the next stage that needs more may have more."""
OPTIONS: dict[str, Any] = {"output_flag": False, "threads": 1, "mip_rel_gap": 1e-7, "presolve": "off"}
"""Without presolve the root takes as long and its bound is as good (30 people, 600 tasks); with it, HiGHS 1.16 now and then takes a plan
it begins with for a cheaper one that does not exist, and ends there (a test's tiny firm: 850,556, and nothing is below 1,299,239)."""
TOLERANCE = 1e-6
"""Taken off a bound, whose sums are in floating point."""

Rows = frozenset[tuple[int, int]]
"""Persons and release rows whose windows are rows of the program; windows from now on always are."""


@dataclass(frozen=True)
class Branched:
    """What a stage came to.

    Attributes
    ----------
    plan
        The best plan that breaks no rule, the one it was given if it found no better.
    bound_min
        No plan costs less; unavoidable part included.
    rows
        The rows of the next stage.
    closed
        Nothing is left to look at: plan and bound agree as far as floating-point sums can tell.
    more_nodes
        The stage ended for want of nodes.
    """

    plan: Assignment
    bound_min: int
    work_units: float
    rows: Rows
    closed: bool = False
    more_nodes: bool = False


@dataclass(frozen=True)
class Branch:
    """One stage: the whole firm, from a plan, within a number of nodes."""

    plan: Assignment
    rows: Rows
    nodes: int

    def __call__(self, problem: Problem, line: Line) -> Branched:
        """Run the stage; what it finds on the way is handed over, for HiGHS may be slow to hear that it must stop."""
        scope = Scope(self.plan, tuple(range(problem.task_count)), tuple(range(problem.person_count)))
        program = integer_program.build(problem, scope, self.rows)
        return _Stage(problem, program, self, line).run()


def tractable(problem: Problem, rows: Rows) -> bool:
    """Whether the whole firm is small enough to be tried."""
    picks = np.diff(problem.first_window).astype(np.int64) @ problem.allowed
    # A pick is in its task's row, two of balance, one of the person's first windows, and on average half of the person's other rows.
    others = np.bincount([p for p, _ in rows], minlength=problem.person_count)
    return float(picks @ (4.0 + others / 2)) <= MOST_ENTRIES


class _Stage:
    """One run of HiGHS and what is heard from it."""

    def __init__(self, problem: Problem, program: Program, job: Branch, line: Line) -> None:
        self.problem, self.program, self.line = problem, program, line
        self.best = Branched(job.plan, 0, 0.0, job.rows)
        self.objective = self.first = problem.objective_min(job.plan)
        self.over = False
        self.entries = 0
        self.solver: Any = Quiet()
        for name, value in (OPTIONS | {"mip_max_nodes": job.nodes}).items():
            self.solver.setOptionValue(name, value)

    def run(self) -> Branched:
        self._pass()
        self.solver.cbMipImprovingSolution += lambda event: self._improved(event.data_out.mip_solution)
        self.solver.cbMipInterrupt += self._asked
        self.solver.run()
        status, known = self.solver.getModelStatus(), self.solver.getInfo()
        if status not in (
            highspy.HighsModelStatus.kOptimal,
            highspy.HighsModelStatus.kSolutionLimit,
            highspy.HighsModelStatus.kInterrupt,
        ):
            raise RuntimeError(f"HiGHS ended with {self.solver.modelStatusToString(status)} on a firm that has a plan")
        self._bounded(float(known.mip_dual_bound))
        if values := self.solver.getSolution().col_value:
            self._improved(values)  # what presolve alone comes to is told nowhere else
        closed = status == highspy.HighsModelStatus.kOptimal and self.best.rows == self._rows_given
        return replace(
            self.best,
            work_units=max(int(known.simplex_iteration_count), 0) * float(np.cbrt(self.entries)) * UNITS_PER_STEP,
            closed=closed,
            more_nodes=status == highspy.HighsModelStatus.kSolutionLimit,
        )

    def _pass(self) -> None:
        """Hand over the program and the plan it begins with."""
        program, self._rows_given = self.program, self.best.rows
        matrix = program.matrix()
        matrix.sum_duplicates()
        self.entries = int(matrix.nnz)
        row_wise, minimise = 2, 1
        whole = (np.arange(program.columns) < program.whole).astype(np.int32)
        self.solver.passModel(
            program.columns,
            program.rows,
            self.entries,
            row_wise,
            minimise,
            0.0,
            np.concatenate(program.price),
            np.zeros(program.columns),
            np.concatenate(program.upper),
            np.concatenate(program.low),
            np.concatenate(program.high),
            matrix.indptr[:-1].astype(np.int32),
            matrix.indices.astype(np.int32),
            matrix.data,
            whole,
        )
        start = _values(self.problem, program, self.best.plan)
        self.solver.setSolution(len(start), np.arange(len(start), dtype=np.int32), start)

    def _asked(self, event: Any) -> None:
        self._bounded(float(event.data_out.mip_dual_bound))
        if self.over or not self.line():
            event.interrupt()

    def _improved(self, values: Sequence[float]) -> None:
        plan = integer_program.plan_of(self.program, np.asarray(values))
        broken = np.argwhere((self.problem.slack_min(plan) < 0).any(axis=2))
        if len(broken):
            self.best = replace(self.best, rows=self.best.rows | {(int(p), int(a)) for p, a in broken})
            self.over = True
            return
        objective = self.problem.objective_min(plan)
        if objective < self.objective:
            self.best, self.objective = replace(self.best, plan=plan), objective
            self.over = self.over or self.first - objective >= WORTH_A_STAGE * self.first
            self.line.keep(self.best)

    def _bounded(self, bound: float) -> None:
        """Take in a bound; the last one counts, and it may rise a thousand times."""
        if not math.isfinite(bound):
            return
        minutes = math.ceil(bound - TOLERANCE * (1.0 + abs(bound)))
        if minutes > self.best.bound_min:
            self.best = replace(self.best, bound_min=minutes)
            self.line.keep(self.best)


def _values(problem: Problem, program: Program, plan: Assignment) -> NDArray[np.float64]:
    """Return the values of the whole-number variables of a plan."""
    here = (plan.who[program.task] == program.person) & (
        problem.first_window[program.task] + plan.window[program.task] == program.window
    )
    return np.concatenate([here, plan.who == ESCALATED]).astype(np.float64)
