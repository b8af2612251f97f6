"""Measurements of the engine: against published instances, the routing rule, and the clock."""
