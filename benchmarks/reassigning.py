"""Annealing for machine reassignment: relocate and exchange on exact rules, compiled, as the engine's own annealing does for firms.

Each move is judged by its price first and only then by the rules, so a state on the way never breaks one. The moves of services cost
what the most moved one has; how many services have how many moves is counted, so that number is always at hand.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from api.stops import WallClock
from benchmarks.processes import Instance, checked_cost

Numbers = NDArray[np.int64]

MOVES_PER_CALL = 500_000
"""Moves between two looks at the clock: some tenths of a second."""
HOME_SHARE = 0.05
"""Share of relocations that try to take a process back to where it was."""
EXCHANGE_SHARE = 0.4
HOT_SHARES = (5.0, 0.5)
"""First temperature of each chain, as a share of the initial cost of one process; they anneal side by side, and the best counts. One
begins cooler: where today's assignment is nearly the best, as in a1_3, all is lost in the heat."""
COOL_SHARE, COLD_SHARE, COOL_PART = 1e-3, 1e-6, 0.85
"""Temperatures after that part of the time, and last. What is left in the end are a few large processes that do not fit together, so the
hot part decides: among 9 machines (see below), from 0.01 to 1e-6 b_03 came to 241 million in 30 seconds, from 1 to 204; among 21, from 5
to 1e-5 to 190, from 2 to 1e-3 to 171. The last part is for what small ones cost."""
COSTLY_SHARE, AMONG = 0.75, 50
"""How often the process is of the dearest of so many machines and one more. At 0.01 and less of the initial cost b_03 came to 357 million
with the dearer of two processes, among 4 machines to 298, among 9 to 241; from 2 to 1e-3 among 21 to 171, among 51 to 167."""


class Facts(NamedTuple):
    """The instance as flat arrays; see `Instance`. ``depends`` and ``needed`` list services by service, both ways."""

    transient: Numbers
    load_weight: Numbers
    neighbourhood: Numbers
    location: Numbers
    capacity: Numbers
    safe: Numbers
    move_cost: Numbers
    spread: Numbers
    service: Numbers
    need: Numbers
    process_cost: Numbers
    balances: Numbers
    process_weight: int
    service_weight: int
    machine_weight: int
    today: Numbers
    depends: Numbers
    depends_start: Numbers
    needed: Numbers
    needed_start: Numbers


class State(NamedTuple):
    """An assignment on the way, all arrays changed in place.

    ``left`` is what moved processes still take of transient resources where they were. ``at`` counts a service's processes by
    machine, ``in_location`` and ``in_neighbourhood`` by those; ``places`` its locations. ``moved`` counts moved processes by service,
    ``moved_most`` the services by that count. The first ``members`` of a machine's row of ``member`` are its processes; ``place`` is
    where in its row a process stands.
    """

    who: Numbers
    use: Numbers
    left: Numbers
    cost: Numbers
    at: NDArray[np.int8]
    in_location: NDArray[np.int32]
    in_neighbourhood: NDArray[np.int32]
    places: Numbers
    moved: Numbers
    moved_most: Numbers
    dearest: Numbers
    member: NDArray[np.int32]
    members: Numbers
    place: Numbers
    random: NDArray[np.uint64]


def reassigned(instance: Instance, *, clock: WallClock, seed: int) -> Numbers:
    """Return the best assignment found in the time; cooling follows the part of it that is used."""
    chains = range(len(HOT_SHARES))
    with ThreadPoolExecutor(len(chains)) as threads:
        found = threads.map(lambda k: _annealed(instance, clock, seed * len(chains) + k, HOT_SHARES[k]), chains)
        return min(found, key=lambda one: one[0])[1]


def compile_moves(instance: Instance) -> None:
    """Compile, or load, what the annealing runs, so that its time is its own."""
    anneal(_facts(instance), _start(instance, 0), 0, 1.0)


def _annealed(instance: Instance, clock: WallClock, seed: int, hot_share: float) -> tuple[int, Numbers]:
    """Return the change of the cost of the best assignment of one chain, and that assignment."""
    f, s = _facts(instance), _start(instance, seed)
    scale = checked_cost(instance, instance.today) / len(instance.today)
    best, change, lowest = s.who.copy(), 0, 0
    heats = np.log(np.array([hot_share, COOL_SHARE, COLD_SHARE]) * scale)
    while (part := clock.elapsed_s() / clock.limit_s) < 1.0:
        change += anneal(f, s, MOVES_PER_CALL, float(np.exp(np.interp(part, (0.0, COOL_PART, 1.0), heats))))
        if change < lowest:
            best, lowest = s.who.copy(), change
    return lowest, best


