"""The examples for systems that have no form of their own: their syntax, and every shell step of theirs, run.

What is not checked: what the systems themselves make of conditions, locks and approvals.
"""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import tree_sitter_groovy
import yaml
from tree_sitter import Language, Parser

from tests.e2e.project import Project, command, entry, names, spec
from tests.examples.schemas import faults

if TYPE_CHECKING:
    from collections.abc import Sequence

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
CIRCLE: Any = yaml.safe_load((EXAMPLES / "circleci" / "config.yml").read_text(encoding="utf-8"))
BUILDKITE: Any = yaml.safe_load((EXAMPLES / "buildkite" / "pipeline.yml").read_text(encoding="utf-8"))
JENKINS = (EXAMPLES / "jenkins" / "Jenkinsfile").read_text(encoding="utf-8")
CRON = EXAMPLES / "cron"
SOURCE = "tooken-ci[all] @ git+https://github.com/OWNER/tooken-ci@v0.1.0"

SHELLS = {
    "jenkins": ("sh", "-xe", "-c"),
    "circleci": ("bash", "-eo", "pipefail", "-c"),
    "buildkite": ("bash", "-e", "-c"),
}

NO_KEY = 'test -z "${{TOOKEN_API_KEY+x}}"\n'
STAND_INS = {
    "pip": NO_KEY + 'test "$*" = "install --quiet {source}"',
    "python3": NO_KEY
    + ('test "$1 $2" = "-m venv"\nmkdir -p "$3/bin"\ncp "$(dirname "$0")/pip" "$3/bin"\nln -sf "{command}" "$3/bin/"'),
    "buildkite-agent": NO_KEY + 'test "$1 $2 $4" = "artifact download ."\ntest -s "$3"',
}
"""What the steps call that would fetch the command, or an artifact that lies there already; none may be given a key."""


def _jenkins() -> list[str]:
    long = [textwrap.dedent(step) for step in re.findall(r"\bsh '''\n(.*?)'''", JENKINS, re.DOTALL)]
    return [*long, *re.findall(r"\bsh '([^']+)'", JENKINS)]


def _circle() -> list[str]:
    parts = [*CIRCLE["commands"].values(), *CIRCLE["jobs"].values()]
    return [
        step["run"]["command"] for part in parts for step in part["steps"] if isinstance(step, dict) and "run" in step
    ]


STEPS: dict[str, list[str]] = {
    "jenkins": _jenkins(),
    "circleci": _circle(),
    "buildkite": [step["command"] for step in BUILDKITE["steps"] if "command" in step],
}
"""Every shell step of each example, as it stands there."""


def step_with(system: str, words: str) -> str:
    (found,) = [step for step in STEPS[system] if words in step]
    return found


class Machine:
    """A machine that a system runs steps on, in a project."""

    def __init__(self, project: Project, folder: Path) -> None:
        """Puts the stand-ins there."""
        self.project = project
        self.reader = str(project.sandbox.create("reader")["token"])
        project.secrets.add(self.reader)
        folder.mkdir()
        for name, script in STAND_INS.items():
            text = script.format(source=SOURCE, command=command()[0])
            (folder / name).write_text(f"#!/bin/sh -e\n{text}\n", encoding="utf-8")
            (folder / name).chmod(0o755)
        self.path = os.pathsep.join([str(folder), str(Path(sys.executable).parent), os.environ["PATH"]])

    def run(self, arguments: Sequence[str | Path], **env: str) -> subprocess.CompletedProcess[str]:
        """Runs a program in the project, and searches what it leaves for secrets."""
        environment = {**self.project.environment(), "CI": "true", "PATH": self.path, **env}
        ended = subprocess.run(
            arguments,
            cwd=self.project.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=50,
        )
        self.project.scan({"log": ended.stdout.encode()})
        return ended

    def made(self) -> list[str]:
        """The names of the active tokens, but for that which the plans' key is."""
        return [name for name in names(self.project.sandbox) if name != "reader"]

    def step(self, system: str, words: str) -> subprocess.CompletedProcess[str]:
        """Runs the one step of an example that has these words, a plan with a key that only reads."""
        key = self.reader if words.startswith("plan ") and self.project.key == self.project.sandbox.api_key else None
        return self.run([*SHELLS[system], step_with(system, words)], **({"TOOKEN_API_KEY": key} if key else {}))

    def install(self, system: str) -> None:
        """Runs the step that installs, where it is one of its own; Jenkins binds no key around it."""
        if system == "buildkite":
            return
        key, self.project.key = self.project.key, None if system == "jenkins" else self.project.key
        assert self.step(system, SOURCE).returncode == 0
        self.project.key = key


@pytest.fixture
def machine(project: Project, tmp_path: Path) -> Machine:
    """Gives a machine with a checkout whose spec asks for one token."""
    project.write(spec({"ci": entry("out/ci")}))
    return Machine(project, tmp_path / "bin")


