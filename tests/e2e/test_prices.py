"""The plan tells what apply will cost, and that is what the server counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.project import entry, spec

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.project import Project

SCOPES = ["tokens:read", "audit:read"]


def _pay(project: Project) -> dict[str, Any]:
    """Plans and applies; the plan's price must be what the server then counts."""
    told = project.plan()["requests"]
    project.sandbox.clear_requests()
    data: dict[str, Any] = project.apply()
    sent = len(project.sandbox.requests())
    assert sent == data["requests"]["spent"] + told["apply"]
    assert data["requests"]["apply"] == told["apply"] <= told["at_most"]
    return data


@pytest.mark.parametrize("unmanaged", [0, 250])
def test_every_kind_of_action(make_project: Callable[..., Project], unmanaged: int) -> None:
    """Create, replace, redeliver, absent and prune, alone and together, cost exactly what the plan told."""
    project = make_project(seed=unmanaged, revoked_names="free")
    tokens = {f"ci-{number}": entry(f"ci-{number}") for number in range(8)}
    project.write(spec(tokens))
    assert _pay(project)["requests"]["apply"] == 1 + 2 * 8

    tokens["ci-1"] = entry("ci-1", scopes=SCOPES)
    project.write(spec(tokens))
    assert _pay(project)["requests"]["apply"] == 2 + 4

    del tokens["ci-2"]
    project.write(spec(tokens, absent=["ci-2"]))
    assert _pay(project)["requests"]["apply"] == 1 + 2

    del tokens["ci-3"]
    tokens |= {
        "ci-0": entry("ci-0", scopes=SCOPES),
        "ci-4": entry("ci-4", "copy/ci-4"),
        "ci-5": entry("ci-5", scopes=SCOPES, rotation={"overlap": "1h"}),
        "new": entry("new"),
    }
    project.write(spec(tokens, prune=["ci-*"]))
    summary = _pay(project)["summary"]
    assert [summary[kind] for kind in ("create", "replace", "redeliver", "revoke")] == [1, 2, 1, 2]
    project.plan("--detailed-exitcode", code=0)


def test_a_look_up_of_many_pages(project: Project) -> None:
    """A look-up by a name that stands in more than a hundred other names costs a request for each page."""
    for number in range(120):
        project.sandbox.create(f"legacy CI {number}")
    project.write(spec({"ci": entry("ci")}))
    _pay(project)
    project.write(spec({"ci": entry("ci", scopes=SCOPES)}))
    assert _pay(project)["requests"]["apply"] == 2 + 2 + 2 + 1


def test_nothing_to_do_is_free(project: Project) -> None:
    """An apply that finds nothing to do sends nothing but what the plan takes."""
    project.write(spec({"ci": entry("ci")}))
    project.apply()
    assert _pay(project)["requests"] == {"spent": 1, "apply": 0, "at_most": 0, "seconds": 0}
