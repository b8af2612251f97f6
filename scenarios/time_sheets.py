"""Time sheets whose truth is known: tasks that took what planted effects of type, client and person make of their estimates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from scenarios import figures
from solver.firm import Client, Firm, Person, Skill, TaskType
from solver.observations import Observation

AS_OF = date(2027, 3, 1)
TYPES_PER_SKILL = 2


@dataclass(frozen=True)
class Habits:
    """How a firm estimates and works; standard deviations are of logs.

    Attributes
    ----------
    task_sd
        Of one task: 0.25 for recurring compliance work, 0.4 in a first year, 0.5 for audits (A; published are software tasks only).
    bias
        The log of the usual ratio, 1.05 (A).
    usual_share
        How often a client's task goes to the person who knows the client.
    gross_share, gross_factor
        Tasks whose time was entered wrongly, and how many times too much it is.
    open_share
        Tasks that are still open, with part of their time logged, at a moment that has nothing to do with their length.
    """

    types: int = 6
    type_sd: float = 0.2
    client_sd: float = 0.15
    person_sd: float = figures.EFFICIENCY_SIGMA
    person_type_sd: float = 0.08
    task_sd: float = 0.3
    bias: float = 0.05
    usual_share: float = figures.USUAL_SHARE
    gross_share: float = 0.0
    gross_factor: float = 10.0
    open_share: float = 0.0


@dataclass(frozen=True)
class TimeSheets:
    """Observations with the truth behind them, in logs of logged over estimated minutes."""

    firm: Firm
    observations: tuple[Observation, ...]
    type_level: dict[str, float]
    client_effect: dict[tuple[str, str], float]
    person_effect: dict[str, float]
    person_type_effect: dict[tuple[str, str], float]
    median_log_ratio: dict[str, float] = field(repr=False)
    """By task: what the median task of the same type, client and person takes."""


def time_sheets(*, people: int, clients: int, tasks: int, seed: int, habits: Habits | None = None) -> TimeSheets:
    """Return the time sheets of one year of a made-up firm; the same arguments give the same."""
    return _Year(people, clients, habits or Habits(), np.random.default_rng(seed)).told(tasks)


class _Year:
    """Draws effects first and tasks after them."""

    def __init__(self, people: int, clients: int, habits: Habits, random: np.random.Generator) -> None:
        self.habits, self.random = habits, random
        self.people, self.clients = people, clients
        self.type = habits.bias + random.normal(0, habits.type_sd, habits.types)
        self.client = random.normal(0, habits.client_sd, (habits.types, clients))
        self.person = random.normal(0, habits.person_sd, people)
        self.person_type = random.normal(0, habits.person_type_sd, (people, habits.types))
        self.may = random.random((people, habits.types)) < 0.6
        self.may[: min(2, people)] = True  # somebody does everything, so that nobody is alone with a type
        self.usual = random.integers(0, people, clients)

    def told(self, tasks: int) -> TimeSheets:
        """Return the tasks and the truth."""
        seen, truth = [], {}
        for i in range(tasks):
            observation, truth[f"t{i:05}"] = self._task(f"t{i:05}")
            seen.append(observation)
        return TimeSheets(
            self._firm(),
            tuple(seen),
            {_type(k): float(self.type[k]) for k in range(self.habits.types)},
            _named(self.client, _type, _client),
            {_person(p): float(one) for p, one in enumerate(self.person)},
            _named(self.person_type, _person, _type),
            truth,
        )

    def _task(self, name: str) -> tuple[Observation, float]:
        random, habits = self.random, self.habits
        k, c = int(random.integers(habits.types)), int(random.integers(self.clients))
        p = int(self.usual[c])
        if random.random() >= habits.usual_share or not self.may[p, k]:
            p = int(random.choice(np.flatnonzero(self.may[:, k])))
        median = float(self.type[k] + self.client[k, c] + self.person[p] + self.person_type[p, k])
        estimate_min = 10 + round(float(np.exp(random.normal(5.0, 0.6))))
        took_min = estimate_min * float(np.exp(median + random.normal(0, habits.task_sd)))
        took_min *= habits.gross_factor if random.random() < habits.gross_share else 1.0
        finished = True
        if random.random() < habits.open_share:
            until_min = estimate_min * float(np.exp(random.normal(habits.bias, 0.5)))
            finished, took_min = took_min <= until_min, min(took_min, until_min)
        day = AS_OF - timedelta(days=int(random.integers(365)))
        return (
            Observation(
                task=name,
                type=_type(k),
                client=_client(c),
                person=_person(p),
                estimate_min=estimate_min,
                logged_min=max(round(took_min), 1),
                finished=finished,
                finished_on=day if finished else None,
            ),
            median,
        )

    def _firm(self) -> Firm:
        skills = tuple(Skill(skill=_skill(k)) for k in range(0, self.habits.types, TYPES_PER_SKILL))
        return Firm(
            people=tuple(Person(id=_person(p), level="senior", skills=skills) for p in range(self.people)),
            clients=tuple(Client(id=_client(c)) for c in range(self.clients)),
            task_types=tuple(TaskType(id=_type(k), skill=_skill(k)) for k in range(self.habits.types)),
        )


def _type(k: int) -> str:
    return f"type {k:02}"


def _skill(k: int) -> str:
    return f"skill {k // TYPES_PER_SKILL:02}"


def _client(c: int) -> str:
    return f"client {c:04}"


def _person(p: int) -> str:
    return f"person {p:03}"


def _named(
    table: NDArray[np.float64], row: Callable[[int], str], column: Callable[[int], str]
) -> dict[tuple[str, str], float]:
    return {(row(i), column(j)): float(table[i, j]) for i, j in np.ndindex(*table.shape)}
