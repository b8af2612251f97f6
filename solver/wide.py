"""The batch problem of a firm too large for tables of every task against everybody.

At 10,000 people and 100,000 tasks each such table has a thousand million entries. Here the tables of a `Problem` are worked out
when they are read, some hundred tasks at a time, and only the last ones are kept; read them in the order of the tasks.
What walks through the tasks (writing, completing, components, restricting) takes such a problem as it takes any other; the
search and the bound do not, and get parts of it (`solver.components.restricted`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from solver.board import Board, Compiled
from solver.pairs import TOGETHER, Pairs, pairs
from solver.problem import Capacity, Problem, assembled, compile_problem, offered
from solver.windows import Window

MOST_PAIRS = 50_000_000
"""Pairs of task and person beyond which tables are not built: 450 MB of them."""


def problem_of(board: Board, *, most_pairs: int = MOST_PAIRS) -> Problem:
    """Compile the batch problem of a board of any size; the same problem either way, read faster where tables fit."""
    if len(board.tasks) * board.staff.count <= most_pairs:
        return compile_problem(board)
    return compile_wide(board)


def compile_wide(board: Board) -> Problem:
    """Compile the batch problem of a board without its tables, in one walk through the tasks."""
    blocks = _Blocks(board)
    count = len(board.tasks)
    windows: list[tuple[Window, ...]] = []
    usual = np.zeros(count, dtype=np.int64)
    for first in range(0, count, TOGETHER):
        block = blocks.at(first)
        windows.extend(blocks.windows)
        minutes = np.einsum("tp,tp->t", block.work_min, block.allowed, dtype=np.int64)
        usual[first : first + TOGETHER] = minutes // np.maximum(block.allowed.sum(axis=1), 1)
    tables = (cast("NDArray[Any]", _Table(blocks, name)) for name in Pairs._fields)
    return assembled(board, Pairs(*tables), windows, usual)


def pairs_of(problem: Problem, tasks: NDArray[np.int64]) -> Pairs:
    """Return the pairs of some tasks, whether the problem has tables or not; some hundred tasks at a time are enough."""
    table: object = problem.work_min
    if isinstance(table, _Table):
        return table.blocks.some(tasks.tolist())[0]
    return Pairs(problem.work_min[tasks], problem.comfort_min[tasks], problem.allowed[tasks])


class _Blocks:
    """The pairs of a board, one block of tasks at a time."""

    def __init__(self, board: Board) -> None:
        self.board, self.capacity = board, Capacity(board)
        self.first = -1
        self.pairs: Pairs
        self.windows: list[tuple[Window, ...]] = []

    def at(self, t: int) -> Pairs:
        """Return the block that holds task ``t``."""
        first = t - t % TOGETHER
        if first != self.first:
            last = min(first + TOGETHER, len(self.board.tasks))
            self.pairs, self.windows = self.some(range(first, last))
            self.first = first
        return self.pairs

    def some(self, tasks: Sequence[int]) -> tuple[Pairs, list[tuple[Window, ...]]]:
        """Return the pairs and the windows of some tasks."""
        board = self.board
        rows = Compiled(tuple(board.rows[t] for t in tasks), board.windows)
        here = tuple(board.tasks[t] for t in tasks)
        found = pairs(Board(**{**vars(board), "tasks": here, "compiled": rows}))
        windows = [offered(board, t, self.capacity, found.work_min[i], found.allowed[i]) for i, t in enumerate(tasks)]
        return found, windows


class _Table:
    """One table ``(tasks, people)``, read as an array is: by task, by task and person, or by arrays of both."""

    def __init__(self, blocks: _Blocks, name: str) -> None:
        self.blocks, self.name = blocks, name
        self.shape = len(blocks.board.tasks), blocks.board.staff.count

    def __getitem__(self, key: Any) -> Any:
        task, person = key if isinstance(key, tuple) else (key, slice(None))
        if np.ndim(task) == 0:
            t = int(task)
            return getattr(self.blocks.at(t), self.name)[t % TOGETHER, person]
        tasks, people = np.asarray(task), np.asarray(person)
        found = np.empty(len(tasks), dtype={"allowed": np.bool_}.get(self.name, np.int32))
        block = tasks // TOGETHER
        order = np.argsort(block, kind="stable")
        for places in np.split(order, np.flatnonzero(np.diff(block[order])) + 1):
            if len(places):
                table = getattr(self.blocks.at(int(tasks[places[0]])), self.name)
                found[places] = table[tasks[places] % TOGETHER, people[places]]
        return found
