"""Compiling ahead: every compiled job is really done, or the first solve of whoever installs it would wait for half a minute."""

from __future__ import annotations

import pytest

from solver import anneal, ascent, person_plans, warm


def test_every_compiled_loop_is_called_while_compiling_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    called: set[str] = set()
    compiled = [(anneal, "anneal"), (anneal, "overbook"), (person_plans, "best_plans")]
    compiled += [(ascent, name) for name in ("_spread", "_paired", "_step", "_summed")]
    for module, name in compiled:
        real = getattr(module, name)

        def noted(*given: object, name: str = name, real: object = real) -> object:
            called.add(name)
            return real(*given)  # type: ignore[operator]

        monkeypatch.setattr(module, name, noted)
    for user in ("master", "diving"):
        monkeypatch.setattr(f"solver.{user}.best_plans", person_plans.best_plans)
    warm.compile_all()
    assert called == {name for _, name in compiled}
