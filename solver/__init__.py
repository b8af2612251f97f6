"""The engine: it knows nobody. No input or output, no clock, no global state; same input, same seed, same answer."""

from solver.batch import solve, today
from solver.board import Board, compile_board
from solver.firm import Client, Firm, Level, Person, Skill, Task, TaskType
from solver.plan import Decision, Plan, Proposal
from solver.policy import Policy, Weights
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
    "place",
    "solve",
    "today",
]
