"""The action, used as a workflow uses it: the job of .github/workflows/test.yml, run by nektos/act."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.container.conftest import Lab

pytestmark = [pytest.mark.container, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def log(lab: Lab, service: None) -> str:
    """Run the job, whose own steps check the outputs and the failures, and give its log."""
    job = ("--workflows", ".github/workflows/test.yml", "--job", "action")
    result = lab.run("act", "workflow_dispatch", *job, "--rebuild=false")  # the first step builds the image for all
    assert result.returncode == 0, result.stdout
    return result.stdout


def test_the_job_succeeds(log: str) -> None:
    """The outputs are as the job expects them, and every step that checks them was run."""
    checks = ("The plan is in the outputs", "What was done is in the outputs", "Nothing is left to do")
    for name in (*checks, "Changes are a failure there", "It failed", "It was refused"):
        assert re.search(rf"Success - Main {name}\b", log), name


def test_a_wrong_key_is_annotated(log: str) -> None:
    """A wrong key fails its step with an error annotation that says what to look at."""
    step = log.partition("Run Main Plan with a wrong key")[2].partition("Run Main It failed")[0]
    assert "Failure - Main Plan with a wrong key" in step
    annotation = re.search(r"::error[^\n]*", step)
    assert annotation, step
    assert re.search(r"401|unauthorized|key", annotation[0], re.IGNORECASE)


def test_what_people_look_at(log: str) -> None:
    """Each plan is a group of the log under its totals, closed again, and each step adds to its summary."""
    step = log.partition("Run Main Plan\n")[2].partition("Success - Main Plan")[0]
    opened, _, rest = step.partition("::group::Workspace 'sandbox': 2 to create")
    assert "::group::" not in opened
    assert "create ci-deploy" in rest.partition("::endgroup::")[0]
    used = ("Plan", "Plan as a check for drift", "Apply", "Plan again", "Plan with a wrong key")
    for name in used:
        after = re.split(rf"(?:Success|Failure) - Main {name} \[", log)[1].partition("⭐ Run")[0]
        assert re.search(r"Summary - \s*## tooken-ci", after), name


def test_no_key_in_the_log(log: str) -> None:
    """No key and no new secret stands in the log; the runner is told of no more than what later steps can read."""
    assert not re.search(r"tok_[\w-]{32,}", log)
