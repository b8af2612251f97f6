from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solver.promises import Promise, Promises
from solver.windows import Window


def promise(number: int) -> Promise:
    return Promise(number % 7, Window(number % 5, number % 5 + 3, number), 60 + number)


def test_promises_are_a_mapping_from_task_to_promise() -> None:
    promises = Promises()
    promises["a"], promises["b"] = promise(1), promise(2)
    promises["a"] = promise(3)
    assert dict(promises) == {"a": promise(3), "b": promise(2)}
    assert promises.get("c") is None
    assert promises.pop("a") == promise(3)
    assert promises == {"b": promise(2)}
    with pytest.raises(KeyError):
        promises["a"]


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 40)), max_size=200))
def test_columns_say_what_the_mapping_says(steps: list[tuple[bool, int]]) -> None:
    promises, plain = Promises(), dict[str, Promise]()
    for number, (gone, name) in enumerate(steps):
        if gone:
            promises.pop(f"t{name}", None)
            plain.pop(f"t{name}", None)
        else:
            promises[f"t{name}"] = plain[f"t{name}"] = promise(number)
    assert dict(promises) == plain
    columns = (promises.person, promises.release, promises.due, promises.price_min, promises.work_min)
    rows = zip(promises.names, *(column.tolist() for column in columns), strict=True)
    assert {name: (p, a, b, price, work) for name, p, a, b, price, work in rows} == {
        name: (one.person, *one.window, one.work_min) for name, one in plain.items()
    }


def test_more_promises_than_first_reserved_are_kept() -> None:
    promises = Promises()
    for number in range(500):
        promises[str(number)] = promise(number)
    assert [promises[str(number)] for number in range(500)] == [promise(number) for number in range(500)]


def test_a_cut_leaves_every_window_its_stretch_of_time() -> None:
    promises = Promises()
    spans = {"before": (0, 1), "until": (0, 2), "within": (2, 2), "from": (2, 4), "behind": (3, 4), "beyond": (5, 5)}
    for name, (release, due) in spans.items():
        promises[name] = Promise(0, Window(release, due, 0), 60)
    promises.cut(2)
    assert {name: one.window[:2] for name, one in promises.items()} == {
        "before": (0, 1),
        "until": (0, 3),
        "within": (2, 3),
        "from": (2, 5),
        "behind": (4, 5),
        "beyond": (6, 6),
    }
