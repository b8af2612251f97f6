"""The session by curl that docs/what-if.md shows is run against a service."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.api.commands.test_serving import LONG_S, NEXT_YEAR, file, made, served
from tests.test_documents import blocks

__all__ = ["file"]


def test_the_session_of_the_page_leads_from_a_question_to_what_could_be_proposed(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (session,) = blocks("docs/what-if.md", "sh")
    (tmp_path / "token").write_text(made(capsys, "--role", "manager")["token"], encoding="utf-8")
    # The service goes by its own clock, and what lies in the past is no question.
    script = "set -euo pipefail\n" + session.replace("2027-", f"{NEXT_YEAR}-")
    with served() as (_, address):
        environment = {**os.environ, "SERVICE": address, "TOKEN": "token"}
        command = ["bash", "-c", script]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=2 * LONG_S
        )
    assert done.returncode == 0, done.stderr + done.stdout
    assert "event: progress" in (tmp_path / "progress.txt").read_text(encoding="utf-8")
    result = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))["result"]
    assert result["comparison"]["changes"][0].startswith("ann is away from 2 Mar")
    assert json.loads((tmp_path / "proposals.json").read_text(encoding="utf-8"))["proposals"] == []
    assert load_workbook(tmp_path / "ann-away.xlsx").worksheets
