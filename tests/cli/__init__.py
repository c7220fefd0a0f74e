"""The command line's own parts, at a real pseudo-terminal where that matters."""
