"""Tests of what is said to a CI runner."""
