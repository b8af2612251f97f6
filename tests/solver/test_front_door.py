"""The names of the package: all there, each loaded on first use only."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import solver

ROOT = Path(__file__).parents[2]


def modules_after(code: str) -> set[str]:
    """Return the modules a fresh interpreter holds after ``code``."""
    child = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return set(child.stdout.split())


@pytest.mark.parametrize("name", solver.__all__)
def test_name_is_what_its_module_calls_so(name: str) -> None:
    home = next(module for module, names in solver._HOMES.items() if name in names)
    assert getattr(solver, name) is getattr(importlib.import_module(f"solver.{home}"), name)


def test_list_of_names_is_sorted_and_complete() -> None:
    assert sorted(solver.__all__, key=lambda name: (not name[0].isupper(), name)) == solver.__all__
    assert sorted(solver.__all__) == sorted(name for names in solver._HOMES.values() for name in names)


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match='module "solver" has no attribute "solv"'):
        _ = solver.solv
    assert not hasattr(solver, "solv")


def test_import_of_the_package_loads_nothing_of_it() -> None:
    assert {name for name in modules_after("import solver") if name.startswith("solver")} == {"solver"}


def test_placing_one_task_does_not_wait_for_the_libraries_of_the_batch() -> None:
    loaded = modules_after(
        "from solver import Firm, Task, compile_board, place, dry_run, Decision, Refused, WorkBudget"
    )
    assert not loaded & {"ortools", "scipy", "numba", "solver.batch", "solver.anneal"}


def test_solving_loads_them() -> None:
    assert {"solver.batch", "numba", "scipy"} <= modules_after("from solver import solve")
