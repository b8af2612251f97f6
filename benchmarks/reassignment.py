"""Published machine reassignment (ROADEF/EURO challenge 2012): moving what already sits somewhere, under hard rules.

This family does not fit the front door: a `Firm` has one resource, minutes, and here a process takes up to twelve at once, none of
them nested in another; services must spread over places and stand near others. What is alike is the work: today's holders, prices for
moving, overload, balance, and processes of one service apart like preparer and reviewer. So this measures the engine's way of searching,
not the engine: annealing by relocating and exchanging on exact rules (`benchmarks.reassigning`), with this problem's own rules.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from api.stops import WallClock
from benchmarks.records import instance_folder, record

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


def main(arguments: Sequence[str] | None = None) -> None:
    """Solve the named instances, or all, and print how each compares with the reference values."""
    from benchmarks.reassigning import reassigned

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="instance names such as a1_1; none: every instance found")
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    folder = instance_folder("machine-reassignment")
    with (folder / "best_known.csv").open(encoding="utf-8") as table:
        rows = {row["instance"]: row for row in csv.DictReader(table)}
    for name in asked.names or rows:
        instance, row = read(folder / f"model_{name}.txt", folder / f"assignment_{name}.txt"), rows[name]
        initial, reference = checked_cost(instance, instance.today), int(row["S41_cost_300s"])
        if initial != int(row["initial_cost"]):
            raise ValueError(f"{name}: the published initial cost is {row['initial_cost']}, ours {initial}")
        clock = WallClock(asked.seconds)
        who = reassigned(instance, clock=clock, seed=asked.seed)
        seconds, ours = round(clock.elapsed_s(), 1), checked_cost(instance, who)
        above = round(100 * (ours - reference) / reference, 3)
        bound = int(row["lower_bound_J12"])
        print(
            f"{name:5} initial {initial:,} ours {ours:,} reference {reference:,} ({above} %) bound {bound:,} in {seconds} s",
            flush=True,
        )
        record(
            "reassignment",
            instance=name,
            processes=len(instance.service),
            machines=len(instance.capacity),
            resources=len(instance.transient),
            initial=initial,
            ours=ours,
            reference=reference,
            above_reference_pct=above,
            published_bound=bound,
            seconds=seconds,
        )


if __name__ == "__main__":
    main()
