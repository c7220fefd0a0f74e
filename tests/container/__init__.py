"""Tests of the image and of the action, run for real."""
