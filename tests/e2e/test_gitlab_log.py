"""What a job at GitLab shows and leaves: sections of its log, and the files that GitLab reads as reports."""

from __future__ import annotations

import json
import signal
import subprocess
from typing import TYPE_CHECKING, Any

from tests.ci.test_gitlab_reports import DOCUMENTED
from tests.e2e.held import CREATION, hold, wait_for
from tests.e2e.project import TIMEOUT, command, entry, spec
from tests.e2e.stopped import MANY
from tests.support.runner import folded

if TYPE_CHECKING:
    from tests.e2e.project import Project

REPORTS = {"TOOKEN_TERRAFORM_REPORT": "terraform.json", "TOOKEN_CODEQUALITY_REPORT": "codequality.json"}
ONE = spec({"ci": entry("out/ci", deliver=[{"file": {"path": "out/ci", "persistent": True}}])})
GITLAB = {"GITLAB_CI": "true", "CI": "true", **REPORTS}


def start(project: Project, *arguments: str, **env: str) -> subprocess.Popen[bytes]:
    """Starts the command as GitLab's runner does; ``log`` gives what it read, byte by byte."""
    environment = project.environment({**GITLAB, "CI_PROJECT_DIR": str(project.folder), **env})
    pipes: Any = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return subprocess.Popen([*command(), *arguments], cwd=project.folder, env=environment, **pipes)


def log(project: Project, running: subprocess.Popen[bytes], *, code: int = 0) -> str:
    """The job's log once it has ended, in which no secret shows."""
    told, _ = running.communicate(timeout=TIMEOUT)
    project.scan({"the log": told})
    assert running.returncode == code, told.decode()
    return told.decode()


def reports(project: Project) -> tuple[Any, Any]:
    """What both files say; each is one that anybody may read."""
    texts = []
    for name in REPORTS.values():
        path = project.folder / name
        assert path.stat().st_mode & 0o777 == 0o644
        texts.append(json.loads(path.read_text(encoding="utf-8")))
    DOCUMENTED.validate(texts[1])
    return texts[0], texts[1]


def test_a_plan_and_an_apply(project: Project) -> None:
    """The plan has a section and its counts, apply one more section; nothing is wrong, so no finding is told."""
    project.write(ONE)
    assert len(folded(log(project, start(project, "plan")))) == 1
    assert reports(project) == ({"create": 1, "update": 0, "delete": 0}, [])
    assert len(folded(log(project, start(project, "apply")))) == 2
    assert reports(project) == ({"create": 1, "update": 0, "delete": 0}, [])


def test_a_spec_that_is_not_valid(still_project: Project) -> None:
    """Each fault is a finding on its line of the file as the repository names it, and the widget tells of no counts."""
    folder = still_project.folder / "tokens"
    folder.mkdir()
    still_project.write(
        "version: 1\ntokens:\n  ci:\n    scopes: [tokens:raed]\n    expires: 90d\n", "tokens/tooken.yml"
    )
    log(still_project, start(still_project, "validate", "--spec", "tokens"), code=2)
    counts, findings = reports(still_project)
    assert counts == {"failure": "spec_invalid"}
    assert {finding["location"]["path"] for finding in findings} == {"tokens/tooken.yml"}
    assert {finding["location"]["lines"]["begin"] for finding in findings} >= {4, 5}


def test_a_breach_of_the_policy(still_project: Project) -> None:
    """An entry that breaks the policy is a finding on its line, beside a warning; a plan of nothing has no counts."""
    policy = {"forbidden_scopes": ["tokens:read"]}
    still_project.write(spec({"ci": entry("out/ci")}, policy=policy))
    told = log(still_project, start(still_project, "plan"), code=5)
    counts, findings = reports(still_project)
    assert counts == {"failure": "blocked"}
    assert [finding["check_name"] for finding in findings] == ["tooken-ci/policy", "tooken-ci/spec"]
    assert findings[0]["description"].startswith("'ci' asks for tokens:read, which the policy forbids")
    assert len(folded(told)) == 1
    log(still_project, start(still_project, "validate"), code=5)
    assert reports(still_project)[1] == findings


def test_a_run_without_an_answer(still_project: Project) -> None:
    """With a key that is refused both files are written, and say that there is no plan."""
    still_project.write(ONE)
    still_project.key = "tok_live_plainly_fake_and_never_made"
    assert folded(log(still_project, start(still_project, "plan"), code=1)) == []
    assert reports(still_project) == ({"failure": "api_unauthorized"}, [])


def test_reports_over_each_other(still_project: Project) -> None:
    """Two reports for one file are refused, and so is one over the spec."""
    still_project.write(ONE)
    one = ("--codequality-report", "x.json", "--terraform-report", "./x.json")
    still_project.run("validate", *one, code=2).says("x.json", "--codequality-report")
    still_project.run("validate", "--terraform-report", "tooken.yml", code=2).says("tooken.yml", "--terraform-report")


def test_a_signal_inside_a_section(project: Project) -> None:
    """A job that is canceled ends its section, so that why it ended is not folded away, and its reports come too."""
    project.write(spec(MANY))
    with hold(project.sandbox, CREATION, seconds=1):
        running = start(project, "apply", "--workers", "1")
        wait_for(project.sandbox, CREATION)
        running.send_signal(signal.SIGTERM)
        told = log(project, running, code=3)
    assert len(folded(told)) == 2
    assert "SIGTERM" in told.rpartition("section_end")[2]
    assert reports(project)[0] == {"create": len(MANY), "update": 0, "delete": 0}
