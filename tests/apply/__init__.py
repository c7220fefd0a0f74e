"""Tests of the executor, against a real sandbox."""
