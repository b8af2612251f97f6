"""``evenhand demo --serve``: the demo firm behind the HTTP API, in a database that is gone afterwards."""

from __future__ import annotations

import json
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from api.commands.serving import answering
from api.commands.storing import opened
from api.errors import Exit
from api.jobs.queue import prepare
from api.logs import log_to
from api.roles import Role
from api.settings import find_settings
from api.store.migrating import migrate
from api.store.saving import create_firm
from api.store.tokens import create_token
from scenarios.firms import demo_firm, starting
from solver.firm import Firm

FIRM = "demo"
DAYS = 1
"""How long the token is good for; the database lasts as long as the process."""


def show() -> Exit:
    """Serve the demo firm as of this week, and print what places a task in it."""
    settings, now = find_settings().settings, datetime.now(UTC)
    log_to(level="warning", form="text")
    firm = starting(demo_firm(), now.date()).firm
    with (
        TemporaryDirectory(prefix="evenhand-demo-") as folder,
        opened(f"sqlite:///{Path(folder) / 'demo.db'}", must_exist=False) as database,
    ):
        migrate(database)
        prepare(database)
        create_firm(database, FIRM, firm, now=now, actor="demo")
        token = create_token(database, FIRM, Role.OWNER, now=now, days=DAYS)
        # Any port that is free, so that a busy one is nobody's trouble.
        here = settings.model_copy(update={"host": "127.0.0.1", "port": 0})
        answering(database, here, told=lambda address: _tell(address, token, firm, now.date()), worker=True)
    return Exit.DONE


def _tell(address: str, token: str, firm: Firm, today: date) -> None:
    kind = next(one for one in firm.task_types if not one.id.startswith("review"))
    task = {
        "id": "t-9001",
        "type": kind.id,
        "client": firm.clients[0].id,
        "deadline": (today + timedelta(days=14)).isoformat(),
        "estimate_min": 240,
    }
    sys.stdout.write(
        f"{firm.name}: {len(firm.people)} people, {len(firm.tasks)} open tasks, gone when this ends (Ctrl-C)\n"
        f"token {token}\n\n"
        f"Place a task:\n"
        f"  curl {address}/tasks -H 'Authorization: Bearer {token}' \\\n"
        f"    -H 'Content-Type: application/json' -d '{json.dumps(task)}'\n"
        f"Everything else: {address}/openapi.json\n"
    )
    sys.stdout.flush()
