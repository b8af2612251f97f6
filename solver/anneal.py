"""Compiled annealing on the exact ledger: relocate, swap and eject, millions of moves a second.

Each move is judged by its price difference first and only then by the windows of the one or two people it touches, so a
plan on the way never breaks a rule. Measured on two cores this alone beats every other single method at 3,000 tasks; small
firms with scarce people need the exact neighbourhoods of `solver.search` afterwards (docs/benchmarks.md).

`overbook` is the same with one rule bent: people may be promised more than they have time for, at a price a minute that rises until
it exceeds what escalating costs. What is lacking then drifts to where least is lost by it, through plans that no rule-keeping move
leads to; penalties that adapt so are what the best searches for generalised assignment have in common (Yagiura, Ibaraki, Glover 2006).

Moves are drawn by a generator of our own (xorshift64*, Vigna 2016) kept in the state, so a run is the same everywhere. All compiled
functions stand in this one module: the compiler's cache is renewed by changes of its own file only, not of files it calls into.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

MOVES_PER_CALL = 200_000
"""Moves between two looks at the clock: some 50 ms."""
MOVES_PER_UNIT = 4_000_000
"""Moves in about a second of one core."""
HOME_SHARE = 0.3
"""Share of moves proposed to the present or usual person: where most tasks belong (measured: 380,511 against 382,113)."""
LOST_SHARE = 0.1
"""Share of moves that pick among the escalated tasks, the dearest to leave."""


class Facts(NamedTuple):
    """The problem as flat arrays for the compiled loop; see `Problem` for the names."""

    work: NDArray[np.int32]
    comfort: NDArray[np.int32]
    first_window: NDArray[np.int32]
    release: NDArray[np.int32]
    due: NDArray[np.int32]
    late: NDArray[np.int64]
    row: NDArray[np.int32]
    column: NDArray[np.int32]
    escalation: NDArray[np.int64]
    may_escalate: NDArray[np.bool_]
    piece: NDArray[np.int32]
    piece_start: NDArray[np.int32]
    preparation: NDArray[np.int32]
    review: NDArray[np.int32]
    review_start: NDArray[np.int32]
    candidate: NDArray[np.int32]
    candidate_start: NDArray[np.int32]
    home: NDArray[np.int32]
    allowed: NDArray[np.bool_]
    share: NDArray[np.int64]
    far: NDArray[np.int64]
    end_slots: NDArray[np.int64]
    near_pct: int
    far_pct: int
    week_pct: int
    beyond: int


class State(NamedTuple):
    """A plan on the way, all arrays changed in place."""

    who: NDArray[np.int32]
    window: NDArray[np.int32]
    slack: NDArray[np.int32]
    load: NDArray[np.int64]
    cost: NDArray[np.int64]
    held: NDArray[np.int32]
    held_count: NDArray[np.int32]
    place: NDArray[np.int32]
    random: NDArray[np.uint64]


class Overbooked(NamedTuple):
    """What overbooking keeps in step beside `State`, whose slack may be negative then.

    Attributes
    ----------
    over
        ``(P,)`` minutes that each person lacks in their worst window.
    firm_slack
        As `State.slack`, of the tasks alone that may not be escalated: they fit at any time, so that giving up the others always
        leads back to a plan that breaks no rule.
    room
        As `State.slack`, of nothing at all: what does not fit by itself never will.
    """

    over: NDArray[np.int64]
    firm_slack: NDArray[np.int32]
    room: NDArray[np.int32]


NOTHING_LACKS = 1 << 30
"""More minutes than anybody has."""


@njit(cache=True)
def _random(state: NDArray[np.uint64]) -> float:
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return float((x * np.uint64(0x2545F4914F6CDD1D)) >> np.uint64(11)) / 9007199254740992.0


@njit(cache=True, forceinline=True)
def _least(cells: NDArray[np.int32], most: int) -> int:
    """Return the least of some cells, and ``most`` of none: with no way out in the middle, the compiler takes eight at a time."""
    least = np.int32(most)
    for b in range(len(cells)):
        least = min(least, cells[b])
    return int(least)


@njit(cache=True, forceinline=True)
def _fits(slack: NDArray[np.int32], p: int, row: int, column: int, work: int) -> bool:
    for a in range(min(row + 1, slack.shape[1])):
        room = _least(slack[p, a, column:], work)
        if room < work:
            return False
    return True


@njit(cache=True, forceinline=True)
def _fits_instead(
    slack: NDArray[np.int32], p: int, out_row: int, out_column: int, out_work: int, row: int, column: int, work: int
) -> bool:
    """Whether work fits once some that is due by ``out_column``, from ``out_row`` on, is gone."""
    for a in range(min(row + 1, slack.shape[1])):
        gone_from = max(out_column, column) if a <= out_row else slack.shape[2]
        if _least(slack[p, a, column:gone_from], work) < work:
            return False
        if _least(slack[p, a, gone_from:], work) < work - out_work:
            return False
    return True


@njit(cache=True, forceinline=True)
def _take(slack: NDArray[np.int32], p: int, row: int, column: int, work: int) -> None:
    for a in range(min(row + 1, slack.shape[1])):
        for b in range(column, slack.shape[2]):
            slack[p, a, b] -= work


@njit(cache=True, forceinline=True)
def _cost(f: Facts, load: NDArray[np.int64], p: int, work: int, due: int) -> int:
    """Balance price of person ``p`` with ``work`` more minutes promised by slot ``due``."""
    away = abs(load[p, 0] + work - f.share[p, 0])
    hundredths = f.near_pct * away + f.far_pct * max(away - f.far[p], 0)
    for j in range(len(f.end_slots)):
        extra = work if due <= f.end_slots[j] else 0
        hundredths += f.week_pct * abs(load[p, j + 1] + extra - f.share[p, j + 1])
    return -(-hundredths // 100)


@njit(cache=True, forceinline=True)
def _swap_cost(f: Facts, load: NDArray[np.int64], p: int, out: int, out_due: int, into: int, into_due: int) -> int:
    """Balance price of ``p`` giving ``out`` minutes away for ``into`` minutes."""
    away = abs(load[p, 0] - out + into - f.share[p, 0])
    hundredths = f.near_pct * away + f.far_pct * max(away - f.far[p], 0)
    for j in range(len(f.end_slots)):
        extra = 0
        if out_due <= f.end_slots[j]:
            extra -= out
        if into_due <= f.end_slots[j]:
            extra += into
        hundredths += f.week_pct * abs(load[p, j + 1] + extra - f.share[p, j + 1])
    return -(-hundredths // 100)


@njit(cache=True, forceinline=True)
def _in_order(f: Facts, s: State, t: int, w: int) -> bool:
    before = f.preparation[t]
    if before >= 0 and s.who[before] >= 0 and f.release[w] < f.beyond:
        if f.release[w] <= f.due[f.first_window[before] + s.window[before]]:
            return False
    for i in range(f.review_start[t], f.review_start[t + 1]):
        review = f.review[i]
        if s.who[review] >= 0:
            release = f.release[f.first_window[review] + s.window[review]]
            if release < f.beyond and release <= f.due[w]:
                return False
    return True


@njit(cache=True, forceinline=True)
def _separate(f: Facts, s: State, t: int, p: int, except_task: int) -> bool:
    """Whether no other task of the same piece is with ``p``; ``except_task`` is about to leave and does not count."""
    for i in range(f.piece_start[t], f.piece_start[t + 1]):
        other = f.piece[i]
        if other != except_task and s.who[other] == p:
            return False
    return True


@njit(cache=True, forceinline=True)
def _first_window(f: Facts, s: State, t: int, p: int, worst: float) -> int:
    """Return the cheapest window of ``t`` in which ``p`` has room, -1 when none costs at most ``worst``."""
    for w in range(f.first_window[t], f.first_window[t + 1]):
        if f.late[w] > worst:
            return -1
        if _in_order(f, s, t, w) and _fits(s.slack, p, f.row[w], f.column[w], f.work[t, p]):
            return w
    return -1


@njit(cache=True, forceinline=True)
def _value(f: Facts, s: State, t: int) -> int:
    """Price of a task where it is, balance aside."""
    if s.who[t] < 0:
        return f.escalation[t]
    return f.late[f.first_window[t] + s.window[t]] + f.comfort[t, s.who[t]]


@njit(cache=True)
def _put(f: Facts, s: State, t: int, p: int, w: int) -> None:
    """Move ``t`` to person ``p`` in flat window ``w``, or escalate it (``p`` -1), and keep every figure in step."""
    old = s.who[t]
    last = s.held[old, s.held_count[old] - 1]
    s.held[old, s.place[t]] = last
    s.place[last] = s.place[t]
    s.held_count[old] -= 1
    if old >= 0:
        was = f.first_window[t] + s.window[t]
        work = f.work[t, old]
        _take(s.slack, old, f.row[was], f.column[was], -work)
        _add_load(f, s, old, f.due[was], -work)
    s.who[t] = p
    s.held[p, s.held_count[p]] = t
    s.place[t] = s.held_count[p]
    s.held_count[p] += 1
    s.window[t] = w - f.first_window[t] if p >= 0 else -1
    if p >= 0:
        _take(s.slack, p, f.row[w], f.column[w], f.work[t, p])
        _add_load(f, s, p, f.due[w], f.work[t, p])


@njit(cache=True)
def _add_load(f: Facts, s: State, p: int, due: int, work: int) -> None:
    s.load[p, 0] += work
    for j in range(len(f.end_slots)):
        if due <= f.end_slots[j]:
            s.load[p, j + 1] += work
    s.cost[p] = _cost(f, s.load, p, 0, 0)


@njit(cache=True, forceinline=True)
def _relocate(f: Facts, s: State, t: int, p: int, limit: float) -> int:
    """Move ``t`` to ``p`` where that costs at most ``limit`` more; return the difference made."""
    old = s.who[t]
    if not _separate(f, s, t, p, -1):
        return 0
    first = f.first_window[t]
    gone, before = 0, _value(f, s, t)
    if old >= 0:
        gone = _swap_cost(f, s.load, old, f.work[t, old], f.due[first + s.window[t]], 0, 0) - s.cost[old]
    base = f.comfort[t, p] - before + gone - s.cost[p]
    for w in range(first, f.first_window[t + 1]):
        change = base + f.late[w] + _cost(f, s.load, p, f.work[t, p], f.due[w])
        if change <= limit and _in_order(f, s, t, w) and _fits(s.slack, p, f.row[w], f.column[w], f.work[t, p]):
            _put(f, s, t, p, w)
            return change
    return 0


@njit(cache=True, forceinline=True)
def _rewindow(f: Facts, s: State, t: int) -> int:
    """Promise a late task earlier, or any task in a cheaper window, with the same person; never at a loss."""
    p, old = s.who[t], f.first_window[t] + s.window[t]
    if s.window[t] == 0:
        return 0
    work = f.work[t, p]
    _take(s.slack, p, f.row[old], f.column[old], -work)
    w = _first_window(f, s, t, p, f.late[old])
    _take(s.slack, p, f.row[old], f.column[old], work)
    if w < 0 or w == old:
        return 0
    change = f.late[w] - f.late[old] + _swap_cost(f, s.load, p, work, f.due[old], work, f.due[w]) - s.cost[p]
    if change > 0:
        return 0
    _put(f, s, t, p, w)
    return change


@njit(cache=True, forceinline=True)
def _swap(f: Facts, s: State, t: int, u: int, limit: float) -> int:
    """Exchange the people of ``t`` and ``u`` where that costs at most ``limit`` more; return the difference made."""
    p, q = s.who[t], s.who[u]
    if not (f.allowed[t, q] and f.allowed[u, p] and _separate(f, s, t, q, u) and _separate(f, s, u, p, t)):
        return 0
    tw, uw = f.first_window[t] + s.window[t], f.first_window[u] + s.window[u]
    base = f.comfort[t, q] + f.comfort[u, p] - f.comfort[t, p] - f.comfort[u, q]
    change = base + _swap_cost(f, s.load, p, f.work[t, p], f.due[tw], f.work[u, p], f.due[uw]) - s.cost[p]
    change += _swap_cost(f, s.load, q, f.work[u, q], f.due[uw], f.work[t, q], f.due[tw]) - s.cost[q]
    if change > limit:
        return 0
    fits = _fits_instead(
        s.slack, q, f.row[uw], f.column[uw], f.work[u, q], f.row[tw], f.column[tw], f.work[t, q]
    ) and _fits_instead(s.slack, p, f.row[tw], f.column[tw], f.work[t, p], f.row[uw], f.column[uw], f.work[u, p])
    if not fits:
        return 0
    # One by one a swap passes through a state that may not fit; the ledger may be negative in between, never after.
    _put(f, s, t, q, tw)
    _put(f, s, u, p, uw)
    return change


@njit(cache=True, forceinline=True)
def _least_joined(f: Facts, s: State, t: int, p: int, out: int, out_due: int) -> int:
    """Return what ``t`` costs at least with ``p``, who gives ``out`` minutes away: lateness and balance in its cheapest window."""
    best = np.int64(1) << 62
    for w in range(f.first_window[t], f.first_window[t + 1]):
        best = min(best, f.late[w] + _swap_cost(f, s.load, p, out, out_due, f.work[t, p], f.due[w]))
    return best + f.comfort[t, p] - s.cost[p]


@njit(cache=True, forceinline=True)
def _least_ejected(f: Facts, s: State, t: int, u: int, q: int) -> int:
    """Return what `_eject` changes at least: both tasks in their cheapest windows, as though there were room.

    Almost every chain costs too much by that alone, and trying one takes four times as long as any other move.
    """
    p, here = s.who[u], s.who[t]
    due = f.due[f.first_window[t] + s.window[t]] if here >= 0 else 0
    least = _least_joined(f, s, t, p, f.work[u, p], f.due[f.first_window[u] + s.window[u]])
    least -= _value(f, s, t) + _value(f, s, u)
    if q < 0:
        least += f.escalation[u]
    elif q == here:
        return least + _least_joined(f, s, u, q, f.work[t, q], due)
    else:
        least += _least_joined(f, s, u, q, 0, 0)
    if here >= 0:
        least += _swap_cost(f, s.load, here, f.work[t, here], due, 0, 0) - s.cost[here]
    return least


@njit(cache=True, forceinline=True)
def _fits_in_place(f: Facts, s: State, t: int, u: int) -> bool:
    """Whether the person of ``u`` has room for ``t`` in one of its windows once ``u`` is gone."""
    p, old = s.who[u], f.first_window[u] + s.window[u]
    for w in range(f.first_window[t], f.first_window[t + 1]):
        if _fits_instead(s.slack, p, f.row[old], f.column[old], f.work[u, p], f.row[w], f.column[w], f.work[t, p]):
            return True
    return False


@njit(cache=True, forceinline=True)
def _eject(f: Facts, s: State, t: int, u: int, q: int, limit: float) -> int:
    """Put ``t`` in the place of ``u``, and ``u`` with ``q`` (-1: escalate it), where the chain costs at most ``limit``."""
    p, u_window = s.who[u], f.first_window[u] + s.window[u]
    if not (f.allowed[t, p] and _separate(f, s, t, p, u)) or (q < 0 and not f.may_escalate[u]):
        return 0
    # What can be told without moving anything is, for few chains come about.
    if _least_ejected(f, s, t, u, q) > limit or not _fits_in_place(f, s, t, u):
        return 0
    if q >= 0 and (not _separate(f, s, u, q, -1) or _first_window(f, s, u, q, 1e18) < 0):
        return 0
    change = -s.cost[p] - _value(f, s, u)
    _put(f, s, u, -1, -1)
    change += s.cost[p] + f.escalation[u]
    if q >= 0:
        step = _relocate(f, s, u, q, 1e18)
        if step == 0 and s.who[u] < 0:
            _put(f, s, u, p, u_window)
            return 0
        change += step
    step = _relocate(f, s, t, p, limit - change)
    if s.who[t] == p:
        return change + step
    _put(f, s, u, p, u_window)
    return 0


@njit(cache=True)
def _pick(f: Facts, s: State) -> int:
    lost = s.held_count[-1]
    if lost > 0 and _random(s.random) < LOST_SHARE:
        return s.held[-1, int(_random(s.random) * lost)]
    return int(_random(s.random) * len(s.who))


@njit(cache=True)
def _target(f: Facts, s: State, t: int) -> int:
    """Return a person to try for ``t``: home now and then, else anybody who may do it; -1 when nobody may."""
    start, end = f.candidate_start[t], f.candidate_start[t + 1]
    if start == end:
        return -1
    if _random(s.random) < HOME_SHARE:
        return f.home[t]
    return f.candidate[start + int(_random(s.random) * (end - start))]


@njit(cache=True)
def anneal(f: Facts, s: State, moves: int, hot: float, cold: float) -> int:
    """Make ``moves`` moves while cooling from ``hot`` to ``cold`` (minutes); return the change of the objective."""
    total = 0
    ratio = np.log(cold / hot) / moves
    for i in range(moves):
        t = _pick(f, s)
        p = _target(f, s, t)
        if p < 0:
            continue
        heat = hot * np.exp(ratio * i)
        limit = -heat * np.log(1.0 - _random(s.random))
        here = s.who[t]
        if p == here:
            if f.late[f.first_window[t] + s.window[t]] > 0 or f.first_window[t + 1] - f.first_window[t] > 1:
                total += _rewindow(f, s, t)
            continue
        kind = _random(s.random)
        count = s.held_count[p]
        if count == 0 or kind < 0.5:
            total += _relocate(f, s, t, p, limit)
            continue
        u = s.held[p, int(_random(s.random) * count)]
        if kind < 0.8 and here >= 0:
            total += _swap(f, s, t, u, limit)
            continue
        q = _target(f, s, u)
        if q == p or (here < 0 and _random(s.random) < 0.3):
            q = -1
        total += _eject(f, s, t, u, q, limit)
    return total


OVERBOOKED_PER_CALL = 100_000
"""Overbooking moves between two looks at the clock: some 0.1 s."""
DROP_SHARE = 0.2
"""Share of moves on a task of somebody overbooked that try to escalate it."""


@njit(cache=True, forceinline=True)
def _lacking(
    slack: NDArray[np.int32],
    p: int,
    over: int,
    out_row: int,
    out_column: int,
    out_work: int,
    row: int,
    column: int,
    work: int,
) -> int:
    """Return how many minutes ``p``, who lacks ``over``, lacks in the worst window after a change.

    The change is ``out_work`` less from ``out_row`` on, due by ``out_column``, and ``work`` more from ``row`` on, due by ``column``; none
    of either is a row of -1. Where nothing is taken out, or nothing lacks now, only windows around the new work can be worse.
    """
    columns, rows, start, worst = slack.shape[2], min(row + 1, slack.shape[1]), column, 0
    if out_row < 0:
        worst = over
    elif over > 0:
        rows, start = slack.shape[1], 0
    for a in range(rows):
        out_from = out_column if a <= out_row else columns
        from_here = column if a <= row else columns
        low, high = max(start, min(out_from, from_here)), max(start, out_from, from_here)
        between = out_work if out_from < from_here else -work
        worst = max(worst, -_least(slack[p, a, start:low], NOTHING_LACKS))
        worst = max(worst, -_least(slack[p, a, low:high], NOTHING_LACKS) - between)
        worst = max(worst, -_least(slack[p, a, high:], NOTHING_LACKS) - out_work + work)
    return worst


@njit(cache=True, forceinline=True)
def _fits_firmly(f: Facts, o: Overbooked, t: int, p: int, w: int) -> bool:
    return _fits(o.room if f.may_escalate[t] else o.firm_slack, p, f.row[w], f.column[w], f.work[t, p])


@njit(cache=True, forceinline=True)
def _take_firmly(f: Facts, o: Overbooked, t: int, p: int, w: int, sign: int) -> None:
    if p >= 0 and not f.may_escalate[t]:
        _take(o.firm_slack, p, f.row[w], f.column[w], sign * f.work[t, p])


@njit(cache=True)
def _put_over(f: Facts, s: State, o: Overbooked, t: int, p: int, w: int) -> None:
    """Do as `_put` does and keep in step what is firm; what people lack then is for the caller to note."""
    old = s.who[t]
    if old >= 0:
        _take_firmly(f, o, t, old, f.first_window[t] + s.window[t], -1)
    _put(f, s, t, p, w)
    _take_firmly(f, o, t, p, w, 1)


@njit(cache=True, forceinline=True)
def _best_window(f: Facts, s: State, o: Overbooked, t: int, p: int, price: float, worst: float) -> tuple[int, int]:
    """Return the window of ``t`` that costs least with ``p``, -1 beyond ``worst``, and what ``p`` lacks then, ``price`` a minute."""
    best, lacks, work, out_row, out_column, out_work = -1, 0, f.work[t, p], -1, 0, 0
    if s.who[t] == p:
        old = f.first_window[t] + s.window[t]
        out_row, out_column, out_work = f.row[old], f.column[old], work
    for w in range(f.first_window[t], f.first_window[t + 1]):
        if f.late[w] > worst:
            break
        if not (_in_order(f, s, t, w) and _fits_firmly(f, o, t, p, w)):
            continue
        lacking = _lacking(s.slack, p, o.over[p], out_row, out_column, out_work, f.row[w], f.column[w], work)
        cost = f.late[w] + price * lacking
        if cost <= worst:
            best, worst, lacks = w, cost, lacking
            if lacking == 0:
                break
    return best, lacks


@njit(cache=True, forceinline=True)
def _relocate_over(f: Facts, s: State, o: Overbooked, t: int, p: int, price: float, limit: float) -> None:
    """Move ``t`` to ``p`` where that costs at most ``limit`` more."""
    old = s.who[t]
    if not _separate(f, s, t, p, -1):
        return
    first = f.first_window[t]
    base, old_lacks = float(f.comfort[t, p] - _value(f, s, t)), 0
    if old >= 0:
        w, work = first + s.window[t], f.work[t, old]
        base += _swap_cost(f, s.load, old, work, f.due[w], 0, 0) - s.cost[old]
        if o.over[old] > 0:
            old_lacks = _lacking(s.slack, old, o.over[old], f.row[w], f.column[w], work, -1, 0, 0)
            base += price * (old_lacks - o.over[old])
    base += _cost(f, s.load, p, f.work[t, p], f.due[first]) - s.cost[p]
    if base + f.late[first] > limit:
        return
    found, lacks = _best_window(f, s, o, t, p, price, limit - base + price * o.over[p])
    if found >= 0:
        _put_over(f, s, o, t, p, found)
        o.over[p] = lacks
        if old >= 0:
            o.over[old] = old_lacks


@njit(cache=True, forceinline=True)
def _rewindow_over(f: Facts, s: State, o: Overbooked, t: int, price: float, limit: float) -> None:
    """Promise ``t`` in the best window of its person."""
    p, old = s.who[t], f.first_window[t] + s.window[t]
    _take_firmly(f, o, t, p, old, -1)
    found, lacks = _best_window(f, s, o, t, p, price, limit + f.late[old] + price * o.over[p])
    _take_firmly(f, o, t, p, old, 1)
    if found >= 0 and found != old:
        _put_over(f, s, o, t, p, found)
        o.over[p] = lacks


@njit(cache=True, forceinline=True)
def _swap_over(f: Facts, s: State, o: Overbooked, t: int, u: int, price: float, limit: float) -> None:
    """Exchange the people of ``t`` and ``u``, windows kept, where that costs at most ``limit`` more."""
    p, q = s.who[t], s.who[u]
    if not (f.allowed[t, q] and f.allowed[u, p] and _separate(f, s, t, q, u) and _separate(f, s, u, p, t)):
        return
    tw, uw = f.first_window[t] + s.window[t], f.first_window[u] + s.window[u]
    change = float(f.comfort[t, q] + f.comfort[u, p] - f.comfort[t, p] - f.comfort[u, q])
    change += _swap_cost(f, s.load, p, f.work[t, p], f.due[tw], f.work[u, p], f.due[uw]) - s.cost[p]
    change += _swap_cost(f, s.load, q, f.work[u, q], f.due[uw], f.work[t, q], f.due[tw]) - s.cost[q]
    if change - price * (o.over[p] + o.over[q]) > limit:
        return
    p_lacks = _lacking(
        s.slack, p, o.over[p], f.row[tw], f.column[tw], f.work[t, p], f.row[uw], f.column[uw], f.work[u, p]
    )
    change += price * (p_lacks - o.over[p])
    if change - price * o.over[q] > limit:
        return
    q_lacks = _lacking(
        s.slack, q, o.over[q], f.row[uw], f.column[uw], f.work[u, q], f.row[tw], f.column[tw], f.work[t, q]
    )
    change += price * (q_lacks - o.over[q])
    if change > limit:
        return
    _take_firmly(f, o, t, p, tw, -1)
    _take_firmly(f, o, u, q, uw, -1)
    fits = _fits_firmly(f, o, t, q, tw) and _fits_firmly(f, o, u, p, uw)
    _take_firmly(f, o, t, p, tw, 1)
    _take_firmly(f, o, u, q, uw, 1)
    if fits:
        _put_over(f, s, o, t, q, tw)
        _put_over(f, s, o, u, p, uw)
        o.over[p], o.over[q] = p_lacks, q_lacks


@njit(cache=True, forceinline=True)
def _drop(f: Facts, s: State, o: Overbooked, t: int, price: float, limit: float) -> None:
    """Escalate ``t``, whose person is overbooked, where that costs at most ``limit`` more."""
    p = s.who[t]
    if not f.may_escalate[t]:
        return
    w, work = f.first_window[t] + s.window[t], f.work[t, p]
    change = f.escalation[t] - _value(f, s, t) + _swap_cost(f, s.load, p, work, f.due[w], 0, 0) - s.cost[p]
    lacking = _lacking(s.slack, p, o.over[p], f.row[w], f.column[w], work, -1, 0, 0)
    if change + price * (lacking - o.over[p]) <= limit:
        _put_over(f, s, o, t, -1, -1)
        o.over[p] = lacking


@njit(cache=True)
def overbook(
    f: Facts,
    s: State,
    o: Overbooked,
    tasks: NDArray[np.int64],
    moves: int,
    hot: float,
    cold: float,
    cheap: float,
    dear: float,
) -> None:
    """Make ``moves`` moves of some ``tasks``, cooling from ``hot`` to ``cold`` minutes.

    What a lacking minute costs rises from ``cheap`` to ``dear``.
    """
    cooling, rising = np.log(cold / hot) / moves, np.log(dear / cheap) / moves
    for i in range(moves):
        t = tasks[int(_random(s.random) * len(tasks))]
        p = _target(f, s, t)
        if p < 0:
            continue
        price = cheap * np.exp(rising * i)
        limit = -hot * np.exp(cooling * i) * np.log(1.0 - _random(s.random))
        here = s.who[t]
        if here >= 0 and o.over[here] > 0 and _random(s.random) < DROP_SHARE:
            _drop(f, s, o, t, price, limit)
        elif p == here:
            if f.first_window[t + 1] - f.first_window[t] > 1:
                _rewindow_over(f, s, o, t, price, limit)
        elif here < 0 or s.held_count[p] == 0 or _random(s.random) < 0.5:
            _relocate_over(f, s, o, t, p, price, limit)
        else:
            u = s.held[p, int(_random(s.random) * s.held_count[p])]
            _swap_over(f, s, o, t, u, price, limit)
