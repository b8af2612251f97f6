"""Property tests try the same examples every time, so that a red run is the change's own doing and can be repeated anywhere.

New examples are tried with ``pytest --hypothesis-profile=explore``; what they find becomes a fix and an example beside the property.
"""

from hypothesis import settings

settings.register_profile("repeatable", derandomize=True)
settings.register_profile("explore", print_blob=True)
settings.load_profile("repeatable")
