"""A service killed with -9 again and again, whatever it does: nothing lost, nothing twice, everything finished.

Round by round one process is killed at a random moment and started again: while it places, while it solves, in the middle of a webhook,
while a database of an older version with data is migrated, while a backup is restored. A client places tasks all the while, one after
another, and repeats a request that was cut off under the same key; solves are asked for as soon as none waits. At the end everything
that was answered must be stored once, the chain whole, every decision replayed alike, every solve ended, every message have come,
always with the same id and content. So must what a backup of its middle is restored to, once a service has run on it.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlalchemy import make_url, select, text

from api.delivery.sending import Message
from api.jobs.queue import prepare
from api.roles import Role
from api.sealing import new_key
from api.store.copying import back_up
from api.store.database import Database
from api.store.loading import load_firm
from api.store.log import verify
from api.store.migrating import ADVISORY_LOCK, check, head, migrate, revision_of, revisions
from api.store.proposal_listing import WantedProposals, proposals_after
from api.store.replaying import replay
from api.store.saving import create_firm
from api.store.solve_states import SolveKind, SolveState
from api.store.solves import open_solves, solves_before
from api.store.tables import DecisionRecord, DeliveryRecord, OutboxRecord
from api.store.tokens import create_token
from api.store.turns import Turns
from benchmarks.killed import Came, Client, Killed, killed, service, started
from benchmarks.records import record
from scenarios.firms import generate_firm
from tests.api.delivery.receiving import receiver
from tests.firms_for_tests import firm, person, task
from tests.postgres_for_tests import Server, running

MOMENTS = ("placing", "solving", "delivering", "migrating", "restoring")
ENDED_S = 900.0
"""Seconds after the last kill in which every solve must have ended, and every message have come."""
WAITED_S = 6.0
"""Seconds in which a round waits for its moment."""
OPEN_S = 0.4
"""Seconds in which a process that has begun to migrate or restore is killed."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Kill, start again, and check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", nargs="?", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--people", type=int, default=12)
    parser.add_argument("--tasks", type=int, default=60)
    parser.add_argument("--longest", type=float, default=2.0, help="seconds until a kill, at most")
    parser.add_argument("--moments", nargs="+", choices=MOMENTS, default=MOMENTS)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    # As an installation does: a search that compiles first is always killed before it is at work.
    subprocess.run([sys.executable, "-m", "solver.warm"], check=True, stdout=subprocess.DEVNULL)
    began_s = time.monotonic()
    with ExitStack() as stack:
        enter = stack.enter_context
        settings = {"EVENHAND_SECRET_KEYS": new_key(), "EVENHAND_PRIVATE_WEBHOOKS": "1", "EVENHAND_LOG_LEVEL": "error"}
        enter(patch.dict(os.environ, settings))
        places = enter(places_of(asked.database))
        database = Database(places.new(None))
        made = generate_firm(people=asked.people, tasks=asked.tasks, load=0.6)
        create_firm(database, "one", made.firm, now=datetime.now(UTC), actor="benchmark")
        token = create_token(database, "one", Role.OWNER, now=datetime.now(UTC), days=1)
        there, came = enter(receiver()), Came()
        there.answers = came.take
        with service(places.url_of(database), workers=places.workers) as running_one:
            client = Client(running_one.address, token, [(one.type, one.client) for one in made.firm.tasks])
            client.post("/webhooks", {"url": there.url}, "hook")
            client.start()
            rounds = Rounds(places, database, running_one, came, random.Random(asked.seed), asked.longest)
            for number in range(asked.rounds):
                began_round_s = time.monotonic()
                moment = asked.moments[number % len(asked.moments)]
                rounds.kill(moment)
                spent_round_s = time.monotonic() - began_round_s
                print(f"{number + 1} {moment}: {spent_round_s:.1f} s {rounds.wrong or ''}", file=sys.stderr, flush=True)
            client.ask_no_more()
            client.stop()
            unfinished = _wait(lambda: _unfinished(database))
        found = _checked(database, client, came)
        found |= {"unfinished": unfinished, "backup_unfinished": rounds.finish_a_backup()}
        database.close()
    _tell(asked, found, rounds, client, came, time.monotonic() - began_s)


