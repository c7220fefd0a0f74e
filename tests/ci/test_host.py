from __future__ import annotations

from pathlib import Path

import pytest

from tooken_ci.ci.host import Host, HostKind, detect

GITHUB = {"GITHUB_ACTIONS": "true", "CI": "true"}


@pytest.mark.parametrize(
    ("environ", "kind", "in_ci"),
    [
        ({}, HostKind.PERSON, False),
        ({"CI": ""}, HostKind.PERSON, False),
        ({"CI": "false"}, HostKind.PERSON, False),
        ({"CI": "False"}, HostKind.PERSON, False),
        ({"CI": "0"}, HostKind.PERSON, False),
        ({"CI": "true"}, HostKind.OTHER_CI, True),
        ({"CI": "1"}, HostKind.OTHER_CI, True),
        ({"CI": "woodpecker"}, HostKind.OTHER_CI, True),
        (GITHUB, HostKind.GITHUB, True),
        ({"GITHUB_ACTIONS": "false"}, HostKind.PERSON, False),
        ({"GITHUB_WORKSPACE": "/w"}, HostKind.PERSON, False),
        ({"GITLAB_CI": "true", "CI": "true"}, HostKind.GITLAB, True),
    ],
)
def test_who_started_it(environ: dict[str, str], kind: HostKind, *, in_ci: bool) -> None:
    """The runner is known by the variables that it documents; without them it is a person."""
    host = detect(environ)
    assert host.kind is kind
    assert host.in_ci is in_ci


def test_in_the_action() -> None:
    """In the action's container the workspace is the only folder that stays, and outputs have a file."""
    files = {"GITHUB_OUTPUT": "/out", "GITHUB_ENV": "/env", "GITHUB_STATE": "/state"}
    files["GITHUB_STEP_SUMMARY"] = "/summary"
    environ = GITHUB | files | {"TOOKEN_CI_ACTION": "1", "GITHUB_WORKSPACE": "/github/workspace"}
    assert detect(environ) == Host(
        kind=HostKind.GITHUB,
        workspace=Path("/github/workspace"),
        repository=Path("/github/workspace"),
        output_file=Path("/out"),
        env_file=Path("/env"),
        state_file=Path("/state"),
        summary_file=Path("/summary"),
        masks=True,
    )


@pytest.mark.parametrize("more", [{}, {"TOOKEN_CI_ACTION": "1"}, {"GITHUB_WORKSPACE": "/w"}, {"GITHUB_OUTPUT": ""}])
def test_in_a_step_of_its_own(more: dict[str, str]) -> None:
    """Without the action, or without the runner's variables, there is no such limit and no such file."""
    host = detect(GITHUB | more)
    assert host.workspace is None
    assert host.output_file is None
