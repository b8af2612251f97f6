"""One CP-SAT model of everything, two workers: what most people would write first.

It is the project's own statement of the problem (`solver.model`), so rules and prices are the same by construction.
``--hint`` gives it the start plan as a complete hint.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

from ortools.sat.python import cp_model

from benchmarks.peers.export import answer_of, problem_of, start_of
from benchmarks.peers.instance import read
from benchmarks.peers.scoring import Answer
from benchmarks.peers.trace import Trace, arguments_of, elapsed_s
from solver.model import Choice, Scope, build
from solver.problem import ESCALATED

WORKERS = 2


class _Incumbents(cp_model.CpSolverSolutionCallback):
    def __init__(self, choice: Choice, trace: Trace) -> None:
        super().__init__()
        self.choice, self.trace = choice, trace

    def on_solution_callback(self) -> None:
        """Take in each better plan."""
        self.trace.found(_answer(self.choice, self))


def _answer(choice: Choice, solution: cp_model.CpSolverSolutionCallback) -> Answer:
    plan = choice.scope.plan.copy()
    plan.who[:], plan.window[:] = ESCALATED, -1
    for (t, p, w), x in choice.picks.items():
        if solution.boolean_value(x):
            plan.who[t], plan.window[t] = p, w - int(choice.problem.first_window[t])
    return answer_of(plan)


def main(arguments: Sequence[str] | None = None) -> None:
    """Solve an instance as one model."""
    asked = arguments_of(__doc__, arguments, "hint")
    trace = Trace()
    problem = problem_of(read(asked.instance).origin)
    start = start_of(problem)
    if asked.hint:
        trace.found(answer_of(start))
    choice = build(problem, Scope(start, tuple(range(problem.task_count)), tuple(range(problem.person_count))))
    if not asked.hint:
        choice.model.clear_hints()  # type: ignore[no-untyped-call]
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = WORKERS
    solver.parameters.random_seed = asked.seed
    solver.parameters.max_time_in_seconds = max(asked.seconds - elapsed_s(), 0.0)
    status = solver.solve(choice.model, _Incumbents(choice, trace))
    known = {"bound_min": round(solver.best_objective_bound)} if status != cp_model.UNKNOWN else {}
    trace.close(**known, versions={"ortools": version("ortools")})


if __name__ == "__main__":
    main()
