from __future__ import annotations

from threading import Thread

from api.store.gates import Gate

LONG_S = 300
"""No test waits so long for anything that works."""


def waits(gate: Gate, name: str, order: list[str]) -> Thread:
    """Let a thread wait for a held gate, and return once it does."""
    before = len(gate._waiting)

    def enters() -> None:
        assert gate.enter(LONG_S)
        order.append(name)
        gate.leave()

    thread = Thread(target=enters)
    thread.start()
    while len(gate._waiting) == before:
        pass
    return thread


def test_whoever_has_waited_longest_is_next_and_who_has_just_left_is_not() -> None:
    gate, order = Gate(), list[str]()
    assert gate.enter(0)
    threads = [waits(gate, name, order) for name in "abc"]
    gate.leave()
    assert gate.enter(LONG_S)  # behind those who waited, though the gate was ours a moment ago
    order.append("again")
    gate.leave()
    for thread in threads:
        thread.join(LONG_S)
    assert order == ["a", "b", "c", "again"]


def test_who_gives_up_waiting_holds_nobody_up() -> None:
    gate, order = Gate(), list[str]()
    with gate.within(0) as came:
        assert came
        assert not gate.enter(0.001)
        with gate.within(0.001) as again:
            assert not again
        thread = waits(gate, "a", order)
    thread.join(LONG_S)
    assert order == ["a"]
    assert gate.enter(0)
