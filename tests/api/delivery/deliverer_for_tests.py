"""A process that delivers for firm ``one`` once, and is killed while it does: ``python -m ... URL KEY NOW``."""

from __future__ import annotations

import sys
from datetime import datetime

from api.delivery.delivering import Post, deliver_all
from api.sealing import Seal
from api.store.database import Database
from api.store.turns import Turns


def main(url: str, key: str, now: str) -> None:
    post = Post(Turns(Database(url)), Seal([key]), private=True)
    print(deliver_all(post, "one", now=datetime.fromisoformat(now)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
