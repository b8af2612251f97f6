"""Timefold Solver, open edition, in Java: out of the box, and as an expert would write it."""