def test_circleci() -> None:
    """The file follows CircleCI's schema, and every job that a workflow names is there."""
    assert faults("circle-ci", CIRCLE) == []
    named = {name for flow in CIRCLE["workflows"].values() for job in flow["jobs"] for name in job}
    assert named == {*CIRCLE["jobs"], "approve"}


def test_buildkite() -> None:
    """The file follows Buildkite's schema, and the agent finds nothing to replace in the commands."""
    assert faults("buildkite", BUILDKITE) == []
    assert not [step for step in STEPS["buildkite"] if "$" in step]


def test_jenkins() -> None:
    """The file is Groovy; without one of its brackets or quotation marks it is not."""
    groovy = Parser(Language(tree_sitter_groovy.language()))
    pipeline = JENKINS[JENKINS.index("pipeline {") :]
    assert not groovy.parse(pipeline.encode()).root_node.has_error
    for mark in ("{", "}", "(", ")", "'", "'''", '"'):
        assert groovy.parse(pipeline.replace(mark, "", 1).encode()).root_node.has_error, mark


def test_a_plan_has_a_key_that_only_reads() -> None:
    """Whoever can push a branch can take its key; so the key that writes is bound on main alone, to what applies."""
    stages = dict(re.findall(r"\bstage\('(\w+)'\) \{(.*?)(?=\bstage\('|\Z)", JENKINS, re.DOTALL))
    bound = {name: re.findall(r"credentialsId: '([\w-]+)'", text) for name, text in stages.items()}
    assert bound == {"Install": [], "Plan": ["tooken-read-key"], "Apply": ["tooken-api-key"]}
    assert "when { branch 'main' }" in stages["Apply"]

    asked = [
        (name, job) for flow in CIRCLE["workflows"].values() for jobs in flow["jobs"] for name, job in jobs.items()
    ]
    assert {name: job["context"] for name, job in asked if "context" in job} == {
        "plan": ["tooken-plan"],
        "apply-plan": ["tooken-production"],
        "apply": ["tooken-production"],
    }
    assert [job["filters"]["branches"]["only"] for name, job in asked if name != "plan"] == ["main"] * 3

    for step in (one for one in BUILDKITE["steps"] if "command" in one):
        if step["label"] == "Plan":
            assert step["secrets"] == {"TOOKEN_API_KEY": "TOOKEN_READ_KEY"}
        else:
            assert step["secrets"] == ["TOOKEN_API_KEY"]
            assert "build.branch == pipeline.default_branch" in step["if"]


def test_no_step_is_left_out() -> None:
    """All of the steps are found that the files have: each is run below."""
    assert len(STEPS["jenkins"]) == len(re.findall(r"\bsh\b", JENKINS.split("pipeline {")[1])) == 3
    assert [len(STEPS[system]) for system in ("circleci", "buildkite")] == [4, 3]


@pytest.mark.parametrize("system", STEPS)
def test_a_plan_with_and_without_changes(machine: Machine, system: str) -> None:
    """Changes are told and saved, and fail nothing; then that plan, or the spec, is applied; then nothing is left."""
    machine.install(system)
    pending = 4 if system == "buildkite" else 0
    soft = [rule["exit_status"] for step in BUILDKITE["steps"] for rule in step.get("soft_fail", ())]
    assert soft == [4]

    planned = machine.step(system, "plan --detailed-exitcode")
    assert planned.returncode == pending, planned.stdout
    assert "1 to create" in planned.stdout
    for name in ("tooken-plan.json", "tooken-report.json"):
        assert (machine.project.folder / name).stat().st_size
    assert machine.made() == []

    applied = machine.step(system, "apply --report-file" if system == "jenkins" else "apply tooken-plan.json")
    assert applied.returncode == 0, applied.stdout
    assert machine.made() == ["ci"]
    if system != "jenkins":
        again = machine.step(system, "apply --report-file")
        assert again.returncode == 0, again.stdout
    assert machine.step(system, "plan --detailed-exitcode").returncode == 0
    assert machine.made() == ["ci"]


@pytest.mark.parametrize("system", STEPS)
def test_a_plan_that_fails(machine: Machine, system: str) -> None:
    """A wrong key fails the step, and so does a plan that the policy forbids, each with its exit code."""
    machine.install(system)
    machine.project.write(spec({"ci": entry("out/ci")}, policy={"forbidden_scopes": ["tokens:read"]}))
    assert machine.step(system, "plan --detailed-exitcode").returncode == 5
    machine.project.write(spec({"ci": entry("out/ci")}))
    machine.project.key = "tok_live_that_no_workspace_has_ever_heard_of"
    refused = machine.step(system, "plan --detailed-exitcode")
    assert refused.returncode == 1, refused.stdout
    assert machine.step(system, "apply --report-file").returncode == 1
    assert machine.made() == []


