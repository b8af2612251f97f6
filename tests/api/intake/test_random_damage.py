from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from api.intake import Intake, IntakeError, read_firm, write_firm
from tests.csv_firm import GOOD
from tests.firms_for_tests import random_firm

ALPHABET = b'",;\t|\n\r =\\\x00\xff\xef\xbb\xbf0123456789-/.:aZ\xc3\xa9'


@pytest.mark.parametrize("seed", range(60))
def test_random_damage_to_a_folder_loses_no_row(seed: int, folder: Callable[..., Path]) -> None:
    rng = random.Random(seed)
    sheet = rng.choice(sorted(GOOD))
    content = bytearray(GOOD[sheet].encode())
    for _ in range(rng.randint(1, 8)):
        place = rng.randrange(len(content) + 1)
        content[place : place + rng.randint(0, 3)] = bytes(rng.choices(ALPHABET, k=rng.randint(0, 3)))
    counted(read_firm(folder(**{sheet: bytes(content)})))


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("form", ["firm.xlsx", "firm.json"])
def test_random_damage_to_one_file_gives_a_firm_or_one_sentence(form: str, seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    path = tmp_path / form
    write_firm(random_firm(seed, people=3, tasks=5), path)
    content = bytearray(path.read_bytes())
    for _ in range(rng.randint(1, 4)):
        content[rng.randrange(len(content))] = rng.randrange(256)
    path.write_bytes(bytes(content[: rng.randint(len(content) // 2, len(content))] if seed % 4 == 0 else content))
    try:
        intake = read_firm(path)
    except IntakeError as error:
        assert form in str(error)  # noqa: PT017 - either outcome is right
        return
    counted(intake)


def counted(intake: Intake) -> None:
    for count in intake.counts:
        assert count.read == count.taken + count.rejected
    assert all(one.reason for one in intake.rejects)
