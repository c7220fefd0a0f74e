"""A thousand entries, with an allowance that does not cover them at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.project import entry, spec

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.project import Project

NAMES = [f"ci-{number:04}" for number in range(1000)]


@pytest.mark.timeout(110)
def test_a_thousand_entries(make_project: Callable[..., Project]) -> None:
    """A thousand entries are applied without a failure although the allowance runs out, and nothing is left to do."""
    project = make_project(limit=1000, window=2)
    project.write(spec({name: entry(f"out/{name}") for name in NAMES}))
    told = project.plan()
    assert told["requests"]["apply"] == 1 + 2 * 1000

    data = project.apply()

    assert {result["status"] for result in data["results"]} == {"done"}
    assert len(data["results"]) == len(project.sandbox.tokens()) == 1000
    refused = [request for request in project.sandbox.requests() if request["status"] == 429]
    assert len(project.sandbox.requests()) - len(refused) == 2 * told["requests"]["spent"] + told["requests"]["apply"]
    assert len({project.secret(f"out/{name}") for name in NAMES}) == 1000
    assert all(project.sandbox.authenticates(project.secret(f"out/{name}")) for name in NAMES[::50])
    again = project.plan("--detailed-exitcode")
    assert again["requests"]["spent"] == 10
