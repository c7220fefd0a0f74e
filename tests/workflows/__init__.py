"""Tests of workflows: the examples for users, and those of this repository."""
