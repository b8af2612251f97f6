"""The engine: it knows nobody. No input or output, no clock, no global state; same input, same seed, same answer.

Names are loaded on first use, so that placing one task does not wait for the libraries of the batch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from solver.batch import solve, today
    from solver.board import Board, compile_board
    from solver.explain import why, why_not
    from solver.firm import Client, Firm, Level, Person, Skill, Task, TaskType
    from solver.metrics import measure
    from solver.plan import Decision, Plan, Proposal
    from solver.policy import Policy, Weights
    from solver.rebalance import proposals
    from solver.refusal import Refusal, Refused
    from solver.routing import dry_run, place
    from solver.stop import FirstOf, Progress, Stop, TargetGap, WorkBudget

__all__ = [
    "Board",
    "Client",
    "Decision",
    "Firm",
    "FirstOf",
    "Level",
    "Person",
    "Plan",
    "Policy",
    "Progress",
    "Proposal",
    "Refusal",
    "Refused",
    "Skill",
    "Stop",
    "TargetGap",
    "Task",
    "TaskType",
    "Weights",
    "WorkBudget",
    "compile_board",
    "dry_run",
    "measure",
    "place",
    "proposals",
    "solve",
    "today",
    "why",
    "why_not",
]

_HOMES = {
    "batch": ("solve", "today"),
    "board": ("Board", "compile_board"),
    "explain": ("why", "why_not"),
    "firm": ("Client", "Firm", "Level", "Person", "Skill", "Task", "TaskType"),
    "metrics": ("measure",),
    "plan": ("Decision", "Plan", "Proposal"),
    "policy": ("Policy", "Weights"),
    "rebalance": ("proposals",),
    "refusal": ("Refusal", "Refused"),
    "routing": ("dry_run", "place"),
    "stop": ("FirstOf", "Progress", "Stop", "TargetGap", "WorkBudget"),
}


def __getattr__(name: str) -> object:
    """Load the module that holds ``name``."""
    home = next((module for module, names in _HOMES.items() if name in names), None)
    if home is None:
        raise AttributeError(f'module "solver" has no attribute "{name}"')
    return getattr(import_module(f"solver.{home}"), name)
