"""Fixtures: projects, as the tests of the whole command have them."""

from __future__ import annotations

from tests.e2e.conftest import project

__all__ = ["project"]
