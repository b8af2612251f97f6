"""What a user could pick instead of our solver, on the same problems, cores and time; see docs/peers.md for how each is modelled."""

from __future__ import annotations

import time

STARTED_S = time.monotonic()
"""When this process began: read before a peer's own imports, so that its clock counts them."""
