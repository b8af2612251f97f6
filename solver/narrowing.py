"""The state of annealing cut down to the windows that some tasks can use, all others standing still.

A plan of 300 people has 81 times 103 windows that can bind, and every move of a task touches those around its own; where only late work
and what is in its way is moved, a few hundred of them tell all there is to know. Windows between which none of these tasks makes a
difference change by the same minutes, so the tightest of them stands for all.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from solver.anneal import Facts, Overbooked, State

Ints = NDArray[np.int64]


def narrowed(flat: Facts, state: State, kept: Overbooked, tasks: Ints) -> tuple[Facts, State, Overbooked]:
    """Return facts and states in which only ``tasks`` may be moved; the plan stays that of everybody."""
    windows = np.concatenate([np.arange(flat.first_window[t], flat.first_window[t + 1]) for t in tasks.tolist()])
    inside = windows[flat.column[windows] < state.slack.shape[2]]
    rows, columns = np.unique(flat.row[inside]), np.unique(flat.column[inside])
    row, column = np.full_like(flat.row, len(rows)), np.full_like(flat.column, len(columns))
    row[inside], column[inside] = np.searchsorted(rows, flat.row[inside]), np.searchsorted(columns, flat.column[inside])
    held, held_count, place = np.full_like(state.held, -1), np.zeros_like(state.held_count), np.zeros_like(state.place)
    for t in tasks.tolist():
        p = state.who[t]
        held[p, held_count[p]], place[t] = t, held_count[p]
        held_count[p] += 1
    return (
        flat._replace(row=row, column=column),
        state._replace(slack=_tightest(state.slack, rows, columns), held=held, held_count=held_count, place=place),
        kept._replace(firm_slack=_tightest(kept.firm_slack, rows, columns), room=_tightest(kept.room, rows, columns)),
    )


def _tightest(slack: NDArray[np.int32], rows: NDArray[np.int32], columns: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the least slack of the windows around each pair of a row and a column, and around no later row or earlier column."""
    if len(rows) == 0 or len(columns) == 0:
        return np.zeros((len(slack), len(rows), len(columns)), dtype=np.int32)
    around = slack[:, : rows[-1] + 1, columns[0] :]
    by_row = np.minimum.reduceat(around, np.append(0, rows[:-1] + 1), axis=1)
    least: NDArray[np.int32] = np.ascontiguousarray(np.minimum.reduceat(by_row, columns - columns[0], axis=2))
    return least
