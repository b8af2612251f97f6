from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.csv_firm import write_folder


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """Return a maker of folders: the good files, with the named sheets replaced (``None`` leaves a sheet out)."""

    def make(**replaced: str | bytes | None) -> Path:
        return write_folder(tmp_path / "firm", **replaced)

    return make
