"""In the action the runner is told to mask a lease's secret before anybody gets it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.breaking import Breaking
from tooken_ci.ci import github
from tooken_ci.cli.program import run
from tooken_ci.destinations.job import JobDestination

if TYPE_CHECKING:
    from tests.cli.breaking import Stage
    from tooken_ci.base.secret import Secret


@pytest.fixture
def _in_the_action(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "GITHUB_ACTIONS": "true",
        "TOOKEN_CI_ACTION": "1",
        "GITHUB_WORKSPACE": str(stage.project.folder),
    }.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("_in_the_action")
def test_it_is_masked_before_it_is_handed_over(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the moment at which the secret is written, the command that masks it has been printed, and nothing else."""
    seen: list[tuple[str, str]] = []
    write = JobDestination.write

    def written(self: JobDestination, secret: Secret) -> None:
        seen.append((stage.captured.readouterr().err, secret.reveal()))
        write(self, secret)

    monkeypatch.setattr(JobDestination, "write", written)
    stage.prepare()
    assert run(("lease", "lease")) == 0
    ((told, secret),) = seen
    lines = told.strip().splitlines()
    assert lines[0] == f"::add-mask::{secret}"
    assert all(line.startswith("::add-mask::") for line in lines)
    assert (stage.project.folder / "out/lease").read_text(encoding="utf-8") == secret


@pytest.mark.usefixtures("_in_the_action")
def test_what_cannot_be_masked_is_handed_to_nobody(stage: Stage) -> None:
    """Where the masking itself meets a fault, nothing is written, and the token is revoked."""
    stage.prepare()
    before = stage.leases()
    breaking = Breaking(github.masks, stage.secret, at=1)
    assert stage.comes_to_harm([(github, "masks")], breaking, "lease", "lease")
    assert not (stage.project.folder / "out/lease").exists()
    assert stage.leases() == before
