"""What every test stands on: the same examples, and as much time as they take.

Property tests try the same examples every time, so that a red run is the change's own doing and can be repeated anywhere. New examples
are tried with ``pytest --hypothesis-profile=explore``; what they find becomes a fix and an example beside the property.

Nothing depends on how busy the machine is: no example has a deadline, how long examples take to draw is nobody's business, and branch
and bound ends by its nodes.
"""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# Read when numpy is loaded, by this process and those it starts. The matrices of a firm are small: threads that wait for each other
# on a few cores, beside a test on each of them, make learning from a year of time sheets five times as dear.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

settings.register_profile("repeatable", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", print_blob=True, deadline=None)
settings.load_profile("repeatable")


@pytest.fixture(scope="session", autouse=True)
def unhurried() -> Iterator[None]:
    """A solve of one second takes ten beside enough others, and the clock that is for hung machines would change its plan."""
    from solver import integer_program  # numpy with it: not before it is said above how many threads it has

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(integer_program, "SAFETY_S", 3_600.0)
        yield
