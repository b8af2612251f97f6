"""Synthetic firms and, later, what-if scenarios. Knows the solver and nothing else."""
