"""The queues of solves and of runs, in the same database as everything else: what waits is committed with the row that says so.

Our own rows are the truth: what they say is open and the queue does not know, as after a restored backup, is put into it again.
Every step of a solve may be begun again, so a job may be as well.

Each firm is a partition of the queue: one of its solves runs at a time, and a worker that is free takes the next one of a firm drawn by
lot, so that a firm with a thousand solves waits for itself only. Arguments are ids; what they mean stands in our own tables.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence

from dbos import DBOS, DBOSClient, DBOSPortableJSONSerializer, EnqueueOptions
from sqlalchemy.orm import Session

from api.jobs.asks import RunAsk
from api.jobs.kinds import engine, kind_of
from api.store.database import Database
from api.store.log import canonical
from api.store.run_states import Run
from api.store.runs import NewRun, number_of, start_run
from api.store.scenarios import without_names_in
from api.store.solve_states import SolveAsk, SolveKind
from api.store.solves import open_solves, start_solve
from api.store.turn import Turn
from api.store.turns import Turns

APPLICATION = "evenhand"
VERSION = "evenhand-1"
"""Of the workflows, pinned by hand: work that waits or was interrupted is done by whatever version of Evenhand runs. Changed only where
a workflow's steps change in a way that old work cannot follow (docs/decisions/0015-jobs.md)."""
SCHEMA = "jobs"
"""Where the queue's own tables are on PostgreSQL; on SQLite they stand beside ours."""
SOLVES = "solves"
SOLVE = "solve"
POINTS = "points"
"""The queue of runs: each workflow does some points of one."""
DO_POINTS = "do points"
BEGIN = "begin"
"""The portion that begins a run; the others are named by stage and place."""
ENDED = ("SUCCESS", "CANCELLED")
"""What the queue calls jobs that nobody does any more, but for those that failed."""
POLL_S = 0.5
"""Seconds between two looks of a worker at the queue; a worker that is free waits half of it on average."""


def url_of(database: Database) -> str:
    """Return the URL of the database, as the queue takes it."""
    return database.url.render_as_string(hide_password=False)


def prepare(database: Database) -> None:
    """Make the queue's tables, or bring them up to date, and register the queue; nothing happens where all is there.

    On PostgreSQL this is done by whoever may change the schema, as migrations are.
    """
    logging.getLogger("dbos").setLevel(logging.WARNING)
    DBOS.migrate(url_of(database), schema=SCHEMA)
    client = _client(database)
    client.register_queue(SOLVES, worker_concurrency=1, partition_concurrency=1, polling_interval_sec=POLL_S)
    # Many workers share a firm's run; each does one stretch of points at a time.
    client.register_queue(POINTS, worker_concurrency=1, partition_worker_concurrency=1, polling_interval_sec=POLL_S)
    client.destroy()


def workflow_id(firm: str, id: str) -> str:
    """Return the id of the workflow that does a solve; ids of firms have no slash in them."""
    return f"{firm}/{id}"


def solve_of(workflow: str) -> tuple[str, str]:
    """Return firm and solve, or firm and run, of a workflow."""
    firm, id = workflow.split("/")[:2]
    return firm, id


def portion_id(firm: str, id: str, portion: str) -> str:
    """Return the id of the workflow that does a portion of a run."""
    return f"{firm}/{id}/{portion}"


