"""The proof that a run may be killed anywhere: every request and every write of a run, each spoiled in every way."""
