"""The store: firms with their history, the firm's turn, the decision log; embedded or on PostgreSQL.

database = Database("sqlite:///evenhand.db")
migrate(database)
create_firm(database, "reyes", firm, now=datetime.now(UTC), actor="setup")
turns = Turns(database)
with turns.turn("reyes", now=datetime.now(UTC), actor="token-7") as turn:
    decided = turn.place(task)
"""

from api.store.database import Database, Limits
from api.store.deciding import Decided
from api.store.loading import firm_at, load_firm
from api.store.log import By, Entry, EntryKind, entries_of, read, verify
from api.store.migrating import check, migrate
from api.store.pricing import Prices, prices_of
from api.store.refusals import Busy, Changed, NotFound, Taken, Unreadable
from api.store.replaying import Replayed, replay
from api.store.saving import create_firm
from api.store.sharing import Sharing
from api.store.turn import Turn
from api.store.turns import Turns, View

__all__ = [
    "Busy",
    "By",
    "Changed",
    "Database",
    "Decided",
    "Entry",
    "EntryKind",
    "Limits",
    "NotFound",
    "Prices",
    "Replayed",
    "Sharing",
    "Taken",
    "Turn",
    "Turns",
    "Unreadable",
    "View",
    "check",
    "create_firm",
    "entries_of",
    "firm_at",
    "load_firm",
    "migrate",
    "prices_of",
    "read",
    "replay",
    "verify",
]
