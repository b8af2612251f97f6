"""HiGHS, the whole firm as one mixed-integer program, two threads; ``--start`` gives it the plan our own search starts from.

Runs in the separate environment, wherever it is started from.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.environment import enter
from benchmarks.peers.instance import read
from benchmarks.peers.mip import Mip, mip_of
from benchmarks.peers.scoring import Answer
from benchmarks.peers.trace import Trace, arguments_of, elapsed_s

THREADS = 2


def pass_model(solver: Any, mip: Mip) -> None:
    """Hand the rows over; the constants are HiGHS's row-wise format, minimise, and integer columns."""
    columns, row_wise, minimise = len(mip.price), 2, 1
    whole = (np.arange(columns) < mip.binary_count).astype(np.int32)
    solver.passModel(
        columns,
        len(mip.least),
        len(mip.entry),
        row_wise,
        minimise,
        0.0,
        mip.price,
        np.zeros(columns),
        mip.upper,
        mip.least,
        mip.most,
        mip.row_start[:-1].astype(np.int32),
        mip.column.astype(np.int32),
        mip.entry,
        whole,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Solve an instance as one program."""
    asked = arguments_of(__doc__, arguments, "start")
    given = list(sys.argv[1:] if arguments is None else arguments)
    enter("benchmarks.peers.highs", [str(Path(one).resolve()) if one == str(asked.instance) else one for one in given])
    import highspy  # only the separate environment has it

    trace = Trace()
    instance = read(asked.instance)
    mip = mip_of(instance)
    solver: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    options = {
        "output_flag": False,
        "threads": THREADS,
        "random_seed": asked.seed,
        "mip_rel_gap": 0.0,
        "time_limit": max(asked.seconds - elapsed_s(), 0.0),
    }
    for name, setting in options.items():
        solver.setOptionValue(name, setting)
    pass_model(solver, mip)
    if asked.start:
        start = Answer(instance.start_who, instance.start_window)
        trace.found(start)
        values = mip.start(start)
        solver.setSolution(len(values), np.arange(len(values), dtype=np.int32), values)
    solver.cbMipImprovingSolution += lambda event: trace.found(mip.answer(event.data_out.mip_solution))
    solver.run()
    bound = solver.getInfo().mip_dual_bound
    known = {"bound_min": int(bound // 1)} if abs(bound) < highspy.kHighsInf else {}
    trace.close(**known, versions={"highspy": solver.version()})


if __name__ == "__main__":
    main()
