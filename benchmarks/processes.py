"""Machine reassignment as published: the two text files of an instance read, and an answer checked and priced from them alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Instance:
    """One instance with ``P`` processes of ``S`` services on ``M`` machines with ``R`` resources.

    Attributes
    ----------
    transient, load_weight
        ``(R,)``: a moved process still takes the resource where it was; price of a unit beyond the safe use.
    neighbourhood, location
        ``(M,)``.
    capacity, safe, move_cost
        ``(M, R)``, ``(M, R)`` and ``(M, M)``.
    spread
        ``(S,)`` least number of locations.
    depends_on
        Services that must stand in every neighbourhood where this one does.
    service, need, process_cost
        ``(P,)``, ``(P, R)``, ``(P,)``.
    balances
        ``(B, 4)`` resources ``a`` and ``b``, target and weight: free ``b`` should be at least target times free ``a``.
    weights
        Of process moves, service moves and machine moves.
    today
        ``(P,)`` where each process is.
    """

    name: str
    transient: Numbers
    load_weight: Numbers
    neighbourhood: Numbers
    location: Numbers
    capacity: Numbers
    safe: Numbers
    move_cost: Numbers
    spread: Numbers
    depends_on: tuple[tuple[int, ...], ...]
    service: Numbers
    need: Numbers
    process_cost: Numbers
    balances: Numbers
    weights: tuple[int, int, int]
    today: Numbers


def read(model: Path, assignment: Path) -> Instance:
    """Read the two published text files of one instance."""
    numbers = iter(int(word) for word in model.read_text(encoding="ascii").split())
    resources = _rows(numbers, next(numbers), 2)
    machine_count = next(numbers)
    machines = _rows(numbers, machine_count, 2 + 2 * len(resources) + machine_count)
    spread, depends_on = _services(numbers)
    processes = _rows(numbers, next(numbers), 2 + len(resources))
    balances = _rows(numbers, next(numbers), 4)
    count = len(resources)
    return Instance(
        name=model.stem.removeprefix("model_"),
        transient=resources[:, 0],
        load_weight=resources[:, 1],
        neighbourhood=machines[:, 0],
        location=machines[:, 1],
        capacity=machines[:, 2 : 2 + count],
        safe=machines[:, 2 + count : 2 + 2 * count],
        move_cost=machines[:, 2 + 2 * count :],
        spread=spread,
        depends_on=depends_on,
        service=processes[:, 0],
        need=processes[:, 1:-1],
        process_cost=processes[:, -1],
        balances=balances,
        weights=(next(numbers), next(numbers), next(numbers)),
        today=np.array(assignment.read_text(encoding="ascii").split(), dtype=np.int64),
    )


def _rows(numbers: Iterator[int], count: int, width: int) -> Numbers:
    return np.array([next(numbers) for _ in range(count * width)], dtype=np.int64).reshape(count, width)


def _services(numbers: Iterator[int]) -> tuple[Numbers, tuple[tuple[int, ...], ...]]:
    spread, depends_on = [], []
    for _ in range(next(numbers)):
        spread.append(next(numbers))
        depends_on.append(tuple(next(numbers) for _ in range(next(numbers))))
    return np.array(spread, dtype=np.int64), tuple(depends_on)


def checked_cost(instance: Instance, who: Numbers) -> int:
    """Return the cost of an answer from the instance alone; raises ``ValueError`` when it breaks a hard rule."""
    machines = len(instance.capacity)
    if who.shape != instance.today.shape or who.min() < 0 or who.max() >= machines:
        raise ValueError(f"{instance.name}: {who.shape} answers for {instance.today.shape} processes")
    broken = [rule.__name__ for rule in (_overfull, _together, _unspread, _dependence) if rule(instance, who)]
    if broken:
        raise ValueError(f"{instance.name}: hard rules broken: {broken}")
    use = _use(instance, who)
    moved = who != instance.today
    of_service = np.bincount(instance.service[moved], minlength=1)
    overload = instance.load_weight * np.maximum(use - instance.safe, 0)
    free = instance.capacity - use
    balance = [w * np.maximum(t * free[:, a] - free[:, b], 0).sum() for a, b, t, w in instance.balances.tolist()]
    prices = (
        int(instance.process_cost[moved].sum()),
        int(of_service.max()),
        int(instance.move_cost[instance.today, who].sum()),
    )
    return int(overload.sum()) + int(sum(balance)) + sum(w * p for w, p in zip(instance.weights, prices, strict=True))


def _use(instance: Instance, who: Numbers) -> Numbers:
    use = np.zeros_like(instance.capacity)
    np.add.at(use, who, instance.need)
    return use


def _overfull(instance: Instance, who: Numbers) -> bool:
    """Whether a machine is over capacity, what has left it included where the resource is transient."""
    use, moved = _use(instance, who), who != instance.today
    np.add.at(use, instance.today[moved], instance.need[moved] * instance.transient)
    return bool((use > instance.capacity).any())


def _together(instance: Instance, who: Numbers) -> bool:
    """Whether two processes of one service share a machine."""
    return len(np.unique(instance.service * len(instance.capacity) + who)) < len(who)


def _unspread(instance: Instance, who: Numbers) -> bool:
    """Whether a service stands in fewer locations than it must."""
    pairs = np.unique(np.column_stack([instance.service, instance.location[who]]), axis=0)
    return bool((np.bincount(pairs[:, 0], minlength=len(instance.spread)) < instance.spread).any())


def _dependence(instance: Instance, who: Numbers) -> bool:
    """Whether a service stands in a neighbourhood without one that it depends on."""
    stands = set(zip(instance.service.tolist(), instance.neighbourhood[who].tolist(), strict=True))
    return any((other, n) not in stands for s, n in stands for other in instance.depends_on[s])
