"""Everything that touches the outside: files, the command line, reports. Knows the solver and the scenarios."""
