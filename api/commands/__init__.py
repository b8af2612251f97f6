"""One module per family of commands; each loads its libraries when it is called."""