def _facts(instance: Instance) -> Facts:
    depends_on = [list(found) for found in instance.depends_on]
    needed_by: list[list[int]] = [[] for _ in depends_on]
    for s, found in enumerate(depends_on):
        for other in found:
            needed_by[other].append(s)
    whole = np.ascontiguousarray  # the compiler is at its best without strides
    process_weight, service_weight, machine_weight = instance.weights
    depends, depends_start = _flat(depends_on)
    needed, needed_start = _flat(needed_by)
    return Facts(
        transient=whole(instance.transient),
        load_weight=whole(instance.load_weight),
        neighbourhood=whole(instance.neighbourhood),
        location=whole(instance.location),
        capacity=whole(instance.capacity),
        safe=whole(instance.safe),
        move_cost=whole(instance.move_cost),
        spread=whole(instance.spread),
        service=whole(instance.service),
        need=whole(instance.need),
        process_cost=whole(instance.process_cost),
        balances=whole(instance.balances),
        process_weight=process_weight,
        service_weight=service_weight,
        machine_weight=machine_weight,
        today=instance.today,
        depends=depends,
        depends_start=depends_start,
        needed=needed,
        needed_start=needed_start,
    )


def _flat(lists: list[list[int]]) -> tuple[Numbers, Numbers]:
    start = np.concatenate([[0], np.cumsum([len(found) for found in lists])]).astype(np.int64)
    return np.array([one for found in lists for one in found], dtype=np.int64), start


def _start(instance: Instance, seed: int) -> State:
    services, machines = len(instance.spread), len(instance.capacity)
    use = np.zeros_like(instance.capacity)
    np.add.at(use, instance.today, instance.need)
    at = np.zeros((services, machines), dtype=np.int8)
    in_location = np.zeros((services, int(instance.location.max()) + 1), dtype=np.int32)
    in_neighbourhood = np.zeros((services, int(instance.neighbourhood.max()) + 1), dtype=np.int32)
    np.add.at(at, (instance.service, instance.today), 1)
    np.add.at(in_location, (instance.service, instance.location[instance.today]), 1)
    np.add.at(in_neighbourhood, (instance.service, instance.neighbourhood[instance.today]), 1)
    moved_most = np.zeros(int(np.bincount(instance.service).max()) + 2, dtype=np.int64)
    moved_most[0] = services
    f = _facts(instance)
    members = np.bincount(instance.today, minlength=machines).astype(np.int64)
    member = np.zeros((machines, len(instance.today)), dtype=np.int32)
    place = np.zeros(len(instance.today), dtype=np.int64)
    for m in range(machines):
        mine = np.flatnonzero(instance.today == m)
        member[m, : len(mine)], place[mine] = mine, np.arange(len(mine))
    return State(
        who=instance.today.copy(),
        use=use,
        left=np.zeros_like(use),
        cost=np.array([_machine_cost(f, use[m], m) for m in range(machines)], dtype=np.int64),
        at=at,
        in_location=in_location,
        in_neighbourhood=in_neighbourhood,
        places=(in_location > 0).sum(axis=1).astype(np.int64),
        moved=np.zeros(services, dtype=np.int64),
        moved_most=moved_most,
        dearest=np.zeros(1, dtype=np.int64),
        member=member,
        members=members,
        place=place,
        random=np.array([(seed * 2 + 1) * 0x9E3779B97F4A7C15 % 2**64], dtype=np.uint64),
    )


