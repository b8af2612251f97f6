from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import machines
from benchmarks.machines import Instance

TINY = Instance("tiny", np.array([[3, 5], [4, 2], [6, 6]]))


def test_the_published_format_is_read(tmp_path: Path) -> None:
    path = tmp_path / "tiny.txt"
    path.write_text("3\n2\n3\t5\t\n4\t2\t\n6\t6\t\n")
    found = machines.read(path)
    assert found.name == "tiny"
    assert found.minutes.tolist() == TINY.minutes.tolist()


def test_the_makespan_is_counted_from_the_instance() -> None:
    assert machines.checked_makespan(TINY, [0, 1, 1]) == 8
    assert machines.checked_makespan(TINY, [0, 0, 0]) == 13


@pytest.mark.parametrize("who", [[0, 1], [0, 1, 2], [0, 1, -1]])
def test_an_answer_with_a_job_nowhere_is_refused(who: list[int]) -> None:
    with pytest.raises(ValueError, match="tiny"):
        machines.checked_makespan(TINY, who)
