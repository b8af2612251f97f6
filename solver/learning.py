"""From logged time to what it says: how long types and clients take beside their estimates, and how fast people are beside the matrix.

Ratios are logged over expected minutes, expected being the estimate times the efficiency that the skill matrix has today. So what is
learnt about a person is how far they are from their cell, an accepted suggestion is not made twice, and estimates and cells can be
accepted apart from each other. They are medians: as many tasks take longer as take less (logs are about normal; of published software
tasks the median ratio is 1.0 and the mean 1.8, erikbern.com 2019). The mean of tasks is ``TypeLevel.mean_ratio``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import TypeVar

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.special import stdtrit

from solver.firm import Firm
from solver.learnt import (
    INTERVAL_PCT,
    ClientLevel,
    Learned,
    PersonInSkill,
    PersonInType,
    PersonLevel,
    Ratio,
    Spreads,
    TypeLevel,
)
from solver.mixed_model import PRIOR_WEIGHT, Design, Fit, fit
from solver.observations import LeftOut, Observation, usable

Key = TypeVar("Key")


def learn(firm: Firm, observations: Iterable[Observation], *, as_of: date, window_days: int = 730) -> Learned:
    """Return what the observations say about the estimates and the people of a firm.

    Parameters
    ----------
    firm
        For the skills of its types and the cells of its matrix; what it no longer knows is learnt from all the same.
    observations
        In any order; `solver.observations.usable` says which are used.
    as_of
        The day of learning.
    window_days
        Tasks finished earlier than so many days before are left out: firms change.

    Returns
    -------
    Learned
        The same, bit for bit, for the same observations in any order.
    """
    heard, left_out = usable(observations, as_of=as_of, window_days=window_days)
    if not heard:
        return Learned(as_of=as_of, left_out=left_out)
    table = _Table.of(firm, heard)
    return _read(table, fit(table.design), as_of, left_out)


@dataclass(frozen=True)
class _Table:
    """Observations with the names behind the places of the design, and the percent of each person's cells."""

    observations: tuple[Observation, ...]
    types: tuple[str, ...]
    clients: tuple[tuple[str, str], ...]
    people: tuple[str, ...]
    people_in_types: tuple[tuple[str, str], ...]
    skills: Mapping[str, str]
    cells: Mapping[tuple[str, str], int]
    design: Design

    @staticmethod
    def of(firm: Firm, heard: tuple[Observation, ...]) -> _Table:
        """Return the table of some observations; ids in alphabetical order."""
        skills = {kind.id: kind.skill for kind in firm.task_types}
        cells = {(person.id, cell.skill): cell.efficiency_pct for person in firm.people for cell in person.skills}
        types = tuple(sorted({one.type for one in heard}))
        clients = tuple(sorted({(one.type, one.client) for one in heard}))
        people = tuple(sorted({one.person for one in heard if one.person is not None}))
        pairs = tuple(sorted({(one.person, one.type) for one in heard if one.person is not None}))
        type_place, client_place = _places(types), _places(clients)
        person_place, pair_place = _places(people), _places(pairs)
        expected = [(one.estimate_min or 1) * _cell(cells, skills, one.person, one.type) / 100 for one in heard]
        design = Design(
            response=np.log([one.logged_min for one in heard]) - np.log(expected),
            finished=np.array([one.finished for one in heard], dtype=np.bool_),
            type=np.array([type_place[one.type] for one in heard], dtype=np.int64),
            client=np.array([client_place[one.type, one.client] for one in heard], dtype=np.int64),
            person=np.array([person_place.get(one.person or "", -1) for one in heard], dtype=np.int64),
            person_type=np.array([pair_place.get((one.person or "", one.type), -1) for one in heard], dtype=np.int64),
            sizes=(len(types), len(clients), len(people), len(pairs)),
        )
        return _Table(heard, types, clients, people, pairs, skills, cells, design)

    def cell_pct(self, person: str, type: str) -> int:
        """Return the cell of the matrix that a person's work of a type is expected by."""
        return _cell(self.cells, self.skills, person, type)

    def counted(self, *fields: str) -> Counter[tuple[str, ...]]:
        """Return finished tasks by the values of some fields."""
        return Counter(tuple(getattr(one, field) for field in fields) for one in self.observations if one.finished)


def _places(keys: tuple[Key, ...]) -> dict[Key, int]:
    return {key: place for place, key in enumerate(keys)}


def _cell(cells: Mapping[tuple[str, str], int], skills: Mapping[str, str], person: str | None, type: str) -> int:
    """Return the percent of a person's cell for a type; 100 where there is none."""
    return 100 if person is None or type not in skills else cells.get((person, skills[type]), 100)


class _Reader:
    """Sums of effects of one fit as ratios."""

    def __init__(self, table: _Table, found: Fit) -> None:
        self.table, self.found = table, found
        self.types, clients, self.people, _ = table.design.sizes
        # Variances estimated from few groups are uncertain themselves, hence Student's quantile; people are the fewest.
        self.wide = _quantile(self.people or clients)
        self.wide_client = _quantile(clients)

    def ratios(self, rows: list[dict[int, float]], clients: list[int] | None = None) -> list[Ratio]:
        """Return sums of effects, each as factors by column with the place of a client effect or -1, as ratios."""
        wide = self.wide if any(rows) else self.wide_client
        place = np.array(clients if clients is not None else [-1] * len(rows), dtype=np.int64)
        row = [r for r, factors in enumerate(rows) for _ in factors]
        column = [c for factors in rows for c in factors]
        factor = [f for factors in rows for f in factors.values()]
        sums = sp.csr_matrix((factor, (row, column)), shape=(len(rows), self.table.design.columns))
        own = np.where(place >= 0, self.found.clients[np.maximum(place, 0)], 0.0)
        return _as_ratios(sums @ self.found.effects + own, wide * np.sqrt(self.found.variance(sums, place)))

    def person(self, name: str) -> int:
        """Return the column of a person."""
        return self.types + self.table.people.index(name)