@njit(cache=True)
def _random(state: NDArray[np.uint64]) -> float:
    """A draw of xorshift64* (Vigna 2016), as in the engine's annealing."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return float((x * np.uint64(0x2545F4914F6CDD1D)) >> np.uint64(11)) / 9007199254740992.0


@njit(cache=True)
def _machine_cost(f: Facts, use: Numbers, m: int) -> int:
    """Overload and balance of machine ``m`` with that use."""
    total = 0
    for r in range(len(use)):
        total += f.load_weight[r] * max(use[r] - f.safe[m, r], 0)
    for i in range(len(f.balances)):
        a, b, target, weight = f.balances[i]
        total += weight * max(target * (f.capacity[m, a] - use[a]) - (f.capacity[m, b] - use[b]), 0)
    return total


@njit(cache=True)
def _cost_with(f: Facts, s: State, m: int, out: int, into: int) -> int:
    """Overload and balance of ``m`` without process ``out`` and with ``into``; -1 for none."""
    total = 0
    for r in range(s.use.shape[1]):
        use = s.use[m, r]
        if out >= 0:
            use -= f.need[out, r]
        if into >= 0:
            use += f.need[into, r]
        total += f.load_weight[r] * max(use - f.safe[m, r], 0)
    for i in range(len(f.balances)):
        a, b, target, weight = f.balances[i]
        free_a, free_b = f.capacity[m, a] - s.use[m, a], f.capacity[m, b] - s.use[m, b]
        if out >= 0:
            free_a += f.need[out, a]
            free_b += f.need[out, b]
        if into >= 0:
            free_a -= f.need[into, a]
            free_b -= f.need[into, b]
        total += weight * max(target * free_a - free_b, 0)
    return total


@njit(cache=True)
def _fits(f: Facts, s: State, m: int, out: int, into: int) -> bool:
    """Whether ``m`` has room for ``into`` when ``out`` (-1: nobody) leaves."""
    for r in range(s.use.shape[1]):
        use = s.use[m, r] + s.left[m, r] + f.need[into, r]
        if out >= 0:
            use -= f.need[out, r]
        if f.transient[r] == 1:
            if out >= 0 and f.today[out] == m:
                use += f.need[out, r]
            if f.today[into] == m:
                use -= f.need[into, r]
        if use > f.capacity[m, r]:
            return False
    return True


@njit(cache=True)
def _moving(f: Facts, p: int, m: int) -> int:
    """Price of process ``p`` being on ``m``, the service's moves aside."""
    home = f.today[p]
    if m == home:
        return 0
    return f.process_weight * f.process_cost[p] + f.machine_weight * f.move_cost[home, m]


@njit(cache=True)
def _count(f: Facts, s: State, p: int, m: int, by: int) -> None:
    """Add ``by`` to the counts of the service of ``p`` on ``m``."""
    service, place = f.service[p], f.location[m]
    s.at[service, m] += by
    before = s.in_location[service, place]
    s.in_location[service, place] += by
    if before == 0:
        s.places[service] += 1
    elif before + by == 0:
        s.places[service] -= 1
    s.in_neighbourhood[service, f.neighbourhood[m]] += by


@njit(cache=True)
def _stands_well(f: Facts, s: State, service: int, left: int, come: int) -> bool:
    """Whether the rules of a service hold after it left machine ``left`` and came to ``come``."""
    if s.at[service, come] > 1 or s.places[service] < f.spread[service]:
        return False
    old, new = f.neighbourhood[left], f.neighbourhood[come]
    if s.in_neighbourhood[service, old] == 0:
        for i in range(f.needed_start[service], f.needed_start[service + 1]):
            if s.in_neighbourhood[f.needed[i], old] > 0:
                return False
    missing = 0
    for i in range(f.depends_start[service], f.depends_start[service + 1]):
        missing += s.in_neighbourhood[f.depends[i], new] == 0
    return missing == 0


@njit(cache=True)
def _set(f: Facts, s: State, p: int, m: int) -> None:
    """Move ``p`` to ``m`` in everything but the counts of `_count` and the machines' costs."""
    old, home, service = s.who[p], f.today[p], f.service[p]
    for r in range(s.use.shape[1]):
        s.use[old, r] -= f.need[p, r]
        s.use[m, r] += f.need[p, r]
        if f.transient[r] == 1:
            if old == home:
                s.left[home, r] += f.need[p, r]
            if m == home:
                s.left[home, r] -= f.need[p, r]
    s.who[p] = m
    last = s.member[old, s.members[old] - 1]
    s.member[old, s.place[p]], s.place[last] = last, s.place[p]
    s.members[old] -= 1
    s.member[m, s.members[m]], s.place[p] = p, s.members[m]
    s.members[m] += 1
    change = (1 if m != home else 0) - (1 if old != home else 0)
    if change != 0:
        s.moved_most[s.moved[service]] -= 1
        s.moved[service] += change
        s.moved_most[s.moved[service]] += 1
        s.dearest[0] = max(s.dearest[0], s.moved[service])
        while s.moved_most[s.dearest[0]] == 0:
            s.dearest[0] -= 1


