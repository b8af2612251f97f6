"""Names to ids: what a row refers to, with the nearest known one where it is unknown, in bounded time."""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field

from solver.refusal import nearest_name

COMPARED_IN_FULL = 400
"""Ids up to which all are compared for likeness; among more, only those that sort nearby (a comparison takes about 20 us)."""
NEIGHBOURS = 24


@dataclass
class Index:
    """The ids of one sheet that were taken, those that were refused, and people's ways of writing them."""

    sheet: str
    ids: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    _folded: dict[str, set[str]] = field(default_factory=dict)
    _nearest: dict[str, str | None] = field(default_factory=dict)
    _sorted: list[str] = field(default_factory=list)

    def add(self, id: str, row: int, label: str = "") -> None:
        """Take an id from ``row``; ``label`` is the name people may write instead."""
        self.ids[id] = row
        for said in {id.casefold(), label.strip().casefold()} - {""}:
            self._folded.setdefault(said, set()).add(id)

    def resolve(self, said: str) -> str | None:
        """Return the id meant: the id itself, or another case of it or a name that fits one id only."""
        if said in self.ids:
            return said
        meant = self._folded.get(said.strip().casefold(), set())
        return next(iter(meant)) if len(meant) == 1 else None

    def reason(self, said: str) -> str:
        """Return why an unknown reference is refused."""
        if said in self.refused:
            place = f"row {self.refused[said]} of {self.sheet}"
            return f"was refused in {place}. Maybe mend that row first"
        meant = self._folded.get(said.strip().casefold(), set())
        if len(meant) > 1:
            return f"fits several: {', '.join(sorted(meant))}. Maybe write the id"
        return f"is not known. Maybe add it under {self.sheet.replace('_', ' ')}"

    def nearest(self, said: str) -> str | None:
        """Return the id most like an unknown one."""
        if said not in self._nearest:
            if len(self._sorted) != len(self.ids):
                self._sorted = sorted(self.ids)
            near = self._sorted
            if len(near) > COMPARED_IN_FULL or len(self._nearest) > COMPARED_IN_FULL:
                place = bisect.bisect_left(near, said)
                near = near[max(0, place - NEIGHBOURS // 2) : place + NEIGHBOURS // 2]
            self._nearest[said] = nearest_name(said[:200], near)
        return self._nearest[said]
