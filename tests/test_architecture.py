"""The shape of the project, read from its own files."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("solver", "scenarios", "api")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
OUTSIDE = {
    "os", "io", "sys", "pathlib", "shutil", "tempfile", "subprocess", "socket", "ssl", "http", "urllib", "requests", "httpx",
    "sqlite3", "sqlalchemy", "fastapi", "starlette", "typer", "rich", "csv", "openpyxl", "pandas", "jinja2", "logging", "time",
    "random", "secrets", "uuid", "threading", "multiprocessing", "asyncio", "signal",
}  # fmt: skip
LONGEST_MODULE, LONGEST_COMPILED = 430, 660
"""Lines; above 400 the first docstring gives a reason (checked below). What is compiled stands in one file: its cache is renewed by
changes of that file alone."""
FORBIDDEN_NAMES = re.compile(r"(Manager|Helper|Handler|Processor|Service|Utils?)$")


def imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module}
    return found


def roots(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imported(path)}


def title(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", [path for path in SOURCES if path.is_relative_to(ROOT / "solver")], ids=title)
def test_the_solver_knows_nobody_and_touches_nothing_outside(path: Path) -> None:
    assert not roots(path) & (OUTSIDE | {"scenarios", "api", "tests", "benchmarks"})
    text = path.read_text(encoding="utf-8")
    assert not re.search(
        r"\b(datetime\.now|date\.today|time\.time|monotonic|perf_counter|(?<!def )open\(|print\(|hash\()", text
    )


@pytest.mark.parametrize("path", [path for path in SOURCES if path.is_relative_to(ROOT / "scenarios")], ids=title)
def test_scenarios_know_the_solver_only(path: Path) -> None:
    assert not roots(path) & (OUTSIDE | {"api", "tests", "benchmarks"})


@pytest.mark.parametrize("path", SOURCES, ids=title)
def test_modules_are_small_named_and_explained(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstring = ast.get_docstring(tree)
    assert docstring, "a module says what it is"
    text = path.read_text(encoding="utf-8")
    lines, most = text.count("\n"), LONGEST_COMPILED if "@njit" in text else LONGEST_MODULE
    assert lines <= 400 or (lines <= most and "one module" in docstring)
    assert path.stem not in {"utils", "util", "helpers", "helper", "common", "misc"}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            assert not FORBIDDEN_NAMES.search(node.name), node.name


@pytest.mark.parametrize("name", ["solver", "api.intake", "api.report", "api.store"])
def test_the_front_door_is_small_and_holds_what_it_says(name: str) -> None:
    module = importlib.import_module(name)
    assert len(module.__all__) <= 30
    assert list(module.__all__) == sorted(module.__all__)
    for one in module.__all__:
        assert getattr(module, one) is not None


def test_a_quick_answer_loads_no_library_of_the_batch(tmp_path: Path) -> None:
    script = (
        "import sys; from api.cli import run; "
        "code = run(['generate', '--people', '4', '--tasks', '6', '--out', sys.argv[1]]); "
        "code += run(['place', sys.argv[1], '--type', '1040', '--client', 'C00001', '--due', '2027-03-12', '--hours', '1', "
        "'--now', '2027-03-01T09:00', '--json']); "
        "heavy = {'numba', 'ortools', 'pandas', 'scipy', 'jinja2', 'openpyxl'} & set(sys.modules); "
        "assert not heavy, heavy; assert code in (0, 5), code"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "firm.json")]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True)


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def test_no_tracked_file_names_a_machine_or_a_download_address() -> None:
    path_of_a_machine = re.compile(rb"(^|[\s\"'=(])/(work|root|home/[a-z]+|Users/[A-Za-z]+)/")
    address = re.compile(rb"(?i)(registry|index-url|index_url|files\.pythonhosted)\W*[:=]?\W*https?://")
    for path in tracked():
        content = path.read_bytes()
        assert not path_of_a_machine.search(content), path
        assert not address.search(content), path


def test_constraints_are_plain_pins() -> None:
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        assert re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9_.]+", line), line


def test_every_decision_has_its_parts() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert len(decisions) >= 6
    for path in decisions:
        text = path.read_text(encoding="utf-8")
        for part in ("**Context.**", "**Decision.**", "**Consequences.**", "**Alternatives.**"):
            assert part in text, (path.name, part)


def test_links_between_documents_lead_somewhere() -> None:
    for path in [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *(ROOT / "docs").rglob("*.md"),
        ROOT / "benchmarks" / "README.md",
    ]:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text(encoding="utf-8")):
            if not target.startswith(("http://", "https://", "mailto:")):
                assert (path.parent / target).exists(), (path.name, target)