@pytest.fixture
def cron(machine: Machine, tmp_path: Path) -> Machine:
    """Gives a machine whose checkout has somewhere to pull from, and whose key lies in a file."""
    origin = tmp_path / "origin.git"
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.com")
    for arguments in (
        ("init", "-q", "-b", "main"),
        ("add", "tooken.yml"),
        (*identity, "commit", "-q", "-m", "spec"),
        ("clone", "-q", "--bare", ".", str(origin)),
        ("remote", "add", "origin", str(origin)),
        ("fetch", "-q"),
        ("branch", "-q", "-u", "origin/main"),
    ):
        ended = machine.run(["git", *arguments])
        assert ended.returncode == 0, ended.stdout
    (tmp_path / "key").write_text(str(machine.project.key), encoding="utf-8")
    (tmp_path / "key").chmod(0o600)
    machine.project.variables["TOOKEN_API_KEY_FILE"] = str(tmp_path / "key")
    machine.project.key = None
    machine.project.secrets.add(machine.project.sandbox.api_key)
    return machine


def test_cron(cron: Machine, tmp_path: Path) -> None:
    """It applies and says nothing; with nothing to do, and while another run is at work, it says nothing either."""
    script = [CRON / "tooken-ci.sh", cron.project.folder]
    for _ in range(2):
        ended = cron.run(script)
        assert (ended.returncode, ended.stdout) == (0, "")
        assert cron.made() == ["ci"]
    with cron.project.unchanged():
        ended = cron.run(["flock", ".git/tooken-ci.lock", *script])
        assert (ended.returncode, ended.stdout) == (0, "")
    (tmp_path / "key").write_text("tok_live_that_no_workspace_has_ever_heard_of", encoding="utf-8")
    ended = cron.run(script)
    assert ended.returncode == 1
    assert ended.stdout.startswith("Not applied.\n")
    assert "401" in ended.stdout or "key" in ended.stdout


@pytest.mark.parametrize(
    ("changed", "code", "says"),
    [
        ({"tokens": {"ci": {}}}, 2, "the spec, or an option, is wrong"),
        ({"policy": {"forbidden_scopes": ["tokens:read"]}}, 5, "only as far as the policy"),
    ],
)
def test_cron_tells_what_is_wrong(cron: Machine, changed: dict[str, Any], code: int, says: str) -> None:
    """What is wrong is said in one line, with the log below it, and the exit code is the command's."""
    cron.project.write({**spec({"ci": entry("out/ci")}), **changed})
    ended = cron.run([CRON / "tooken-ci.sh", cron.project.folder])
    assert ended.returncode == code, ended.stdout
    assert says in ended.stdout.splitlines()[0]
    assert "Error:" in ended.stdout


def test_cron_cannot_pull(cron: Machine, tmp_path: Path) -> None:
    """A checkout that can't be brought up to date is not applied: it may be a day old, or a fork of the truth."""
    shutil.rmtree(tmp_path / "origin.git")
    ended = cron.run([CRON / "tooken-ci.sh", cron.project.folder])
    assert ended.returncode == 1
    assert "Not applied." in ended.stdout
    assert cron.made() == []


def test_the_shell_scripts_have_no_errors_of_syntax() -> None:
    """Every step and script is read by its shell to the end."""
    for system, steps in STEPS.items():
        for step in steps:
            assert subprocess.run([SHELLS[system][0], "-n", "-c", step], check=False).returncode == 0, step
    assert subprocess.run(["bash", "-n", CRON / "tooken-ci.sh"], check=False).returncode == 0
    assert os.access(CRON / "tooken-ci.sh", os.X_OK)


def test_the_crontab() -> None:
    """Its line has five fields of time within their bounds, a user, and the script with one folder."""
    lines = [line for line in (CRON / "crontab").read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    assert re.fullmatch(r"MAILTO=\S+@example\.com", lines[0])
    (line,) = lines[1:]
    times, (user, *run) = line.split()[:5], line.split()[5:]
    for field, (low, high) in zip(times, [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)], strict=True):
        assert field == "*" or low <= int(field) <= high
    assert (user, len(run)) == ("tooken", 2)
    assert Path(run[0]).name == "tooken-ci.sh"


def test_the_units(tmp_path: Path) -> None:
    """The timer starts the service, which runs the script with a key that it was handed; systemd takes both."""
    units = {}
    for name in ("tooken-ci.service", "tooken-ci.timer"):
        text = (CRON / name).read_text(encoding="utf-8")
        units[name] = configparser.ConfigParser(interpolation=None, strict=True)
        units[name].optionxform = str  # type: ignore[assignment,method-assign]  # its names have capitals
        units[name].read_string(text)
        (tmp_path / name).write_text(text.replace("/usr/local/bin/", f"{CRON}/"), encoding="utf-8")
    service, timer = units["tooken-ci.service"], units["tooken-ci.timer"]
    assert service["Service"]["ExecStart"].split()[0].endswith("/tooken-ci.sh")
    credential = service["Service"]["LoadCredential"].partition(":")[0]
    assert service["Service"]["Environment"] == f"TOOKEN_API_KEY_FILE=%d/{credential}"
    assert timer["Timer"]["Persistent"] == "true"
    if shutil.which("systemd-analyze") is not None:  # else what stands above is all that is checked
        ended = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", *(tmp_path / name for name in units)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (ended.returncode, ended.stderr) == (0, "")
