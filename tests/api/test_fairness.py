from __future__ import annotations

import asyncio
from collections import Counter
from random import Random

import pytest

from api.fairness import ASKED_S, KNOWN_KEYS, Full, GoodTokens, Rates, Slots


def test_one_request_of_a_firm_is_next_whatever_another_firm_has_waiting() -> None:
    async def scenario() -> list[str]:
        slots, served = Slots(4, 3, 100), []

        async def one(key: str, done: asyncio.Event) -> None:
            await slots.enter(key)
            served.append(key)
            await done.wait()
            slots.leave(key)

        done = [asyncio.Event() for _ in range(22)]
        many = [asyncio.create_task(one("many", done[i])) for i in range(20)]
        await asyncio.sleep(0)
        assert (served, slots.held, slots.waiting) == (["many"] * 3, 3, 17)  # one slot stays for somebody else
        few = [asyncio.create_task(one("few", done[20])), asyncio.create_task(one("few", done[21]))]
        await asyncio.sleep(0)
        done[0].set()
        for _ in range(3):
            await asyncio.sleep(0)
        for event in done:
            event.set()
        await asyncio.gather(*many, *few)
        assert (slots.held, slots.waiting) == (0, 0)
        return served

    served = asyncio.run(scenario())
    assert served[3:5] == ["few", "few"]
    assert Counter(served) == {"many": 20, "few": 2}


def test_no_slot_is_lost_or_given_twice_whoever_gives_up() -> None:
    async def scenario() -> None:
        slots, rng, most = Slots(5, 3, 1_000), Random(7), Counter[str]()

        async def one(key: str) -> None:
            await slots.enter(key)
            try:
                most[key] = max(most[key], slots._held[key])
                assert slots.held <= 5
                for _ in range(rng.randrange(4)):
                    await asyncio.sleep(0)
            finally:
                slots.leave(key)

        tasks = [asyncio.create_task(one(rng.choice("abcd"))) for _ in range(400)]
        for _ in range(60):
            await asyncio.sleep(0)
            rng.choice(tasks).cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert (slots.held, slots.waiting) == (0, 0)
        assert max(most.values()) == 3

    asyncio.run(scenario())


def test_a_queue_that_is_full_is_said() -> None:
    async def scenario() -> None:
        slots = Slots(1, 1, 1)
        await slots.enter("a")
        waits = asyncio.create_task(slots.enter("a"))
        await asyncio.sleep(0)
        with pytest.raises(Full):
            await slots.enter("a")
        slots.leave("a")
        await waits

    asyncio.run(scenario())


def test_a_minute_has_so_many_and_what_is_left_is_saved_for_a_minute() -> None:
    at_s = 0.0
    rates = Rates(60, tick=lambda: at_s)
    assert [rates.take("a") for _ in range(60)] == [0.0] * 60
    assert rates.take("a") == pytest.approx(1.0)
    assert rates.take("b") == 0.0
    at_s = 0.5
    assert rates.take("a") == pytest.approx(0.5)
    at_s = 1.0
    assert rates.take("a") == 0.0
    assert rates.take("a") == pytest.approx(1.0)
    at_s = 10_000.0
    assert [rates.take("a") for _ in range(60)] == [0.0] * 60
    assert rates.take("a") > 0


def test_what_is_remembered_has_an_end() -> None:
    rates, tokens = Rates(1), GoodTokens()
    for i in range(KNOWN_KEYS + 1):
        rates.take(str(i))
        tokens.good(str(i), "one")
    assert rates.take("0") == 0.0  # forgotten
    assert rates.take(str(KNOWN_KEYS)) > 0
    assert (tokens.firm("0"), tokens.firm("1")) == (None, "one")
    tokens.bad("1")
    assert tokens.firm("1") is None


def test_a_firm_has_fewer_slots_while_others_ask_and_all_of_its_own_once_they_do_not() -> None:
    async def scenario() -> None:
        at_s = [0.0]
        slots, held = Slots(8, 6, 100, beside=2, tick=lambda: at_s[0]), 0

        async def one(key: str) -> None:
            nonlocal held
            await slots.enter(key)
            held += key == "many"

        async def settled() -> int:
            for _ in range(5):
                await asyncio.sleep(0)
            return held

        tasks = [asyncio.create_task(one("many")) for _ in range(20)]
        assert await settled() == 6
        await one("few")
        for _ in range(4):
            slots.leave("many")
        assert await settled() == 6  # it gives back, and gets none, until it has two
        assert slots._held["many"] == 2
        slots.leave("many")
        assert (await settled(), slots._held["many"]) == (7, 2)
        at_s[0] = ASKED_S
        slots.leave("few")
        assert (await settled(), slots._held["many"]) == (11, 6)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(scenario())
