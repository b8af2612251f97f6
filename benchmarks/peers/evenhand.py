"""Our own engine, as a user calls it: from the firm to the plan, on the same clock as its peers."""

from __future__ import annotations

from collections.abc import Sequence

from api.crew import processes
from api.stops import WallClock
from benchmarks.peers.export import answer_of, board_of
from benchmarks.peers.instance import read
from benchmarks.peers.trace import Trace, arguments_of, elapsed_s
from solver.batch import solve_board
from solver.problem import compile_problem
from solver.reading import read_back
from solver.stop import Progress


def main(arguments: Sequence[str] | None = None) -> None:
    """Solve the firm an instance was made from."""
    asked = arguments_of(__doc__, arguments)
    trace = Trace()
    instance = read(asked.instance)
    base = int(instance.unavoidable_min[0])
    best: list[int] = []

    def told(progress: Progress) -> None:
        if not best or progress.objective_min < best[-1]:
            best.append(progress.objective_min)
            trace.stands_at(progress.objective_min + base)

    board = board_of(instance.origin)
    stop = WallClock(asked.seconds - elapsed_s())
    with processes(patient=False) as crew:
        plan = solve_board(board, stop=stop, seed=asked.seed, on_progress=told, crew=crew)
    trace.found(answer_of(read_back(compile_problem(board), plan)))
    trace.close(bound_min=plan.certificate.bound_min + base, versions=plan.certificate.versions)


if __name__ == "__main__":
    main()
