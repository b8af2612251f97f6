"""What people see in a terminal: tables, the live progress line, plain words; and the one JSON document for machines."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Sequence

from pydantic import BaseModel
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from solver.stop import Progress

SECONDS_BETWEEN_PLAIN_LINES = 5.0


def out() -> Console:
    """Return the console of answers."""
    return Console(file=sys.stdout, highlight=False, soft_wrap=not sys.stdout.isatty())


def err() -> Console:
    """Return the console of progress and errors."""
    return Console(file=sys.stderr, highlight=False, soft_wrap=True)


def print_json(document: object) -> None:
    """Print one JSON document, and nothing else, on standard output."""
    plain = document.model_dump(mode="json") if isinstance(document, BaseModel) else document
    sys.stdout.write(json.dumps(plain, ensure_ascii=False, indent=2, default=_plain) + "\n")


def _plain(value: object) -> object:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else str(value)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """Return a table; cells are shown as plain text, never as markup."""
    found = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    for column in columns:
        found.add_column(column)
    for row in rows:
        found.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    return found


class ProgressLine:
    """One live line with phase, objective, bound and gap; plain lines now and then where nobody watches."""

    def __init__(self, *, quiet: bool) -> None:
        """Say nothing when ``quiet``."""
        self.quiet = quiet
        self.console = err()
        self.start_s = time.monotonic()
        self.said_s = self.start_s
        self.live = Live(console=self.console, refresh_per_second=8, transient=True)

    def __enter__(self) -> ProgressLine:
        """Begin the line."""
        if not self.quiet and self.console.is_terminal:
            self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End the line."""
        if self.live.is_started:
            self.live.stop()

    def __call__(self, progress: Progress) -> None:
        """Show where the search stands."""
        self._show(self._words(progress))

    def say(self, what: str) -> None:
        """Show what goes on beside the search."""
        self._show(f"{time.monotonic() - self.start_s:5.1f} s  {what}")

    def _show(self, words: str) -> None:
        if self.quiet:
            return
        if self.live.is_started:
            self.live.update(Text(words))
        elif time.monotonic() - self.said_s >= SECONDS_BETWEEN_PLAIN_LINES:
            self.said_s = time.monotonic()
            self.console.print(Text(words))

    def _words(self, progress: Progress) -> str:
        seconds = time.monotonic() - self.start_s
        known = f"bound {progress.bound_min:,}  gap {progress.gap_pct:.1f} %" if progress.bound_min else "bound -"
        return f"{seconds:5.1f} s  {progress.phase}  objective {progress.objective_min:,}  {known}"