def _quantile(groups: int) -> float:
    return float(stdtrit(PRIOR_WEIGHT + groups, 0.5 + INTERVAL_PCT / 200))


def _as_ratios(middle: NDArray[np.float64], half: NDArray[np.float64]) -> list[Ratio]:
    ends = np.exp(np.stack([middle, middle - half, middle + half])).T.tolist()
    return [Ratio(ratio=ratio, low=low, high=high) for ratio, low, high in ends]


def _times(ratio: Ratio, factor: float) -> Ratio:
    return Ratio(ratio=ratio.ratio * factor, low=ratio.low * factor, high=ratio.high * factor)


def _read(table: _Table, found: Fit, as_of: date, left_out: tuple[LeftOut, ...]) -> Learned:
    reader = _Reader(table, found)
    return Learned(
        as_of=as_of,
        types=_types(table, found, reader),
        clients=_clients(table, reader),
        people=_people(table, reader),
        people_in_types=_people_in_types(table, reader),
        people_in_skills=_people_in_skills(table, reader),
        spreads=Spreads(
            client_sd=found.sd["client"],
            person_sd=found.sd["person"],
            person_type_sd=found.sd["person_type"],
            task_sd=found.sd["noise"],
        ),
        left_out=left_out,
    )


def _types(table: _Table, found: Fit, reader: _Reader) -> tuple[TypeLevel, ...]:
    done = table.counted("type")
    still_open = Counter(one.type for one in table.observations if not one.finished)
    levels = reader.ratios([{k: 1.0} for k in range(len(table.types))])
    return tuple(
        TypeLevel(
            type=name,
            level=level,
            mean_ratio=level.ratio * float(np.exp(sd**2 / 2)),
            task_sd=sd,
            tasks=done[(name,)],
            open_tasks=still_open[name],
        )
        for name, level, sd in zip(table.types, levels, found.noise_sd.tolist(), strict=True)
    )


def _clients(table: _Table, reader: _Reader) -> tuple[ClientLevel, ...]:
    done, place = table.counted("type", "client"), _places(table.types)
    every = list(range(len(table.clients)))
    whole = reader.ratios([{place[kind]: 1.0} for kind, _ in table.clients], every)
    beside = reader.ratios([{} for _ in every], every)
    return tuple(
        ClientLevel(type=kind, client=client, level=level, beside_type=alone, tasks=done[kind, client])
        for (kind, client), level, alone in zip(table.clients, whole, beside, strict=True)
    )


def _people(table: _Table, reader: _Reader) -> tuple[PersonLevel, ...]:
    done = table.counted("person")
    levels = reader.ratios([{reader.types + p: 1.0} for p in range(len(table.people))])
    return tuple(
        PersonLevel(person=name, level=level, tasks=done[(name,)])
        for name, level in zip(table.people, levels, strict=True)
    )


def _people_in_types(table: _Table, reader: _Reader) -> tuple[PersonInType, ...]:
    done, place, first = table.counted("person", "type"), _places(table.people), reader.types + reader.people
    rows = [{reader.types + place[who]: 1.0, first + i: 1.0} for i, (who, _) in enumerate(table.people_in_types)]
    return tuple(
        PersonInType(
            person=who,
            type=kind,
            level=level,
            efficiency_pct=_times(level, table.cell_pct(who, kind)),
            tasks=done[who, kind],
        )
        for (who, kind), level in zip(table.people_in_types, reader.ratios(rows), strict=True)
    )


def _people_in_skills(table: _Table, reader: _Reader) -> tuple[PersonInSkill, ...]:
    """Return each person's skills; types that the firm no longer knows ask for no skill."""
    done, place, first = table.counted("person", "type"), _places(table.people), reader.types + reader.people
    doers = Counter(kind for who, kind in done if who is not None)
    known = [
        (who, table.skills[kind], kind, first + i)
        for i, (who, kind) in enumerate(table.people_in_types)
        if kind in table.skills and done[who, kind]
    ]
    rows: list[dict[int, float]] = []
    heads: list[tuple[str, str, str, int, int]] = []
    for (who, skill), group in groupby(sorted(known), key=lambda one: one[:2]):
        cells = [(kind, column, done[who, kind]) for _, _, kind, column in group]
        tasks = sum(count for _, _, count in cells)
        rows.append({reader.types + place[who]: 1.0, **{column: count / tasks for _, column, count in cells}})
        heads.append((who, skill, cells[0][0], tasks, sum(count for kind, _, count in cells if doers[kind] > 1)))
    return tuple(
        PersonInSkill(
            person=who,
            skill=skill,
            level=level,
            efficiency_pct=_times(level, table.cell_pct(who, kind)),
            tasks=tasks,
            compared_tasks=compared,
        )
        for (who, skill, kind, tasks, compared), level in zip(heads, reader.ratios(rows), strict=True)
    )
