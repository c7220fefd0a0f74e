"""The lifecycle and the diff: pure functions, no I/O, no clock of their own, no randomness."""
