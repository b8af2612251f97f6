"""The routing rule, task after task: what a firm has without any search."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.peers.export import answer_of, problem_of
from benchmarks.peers.instance import read
from benchmarks.peers.trace import Trace, arguments_of
from solver.construct import rule_plan


def main(arguments: Sequence[str] | None = None) -> None:
    """Place the backlog of an instance by the rule."""
    asked = arguments_of(__doc__, arguments)
    trace = Trace()
    trace.found(answer_of(rule_plan(problem_of(read(asked.instance).origin))))
    trace.close()


if __name__ == "__main__":
    main()
