"""Property tests try the same examples every time, so that a red run is the change's own doing and can be repeated anywhere.

Nor does it depend on how busy the machine is: no example has a deadline, and how long examples take to draw is nobody's business.

New examples are tried with ``pytest --hypothesis-profile=explore``; what they find becomes a fix and an example beside the property.
"""

import os

from hypothesis import HealthCheck, settings

# Read when numpy is loaded, by this process and those it starts. The matrices of a firm are small: threads that wait for each other
# on a few cores, beside a test on each of them, make learning from a year of time sheets five times as dear.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

settings.register_profile("repeatable", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", print_blob=True, deadline=None)
settings.load_profile("repeatable")
