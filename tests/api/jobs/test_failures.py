"""A database that goes away and comes back under a worker and what delivers: both go on by themselves."""

from __future__ import annotations

import time
from contextlib import ExitStack, closing
from datetime import timedelta
from threading import Event

from api.delivery.delivering import Post
from api.delivery.rounds import Rounds
from api.delivery.webhooks import register
from api.sealing import Seal, new_key
from api.store.database import Database
from api.store.solve_states import SolveState
from tests.api.delivery.receiving import receiver
from tests.api.jobs.solving import LONG, LONG_S, NOW, Solving, until
from tests.firms_for_tests import task
from tests.postgres_for_tests import APPLICATION, Server


def test_a_database_that_was_away_in_the_middle_of_a_search_and_of_deliveries_is_worked_with_again(
    server: Server,
) -> None:
    url = server.migrated(user=APPLICATION)
    database, came = Database(url), Event()
    solving, seal, begun_s = Solving(database), Seal([new_key()]), time.monotonic()
    solving.start("long", LONG, firm="hard")
    with closing(database), receiver() as there, solving.worker(), ExitStack() as stack:
        there.answers = lambda _: (came.set() or 200, {})  # type: ignore[func-returns-value]
        post = Post(solving.turns, seal, private=True)
        rounds = Rounds(post, now=lambda: NOW + timedelta(seconds=time.monotonic() - begun_s), every_s=0.05)
        rounds.start()
        stack.callback(rounds.stop)
        until(lambda: solving.solve("long", "hard").objective_min is not None)
        server.crash()
        try:
            rounds._thread.join(1.0)  # some rounds, beats and looks with nobody there
        finally:
            server.start()
        spent_s = solving.solve("long", "hard").spent_s
        until(lambda: solving.solve("long", "hard").spent_s > spent_s)
        assert solving.solve("long", "hard").attempts == 1
        with solving.turns.turn("one", now=NOW, actor="test") as turn:
            register(turn, there.url, topics=("task.*",), label="", seal=seal)
            turn.place(task("after", due=9))
        assert came.wait(LONG_S)
        solving.cancel("long", "hard")
        assert solving.ended("long", "hard").state is SolveState.CANCELLED
        solving.start("after")
        assert solving.ended("after").state is SolveState.DONE
        # What the last solve gave to people is told as well, sooner or later.
        assert (there.topics[0], there.topics.count("task.placed")) == ("task.placed", 1)
    solving.whole()
    solving.close()
    database.close()
    server.drop(url)
