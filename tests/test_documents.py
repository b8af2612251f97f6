"""What the documents show is run."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from api.cli import app
from api.errors import Exit
from api.intake import Mapping
from scenarios.changes import known_changes, scenario_of
from scenarios.grids import Axis, Sweep
from tests.firms_for_tests import NOW

ROOT = Path(__file__).parents[1]


def blocks(name: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / name).read_text(encoding="utf-8"), re.DOTALL)


def test_the_python_example_of_the_readme_runs() -> None:
    (example,) = blocks("README.md", "python")
    exec(compile(example, "README.md", "exec"), {})


def test_the_mapping_example_is_a_mapping() -> None:
    (example,) = blocks("docs/command-line.md", "toml")
    assert Mapping.model_validate(tomllib.loads(example)).of("tasks").columns["deadline"] == "Due"


def test_the_scenario_example_is_a_scenario() -> None:
    (example,) = blocks("docs/what-if.md", "toml")
    document = tomllib.loads(example)
    axes = [Axis.model_validate(one) for one in document.pop("sweep")]
    points = Sweep(scenario=scenario_of(document), axes=tuple(axes)).points(now=NOW, seed=0, work_units=0)
    assert [axes[0].shown(point.values[0]) for point in points] == ["0", "2.50", "5", "10"]


def test_every_change_is_documented() -> None:
    text = (ROOT / "docs" / "what-if.md").read_text(encoding="utf-8")
    for name, change in known_changes().items():
        (row,) = [line for line in text.splitlines() if line.startswith(f"| `{name}` |")]
        fields = set(change.model_fields) - {"change", "tasks", "client", "type", "person"}
        assert all(f"`{field}`" in row for field in fields), (name, fields)


def test_every_command_and_exit_code_is_documented() -> None:
    text = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    for command in app.registered_commands:
        assert command.callback is not None
        assert f"`evenhand {command.name or command.callback.__name__}" in text
    for code in Exit:
        assert re.search(rf"^\| {code.value} \|", text, re.MULTILINE), code


def test_every_module_of_the_solver_is_on_the_map() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for path in (ROOT / "solver").glob("*.py"):
        assert f"{path.name}" in text or path.name == "__init__.py", path.name
