from __future__ import annotations

import gc
import json
import subprocess
import sys
from pathlib import Path

from api.collecting import uncollected

HEAVY = ("alembic", "highspy", "httpx", "joserfc", "llvmlite", "numba", "openpyxl", "ortools", "pandas", "scipy")
"""Libraries that answer no placement: each takes a tenth of a second to seconds to import."""
SERVE = """
import json, os, sys
from api.cli import main
from api.commands import serving

def tell(address):
    print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})), flush=True)
    os._exit(0)

serving._tell = tell
main(["serve", "--port", "0", "--database-url", sys.argv[1]])
"""


def test_a_service_answers_before_anything_heavy_is_imported(tmp_path: Path, prepared_file: Path) -> None:
    file = tmp_path / "evenhand.db"
    file.write_bytes(prepared_file.read_bytes())
    command = [sys.executable, "-c", SERVE, f"sqlite:///{file}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    imported = set(json.loads(done.stdout.splitlines()[-1]))
    assert {"fastapi", "sqlalchemy", "dbos"} <= imported
    assert imported.isdisjoint(HEAVY)


def test_nothing_is_collected_within_the_block_and_what_was_made_is_left_aside() -> None:
    frozen = gc.get_freeze_count()
    try:
        with uncollected():
            assert not gc.isenabled()
            kept: list[dict[str, int]] = [{} for _ in range(10)]
        assert gc.isenabled()
        assert gc.get_freeze_count() >= frozen + len(kept)
    finally:
        gc.unfreeze()