@njit(cache=True)
def _relocate(f: Facts, s: State, p: int, m: int, limit: float) -> int:
    """Move ``p`` to ``m`` where that costs at most ``limit`` more; return the difference made."""
    old, service = s.who[p], f.service[p]
    if m == old or s.at[service, m] > 0:
        return 0
    gain = _cost_with(f, s, m, -1, p)
    change = gain - s.cost[old] - s.cost[m] + _moving(f, p, m) - _moving(f, p, old)
    if change > limit:
        return 0
    loss = _cost_with(f, s, old, p, -1)
    change += loss
    if change > limit or not _fits(f, s, m, -1, p):
        return 0
    _count(f, s, p, old, -1)
    _count(f, s, p, m, 1)
    if not _stands_well(f, s, service, old, m):
        _count(f, s, p, m, -1)
        _count(f, s, p, old, 1)
        return 0
    before = s.dearest[0]
    _set(f, s, p, m)
    s.cost[old], s.cost[m] = loss, gain
    return change + f.service_weight * (s.dearest[0] - before)


@njit(cache=True)
def _exchange(f: Facts, s: State, p: int, q: int, limit: float) -> int:
    """Exchange the machines of ``p`` and ``q`` where that costs at most ``limit`` more; return the difference made."""
    m, n = s.who[p], s.who[q]
    if m == n or f.service[p] == f.service[q]:
        return 0
    at_m, at_n = _cost_with(f, s, m, p, q), _cost_with(f, s, n, q, p)
    change = at_m + at_n - s.cost[m] - s.cost[n]
    change += _moving(f, p, n) + _moving(f, q, m) - _moving(f, p, m) - _moving(f, q, n)
    if change > limit or not (_fits(f, s, n, q, p) and _fits(f, s, m, p, q)):
        return 0
    _recount(f, s, p, m, q, n)
    fine = _stands_well(f, s, f.service[p], m, n) and _stands_well(f, s, f.service[q], n, m)
    if not fine:
        _recount(f, s, p, n, q, m)
        return 0
    before = s.dearest[0]
    _set(f, s, p, n)
    _set(f, s, q, m)
    s.cost[m], s.cost[n] = at_m, at_n
    return change + f.service_weight * (s.dearest[0] - before)


@njit(cache=True)
def _recount(f: Facts, s: State, p: int, m: int, q: int, n: int) -> None:
    """Count ``p`` from ``m`` to ``n`` and ``q`` the other way."""
    _count(f, s, p, m, -1)
    _count(f, s, q, n, -1)
    _count(f, s, p, n, 1)
    _count(f, s, q, m, 1)


@njit(cache=True, nogil=True)
def anneal(f: Facts, s: State, moves: int, heat: float) -> int:
    """Make ``moves`` moves at one temperature; return the change of the cost."""
    total = 0
    for _ in range(moves):
        p = _costly(s)
        limit = -heat * np.log(1.0 - _random(s.random))
        kind = _random(s.random)
        if kind < EXCHANGE_SHARE:
            n = _cheap(s)
            if s.members[n] > 0:
                total += _exchange(f, s, p, s.member[n, int(_random(s.random) * s.members[n])], limit)
        elif kind < EXCHANGE_SHARE + HOME_SHARE:
            total += _relocate(f, s, p, f.today[p], limit)
        else:
            total += _relocate(f, s, p, _cheap(s), limit)
    return total


@njit(cache=True)
def _costly(s: State) -> int:
    """Return a process of a machine that is mostly among the dearest."""
    m = int(_random(s.random) * len(s.cost))
    if _random(s.random) < COSTLY_SHARE:
        for _ in range(AMONG):
            n = int(_random(s.random) * len(s.cost))
            m = n if s.cost[n] > s.cost[m] else m
    if s.members[m] == 0:
        return int(_random(s.random) * len(s.who))
    return int(s.member[m, int(_random(s.random) * s.members[m])])


@njit(cache=True)
def _cheap(s: State) -> int:
    """Return a machine, half of the time the one of two that costs less."""
    m = int(_random(s.random) * len(s.cost))
    if _random(s.random) < 0.5:
        return m
    n = int(_random(s.random) * len(s.cost))
    return m if s.cost[m] < s.cost[n] else n
