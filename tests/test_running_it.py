"""What the Dockerfile, the compose file and the runbook name is there: commands, settings, files, figures, answers of the API."""

from __future__ import annotations

import re
import shlex
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import yaml  # type: ignore[import-untyped]

from api.cli import app, run
from api.commands.signals import AFTERWARDS_S
from api.measures import Measures
from api.settings import PREFIX, Settings, find_settings

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = (ROOT / "compose.yaml").read_text(encoding="utf-8")
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
SETTINGS = {PREFIX + name.upper() for name in Settings.model_fields}
OF_COMPOSE = {"EVENHAND_DB_PASSWORD"}
"""Of the database's container, and no setting of the service."""


def instructions() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions with what they are given, in order."""
    lines = [line for line in DOCKERFILE.splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    found = [line.partition(" ") for line in joined.splitlines() if line.strip()]
    return [(name, rest.strip()) for name, _, rest in found]


def is_known(words: list[str]) -> bool:
    """Whether the command line knows a command, a group's included."""
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        return run([*words, "--help"]) == 0


def test_the_dockerfile_copies_what_is_there_and_all_that_is_installed() -> None:
    copied = {
        name
        for instruction, given in instructions()
        if instruction == "COPY" and not given.startswith("--from")
        for name in given.split()[:-1]
    }
    assert all((ROOT / name).exists() for name in copied), copied
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks"}
    assert packages | {"constraints.txt", "pyproject.toml", "README.md", "LICENSE"} == copied


def test_what_the_dockerfile_sets_and_runs_is_known() -> None:
    given = dict(instructions())
    environment = dict(word.partition("=")[::2] for word in shlex.split(given["ENV"]))
    settings = {name: value for name, value in environment.items() if name.startswith(PREFIX)}
    assert set(settings) <= SETTINGS
    assert find_settings(settings).settings.host == "0.0.0.0"
    assert given["ENTRYPOINT"] == '["evenhand"]'
    assert is_known(eval(given["CMD"]))
    assert "python -m solver.warm" in DOCKERFILE
    assert (ROOT / "solver" / "warm.py").is_file()
    assert "/api/v1/health" in given["HEALTHCHECK"]
    assert given["EXPOSE"] == str(Settings().port)
    assert given["VOLUME"] == given["WORKDIR"]
    assert re.search(r"sqlite:///(.*)/", settings["EVENHAND_DATABASE_URL"]).group(1) == given["VOLUME"]  # type: ignore[union-attr]


def test_what_the_compose_file_names_is_known() -> None:
    document = yaml.safe_load(COMPOSE)
    assert set(re.findall(r"EVENHAND_[A-Z_]+", COMPOSE)) <= SETTINGS | OF_COMPOSE
    services = document["services"]
    for name, service in services.items():
        assert set(service.get("depends_on", {})) <= set(services), name
        for volume in service.get("volumes", ()):
            assert volume.partition(":")[0] in document["volumes"], name
        for config in service.get("configs", ()):
            assert config["source"] in document["configs"], name
        if name != "database":
            assert is_known(service["command"]), name
    # A container is killed after its grace: it must have ended by itself before.
    grace_s = int(services["web"]["stop_grace_period"].removesuffix("s"))
    assert Settings().shutdown_s + AFTERWARDS_S < grace_s
    example = {
        name: "postgresql://evenhand:x@database/evenhand" for name in services["web"]["environment"] if "URL" in name
    }
    assert find_settings(example).settings.database_url == example["EVENHAND_DATABASE_URL"]


def test_every_command_of_the_runbook_is_known() -> None:
    commands = {
        tuple(words)
        for code in re.findall(r"`(evenhand [^`]*)`", RUNBOOK)
        if (words := [word for word in code.split()[1:] if not re.search(r"[A-Z:/.-]", word)])
    }
    assert len(commands) > 8
    unknown = [words for words in sorted(commands) if not is_known(list(words))]
    assert unknown == []
    assert app.registered_groups


def test_every_setting_figure_and_answer_of_the_runbook_is_known() -> None:
    named = set(re.findall(r"`(EVENHAND_[A-Z_]+)", RUNBOOK))
    assert named <= SETTINGS | {"EVENHAND_PORT"}
    assert {name for name in SETTINGS if name.startswith("EVENHAND_KEEP_")} <= named
    figures = {family.name for family in Measures().registry.collect()}
    said = set(re.findall(r"`(evenhand_[a-z_]+)`", RUNBOOK))
    assert {name.removesuffix("_total") for name in said} <= figures
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "api").rglob("*.py"))
    for status, code in re.findall(r"^\| (\d{3}) `([a-z_]+)`", RUNBOOK, re.MULTILINE):
        assert f'"{code}"' in sources, (status, code)