@dataclass(frozen=True)
class Places:
    """Where databases are made.

    Attributes
    ----------
    workers
        Processes beside the one that answers.
    """

    folder: Path
    server: Server | None

    @property
    def workers(self) -> int:
        """One process does all on a file; others work on a server."""
        return 0 if self.server is None else 2

    def new(self, revision: str | None) -> str:
        """Return the URL of a new database: of today, with its queue; or of an older revision."""
        if self.server is not None:
            url = self.server.migrated() if revision is None else self.server.empty()
        else:
            url = f"sqlite:///{self.folder}/{time.monotonic_ns()}.db"
        database = Database(url)
        migrate(database, revision or "head")
        if revision is None:
            prepare(database)
        database.close()
        return url

    def bare(self) -> str:
        """Return the URL of a database with nothing in it."""
        return f"sqlite:///{self.folder}/{time.monotonic_ns()}.db" if self.server is None else self.server.empty()

    def url_of(self, database: Database) -> str:
        """Return the URL of a database as commands take it."""
        return database.url.render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        """Forget a database."""
        if self.server is not None:
            self.server.drop(url)

    def written(self, url: str) -> bool:
        """Whether a process has begun to write into a database that was closed."""
        if self.server is None:
            file = str(make_url(url).database)
            return Path(f"{file}-wal").exists() and Path(f"{file}-wal").stat().st_size > 0
        admin = Database(self.server.named("postgres"))
        name = make_url(url).database
        locks = "select count(*) from pg_locks join pg_database d on d.oid = database where datname = :name and "
        with admin.engine.connect() as connection:
            asked = text(locks + "(mode = 'RowExclusiveLock' or objid = :lock)")
            held = connection.execute(asked, {"name": name, "lock": ADVISORY_LOCK}).scalar_one()
        admin.close()
        return bool(held)


class Rounds:
    """Kills, one after another."""

    def __init__(
        self, places: Places, database: Database, service: Killed, came: Came, draw: random.Random, longest_s: float
    ) -> None:
        self._places, self._database, self.service, self._came = places, database, service, came
        self._draw, self._longest_s = draw, longest_s
        self._backup = places.folder / "evenhand.backup"
        self.wrong: list[str] = []
        self.in_the_middle: Counter[str] = Counter()

    def kill(self, moment: str) -> None:
        """Kill one process in such a moment."""
        {
            "placing": lambda: self._kill(moment, lambda: True, self._longest_s),
            "solving": lambda: self._kill(moment, self._searching, self._longest_s),
            "delivering": lambda: self._kill(moment, self._delivering, 0.1),
            "migrating": self._migrating,
            "restoring": self._restoring,
        }[moment]()

    def finish_a_backup(self) -> int:
        """Restore the last backup, let a service run on it, and return how many of its solves and messages are never done."""
        url = self._places.bare()
        if started("db", "restore", str(self._backup), "--database-url", url).wait() != 0:
            self.wrong.append("the last backup is not restored")
        database = Database(url)
        with database.reading("one") as session:
            self.in_the_middle["solves in the backup"] = len(open_solves(session))
        with service(url, workers=self._places.workers):
            left = _wait(lambda: _unfinished(database))
        self._require_whole(database, "the last backup")
        database.close()
        return left

    def _kill(self, moment: str, has_come: Callable[[], bool], longest_s: float) -> None:
        last_s = time.monotonic() + WAITED_S
        while not (came := has_come()) and time.monotonic() < last_s:
            time.sleep(0.02)
        self.in_the_middle[moment] += came
        time.sleep(self._draw.uniform(0.0, longest_s))
        delivers = moment == "delivering"
        self.service.kill("web" if delivers else self._draw.choice(list(self.service.processes)), moment)

    def _searching(self) -> bool:
        with self._database.reading("one") as session:
            return any(
                one.state is not SolveState.QUEUED for _, one in solves_before(session, None, 5) if not one.state.ended
            )

    def _delivering(self) -> bool:
        self._came.latest.clear()
        return self._came.latest.wait(0.5)

    def _migrating(self) -> None:
        older = self._draw.choice(revisions()[:-1])
        url = self._places.new(older)
        database = Database(url)
        made = firm((person("ann"),), tuple(task(f"t{i}", assignee="ann", due=30 + i) for i in range(30)))
        create_firm(database, "one", made, now=datetime.now(UTC), actor="benchmark")
        with Turns(database).turn("one", now=datetime.now(UTC), actor="benchmark") as turn:
            turn.place(task("placed", due=90))
        database.close()
        self._kill_while_writing("migrating", url, "db", "migrate", "--database-url", url)
        if revision_of(database) not in (older, head()):
            self.wrong.append(f"a killed migration leaves {revision_of(database)}")
        database.close()
        if self._places.server is None:  # which serving brings up to date
            with service(url, workers=0) as again:
                self.service.ready_s += again.ready_s
                self.service.ready_cpu_s += again.ready_cpu_s
        elif started("db", "migrate", "--database-url", url).wait() != 0:
            self.wrong.append("a killed migration cannot be repeated")
        self._require_whole(database, f"a database migrated from {older}")
        database.close()
        self._places.drop(url)

    def _restoring(self) -> None:
        back_up(self._database, self._backup, now=datetime.now(UTC))
        url = self._places.bare()
        command = ("db", "restore", str(self._backup), "--database-url", url)
        self._kill_while_writing("restoring", url, *command)
        database = Database(url)
        there = revision_of(database) is not None and bool(database.firm_ids())
        again = ("db", "migrate", "--database-url", url) if there else command
        if started(*again).wait() != 0:
            self.wrong.append("a killed restore cannot be repeated")
        self._require_whole(database, "a restored database")
        database.close()
        self._places.drop(url)

    def _kill_while_writing(self, moment: str, url: str, *command: str) -> None:
        process = started(*command)
        while process.poll() is None and not self._places.written(url):
            time.sleep(0.005)
        time.sleep(self._draw.uniform(0.0, OPEN_S))
        self.in_the_middle[moment] += process.poll() is None
        killed(process)
        self.service.killed[moment] += 1

    def _require_whole(self, database: Database, what: str) -> None:
        found = check(database)
        with database.reading("one") as session:
            chain, made = verify(session), load_firm(session)
        if not found.ready or chain.broken is not None or not made.tasks or chain.entries == 0:
            self.wrong.append(f"{what} is not whole: {found}, {chain}")