class Jobs:
    """A process that asks for jobs, and does none by that.

    Attributes
    ----------
    client
        The queue itself.
    """

    def __init__(self, database: Database) -> None:
        self.client = _client(database)

    def start(
        self,
        turn: Turn,
        id: str,
        ask: SolveAsk,
        *,
        kind: SolveKind = SolveKind.ON_DEMAND,
        most_waiting: int | None = None,
    ) -> None:
        """Ask for a solve; once the turn is committed a worker does it, and nothing is left of it otherwise.

        Raises
        ------
        QueueFull
            Too many of the firm's solves wait already.
        """
        number = start_solve(turn, id, ask, kind=kind, most_waiting=most_waiting)
        with turn.whole():
            turn.draft.write()
            self._enqueue(turn.session, turn.firm, id, number, again=False)

    def put_back(self, turns: Turns, firm: str) -> list[str]:
        """Put every open solve of a firm that the queue does not know, or takes for ended, into it again; return which.

        What the queue says has failed is left: a worker says so of the solve (`api.jobs.worker`).
        """
        with turns.database.reading(firm) as session:
            ids = [workflow_id(firm, id) for id, _ in open_solves(session)]
        if not ids:
            return []
        jobs = self.client.list_workflows(workflow_ids=ids, load_input=False, load_output=False)
        known = {one.workflow_id for one in jobs if one.status not in ENDED}
        return self.begin_again(turns, firm, [solve_of(id)[1] for id in ids if id not in known])

    def begin_again(self, turns: Turns, firm: str, wanted: Collection[str]) -> list[str]:
        """Drop the jobs of solves, whatever the queue says of them, and put those that are open into it anew; return which."""
        if not wanted:
            return []
        self.client.delete_workflows([workflow_id(firm, id) for id in wanted])
        with turns.beside(firm) as session:
            found = [(id, number) for id, number in open_solves(session) if id in wanted]
            for id, number in found:
                self._enqueue(session, firm, id, number, again=True)
        return [id for id, _ in found]

    def _enqueue(self, session: Session, firm: str, id: str, number: int, *, again: bool) -> None:
        options: EnqueueOptions = {
            "workflow_name": SOLVE,
            "queue_name": SOLVES,
            "workflow_id": workflow_id(firm, id),
            "queue_partition_key": firm,
            "priority": number,  # in the order in which they were asked for
            "workflow_id_reuse_policy": "return-existing" if again else "reject",
        }
        self.client.enqueue_in_transaction(session, options, firm, id)

    def start_run(
        self, turn: Turn, id: str, ask: RunAsk, *, scenario: str | None = None, most_waiting: int | None = None
    ) -> Run:
        """Ask for a run; once the turn is committed workers do it, and nothing is left of it otherwise.

        Parameters
        ----------
        ask
            Of one of the kinds in `api.jobs.kinds`, such as `api.jobs.asks.WhatIfAsk`; names in it are replaced by ids.
        scenario
            Id of the kept scenario that it belongs to.

        Raises
        ------
        Refused
            The ask is of no kind, or a point of it cannot be; whether changes can be made to the firm is found out by its points.
        NotFound
            The firm has no such scenario.
        QueueFull
            Too many of the firm's runs wait already.
        """
        kind = kind_of(ask)
        document = without_names_in(turn.session, ask.model_dump(mode="json"))
        new = NewRun(kind.name, canonical(document), kind.points(ask), engine())
        run = start_run(turn, id, new, scenario=scenario, most_waiting=most_waiting)
        if not run.state.ended:
            with turn.whole():
                turn.draft.write()
                self.enqueue_points(turn.session, turn.firm, id, BEGIN, ())
        return run

    def enqueue_points(self, session: Session, firm: str, id: str, portion: str, numbers: Sequence[int]) -> None:
        """Let a portion of a run's points wait for a worker, in the session's transaction; one that waits or is done stays as it is."""
        options: EnqueueOptions = {
            "workflow_name": DO_POINTS,
            "queue_name": POINTS,
            "workflow_id": portion_id(firm, id, portion),
            "queue_partition_key": firm,
            "priority": number_of(session, id),  # in the order in which runs were asked for
        }
        self.client.enqueue_in_transaction(session, options, firm, id, portion, list(numbers))

    def points_again(self, turns: Turns, job: str) -> None:
        """Drop the job of a portion of a run, whatever the queue says of it, and put it in anew; points that are finished stay so."""
        (known,) = self.client.list_workflows(workflow_ids=[job], load_output=False)
        firm, id, portion, numbers = known.input["args"] if known.input else ("", "", "", ())
        self.client.delete_workflows([job])
        with turns.beside(firm) as session:
            self.enqueue_points(session, firm, id, portion, numbers)

    def drop_points(self, firm: str, id: str) -> None:
        """Let nothing of a run that has ended wait any more."""
        waiting = self.client.list_workflows(
            status="ENQUEUED", workflow_id_prefix=portion_id(firm, id, ""), load_input=False, load_output=False
        )
        if waiting:
            self.client.cancel_workflows([one.workflow_id for one in waiting])

    def close(self) -> None:
        """Let go of the queue; the connections are the database's."""
        self.client.destroy()


def _client(database: Database) -> DBOSClient:
    return DBOSClient(
        system_database_engine=database.writer,
        dbos_system_schema=SCHEMA,
        serializer=DBOSPortableJSONSerializer(),
        application_name=APPLICATION,
        lazy=True,
        retry_connection_errors=False,
    )
