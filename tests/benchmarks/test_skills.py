from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import skills

TEXT = """
================
Tasks: 3
Resources: 2
================
ResourceID \t Salary \t Skills
1\t\t10.5\t Q0: 1 \t Q2: 0 \t
2\t\t20.0\t Q0: 2 \t
================
TaskID \t Duration \t Skill \t Predecessor IDs
1\t\t8\t Q0: 2 \t
2\t\t5\t Q0: 1 \t 1
7\t\t6\t Q2: 0 \t 1 2
================
"""


@pytest.fixture
def tiny(tmp_path: Path) -> skills.Instance:
    path = tmp_path / "tiny.def"
    path.write_text(TEXT)
    return skills.read(path)


def test_the_published_format_is_read(tiny: skills.Instance) -> None:
    assert tiny.people == ({"Q0": 1, "Q2": 0}, {"Q0": 2})
    assert tiny.tasks == (skills.Task(8, "Q0", 2), skills.Task(5, "Q0", 1), skills.Task(6, "Q2", 0))


def test_a_task_asks_for_its_skill_at_its_level(tiny: skills.Instance) -> None:
    assert [[tiny.may(i, j) for j in range(3)] for i in range(2)] == [[False, True, True], [True, True, False]]


def test_the_busiest_load_is_counted_from_the_instance(tiny: skills.Instance) -> None:
    assert skills.checked_load(tiny, [1, 0, 0]) == 11
    assert skills.checked_load(tiny, [1, 1, 0]) == 13


@pytest.mark.parametrize("who", [[0, 0, 0], [1, 1, 1], [1, 0], [1, 0, -1]])
def test_an_answer_without_the_skill_is_refused(tiny: skills.Instance, who: list[int]) -> None:
    with pytest.raises(ValueError, match=r"tiny\.def"):
        skills.checked_load(tiny, who)
