from __future__ import annotations

import pytest

from api import console
from api.console import ProgressLine, table
from solver.stop import Progress


def test_a_plain_progress_line_holds_objective_bound_and_gap(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(console, "SECONDS_BETWEEN_PLAIN_LINES", 0.0)
    with ProgressLine(quiet=False) as line:
        line(Progress(1.0, 12_000, 9_000, "annealing"))
        line(Progress(1.0, 12_000, 0, "first plan"))
        line.say("comparing with today")
    first, second, third = capsys.readouterr().err.splitlines()
    assert first.endswith("annealing  objective 12,000  bound 9,000  gap 25.0 %")
    assert second.endswith("first plan  objective 12,000  bound -")
    assert third.endswith("comparing with today")


def test_a_quiet_progress_line_says_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(console, "SECONDS_BETWEEN_PLAIN_LINES", 0.0)
    with ProgressLine(quiet=True) as line:
        line(Progress(1.0, 1, 0))
        line.say("anything")
    assert capsys.readouterr() == ("", "")


def test_cells_are_shown_as_text_and_never_as_markup(capsys: pytest.CaptureFixture[str]) -> None:
    console.out().print(table("Title", ("a",), [("[red]Acme[/red]",), (None,)]))
    assert "[red]Acme[/red]" in capsys.readouterr().out