def _unfinished(database: Database) -> int:
    """Return how many solves and messages there are still to be done."""
    with database.reading("one") as session:
        waiting = session.scalars(select(OutboxRecord.number).where(OutboxRecord.delivered_at.is_(None))).all()
        sent = session.scalars(select(DeliveryRecord.number).where(DeliveryRecord.status == "pending")).all()
        return len(open_solves(session)) + len(waiting) + len(sent)


def _wait(left: Callable[[], int]) -> int:
    last_s = time.monotonic() + ENDED_S
    while (count := left()) and time.monotonic() < last_s:
        time.sleep(0.5)
    return count


def _checked(database: Database, client: Client, came: Came) -> dict[str, Any]:
    with database.reading("one") as session:
        made, chain = load_firm(session), verify(session)
        ids = Counter(one.id for one in made.tasks if one.id.startswith("placed-"))
        decided = Counter(session.scalars(select(DecisionRecord.task).where(DecisionRecord.outcome == "placed")))
        step = max(chain.entries // 100, 1)
        different = [n for n in range(1, chain.entries + 1, step) if not replay(session, n).same]
        solves = [one for _, one in solves_before(session, None, 1_000)]
        moves = Counter(
            move.task
            for one in proposals_after(session, WantedProposals(waiting=True), None, 1_000)
            for move in one.proposal.moves
        )
        said = {
            Message(one.firm_id, one.number, one.topic, one.document, one.at).id
            for one in session.scalars(select(DeliveryRecord)).all()
        }
        asked_twice = sum(one.kind is SolveKind.ON_DEMAND for one in solves) - len(client.solves)
    return {
        "lost": len(set(client.placed) - set(ids)),
        "twice": sum(count > 1 for id, count in decided.items() if str(id).startswith("placed-")) + asked_twice,
        "chain_broken": chain.broken is not None,
        "replayed_differently": len(different),
        "solves": len(solves),
        "done": sum(one.state is SolveState.DONE for one in solves),
        "failed": sum(one.state is SolveState.FAILED for one in solves),
        "taken_over": sum(one.attempts > 1 for one in solves),
        "proposed_twice": sum(count > 1 for count in moves.values()),
        "messages": len(said),
        "messages_lost": len(said - set(came.bodies)),
        "messages_unlike": came.different,
        "messages_unknown": len(set(came.bodies) - said),
    }


def _tell(
    asked: argparse.Namespace, found: Mapping[str, Any], rounds: Rounds, client: Client, came: Came, spent_s: float
) -> None:
    made = rounds.service
    figures = {
        "database": asked.database,
        "kills": sum(made.killed.values()),
        "killed": dict(sorted(made.killed.items())),
        "in_the_middle": dict(sorted(rounds.in_the_middle.items())),
        "placed": len(client.placed),
        "asked_again": client.again,
        **found,
        "messages_again": came.again,
        "wrong": rounds.wrong,
        "ready_median_s": round(statistics.median(made.ready_s), 2),
        "ready_max_s": round(max(made.ready_s), 2),
        "ready_cpu_median_s": round(statistics.median(made.ready_cpu_s), 2),
        "ready_cpu_max_s": round(max(made.ready_cpu_s), 2),
        "spent_s": round(spent_s),
    }
    print(", ".join(f"{name} {value}" for name, value in figures.items()), flush=True)
    record("killing", **figures)
    wrong = (
        *("lost", "twice", "chain_broken", "replayed_differently", "failed", "unfinished", "proposed_twice", "wrong"),
        *("messages_lost", "messages_unlike", "messages_unknown", "backup_unfinished"),
    )
    if any(figures[name] for name in wrong):
        sys.exit("something is lost, twice or not finished")


@contextmanager
def places_of(kind: str) -> Iterator[Places]:
    """Give where databases of a kind are made; they are gone afterwards."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".killing-")))
        yield Places(folder, stack.enter_context(running()) if kind == "postgresql" else None)


if __name__ == "__main__":
    main()
