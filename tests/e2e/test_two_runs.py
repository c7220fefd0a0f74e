"""Two runs at once on the same spec and folder: no dead secret, and one generation in the end."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.e2e.project import entry, names, spec
from tests.e2e.watch import Watcher

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.project import Project

NAMES = ("ci", "bot", "web")
OLD = spec({name: entry(f"out/{name}") for name in NAMES})
NEW = spec({name: entry(f"out/{name}", scopes=["audit:read"]) for name in NAMES})


def _two_at_once(project: Project, *options: str) -> set[int]:
    """Applies twice at the same time, while a consumer of each file looks on."""
    with ExitStack() as consumers:
        watchers = [consumers.enter_context(Watcher(project.sandbox, project.folder / "out" / name)) for name in NAMES]
        both = [project.start("apply", *options), project.start("apply", *options)]
        codes = [project.end(running).code for running in both]
    assert [watcher.dead for watcher in watchers] == [[], [], []]
    project.secrets.update(*(watcher.seen for watcher in watchers))
    return set(codes)


@pytest.mark.parametrize(("latency_ms", "revoked_names"), [(0, "reserved"), (40, "free")])
def test_two_runs_at_once(make_project: Callable[..., Project], latency_ms: int, revoked_names: str) -> None:
    """Two applies at once leave every file with a living secret, and one further apply leaves nothing to do."""
    project = make_project(latency_ms=latency_ms, revoked_names=revoked_names)
    for wanted in (OLD, NEW):
        project.write(wanted)
        assert _two_at_once(project, "--deadline", "40s") <= {0, 1, 3}
        project.sandbox.advance(240)
        project.apply()
        project.converge()
        assert [name.split(".")[0] for name in names(project.sandbox)] == sorted(NAMES)
        assert all(project.sandbox.authenticates(project.secret(f"out/{name}")) for name in NAMES)


def test_two_runs_that_wait_for_each_other(make_project: Callable[..., Project]) -> None:
    """With time to wait both of two applies at once end well, and leave nothing to do."""
    project = make_project(latency_ms=20)
    for wanted in (OLD, NEW):
        project.write(wanted)
        assert _two_at_once(project, "--busy-grace", "20s") == {0}
        project.converge()
        assert all(project.sandbox.authenticates(project.secret(f"out/{name}")) for name in NAMES)
