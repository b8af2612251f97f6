"""What each command of the command line does; `api.cli` only declares their options."""
