"""The HTTP API: one router per resource; who may what, problems, conditions and limits beside them."""
