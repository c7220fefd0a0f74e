"""Walks through the jobs of a GitHub workflow on this machine.

What is as at GitHub: the order of steps, ``if``, ``needs``, ``continue-on-error``, ``env``, expressions, outputs of
steps and jobs, the files of a step (outputs, variables, state, summary), ``run`` in the shell that GitHub starts, this
action's inputs with their defaults, its translation to the command, and its post step.

What is emulated: ``actions/checkout`` copies a folder, ``actions/upload-artifact`` and ``download-artifact`` a file.
Other actions do nothing, and have the outputs that the test says; one that it says nothing of is refused. What is not
done: triggers, concurrency, environments and their approval, permissions, matrices, containers, masking of the log,
time-outs. Those are for actionlint, the schemas and act to look at.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

import entrypoint
from tests.e2e.project import TIMEOUT, command
from tests.support.expressions import filled, holds
from tests.support.runner import values
from tests.support.zygote import COMMAND, usual_environment, zygote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.support.zygote import Running

ROOT = Path(__file__).resolve().parents[2]
OURS = "OWNER/tooken-ci@"
FILES = {"GITHUB_OUTPUT": "output", "GITHUB_ENV": "env", "GITHUB_STATE": "state", "GITHUB_STEP_SUMMARY": "summary"}
SHELLS = {None: ["bash", "-e"], "bash": ["bash", "--noprofile", "--norc", "-eo", "pipefail"]}
"""What GitHub starts for a ``run`` step without a ``shell``, and with one."""


def run(line: list[str], folder: Path, environment: Mapping[str, str], log: Path) -> int:
    """Runs a command line, which prints to a file, and gives its exit code; the command itself is forked."""
    forking = zygote(*COMMAND, environment=usual_environment())
    with log.open("wb") as out:
        process: Running
        if line[: len(command())] == [*command()] and forking.fits(environment):
            process = forking.start(
                line,
                call="tooken_ci.cli:main",
                folder=folder,
                environment=environment,
                stdout=out.fileno(),
                stderr=out.fileno(),
            )
        else:
            process = subprocess.Popen(
                line, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out, text=True
            )
        return process.wait(TIMEOUT)


@dataclasses.dataclass(frozen=True, kw_only=True)
class StepResult:
    """What became of a step.

    Attributes:
        name: its name, or what it uses or runs.
        code: the exit code; None where it was skipped.
        log: what it printed.
        outputs: its outputs.
        summary: its summary.
    """

    name: str
    code: int | None
    log: str = ""
    outputs: Mapping[str, str] = dataclasses.field(default_factory=dict)
    summary: str = ""

    @property
    def outcome(self) -> str:
        """As the ``steps`` context tells it."""
        return "skipped" if self.code is None else "failure" if self.code else "success"


@dataclasses.dataclass(frozen=True, kw_only=True)
class JobResult:
    """What became of a job: ``success``, ``failure`` or ``skipped``, its steps and its outputs."""

    result: str
    steps: list[StepResult] = dataclasses.field(default_factory=list)
    outputs: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def log(self) -> str:
        """All that its steps printed."""
        return "".join(step.log for step in self.steps)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Workflow:
    """A workflow, and the surroundings that it runs in.

    Attributes:
        text: the workflow.
        repository: the folder that is checked out.
        scratch: for everything else.
        contexts: ``github``, ``secrets``, ``inputs`` and so on.
        secrets_of: gives the secrets of an environment when a job starts; they win over those of the contexts.
        env: what each command finds beside the runner's own variables.
        others: the outputs of other actions, by their names.
        left_out: the names of steps that are passed over.
    """

    text: str
    repository: Path
    scratch: Path
    contexts: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    secrets_of: Callable[[str], Mapping[str, str]] = lambda _: {}
    env: Mapping[str, str] = dataclasses.field(default_factory=dict)
    others: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)
    left_out: tuple[str, ...] = ()

    def run(self) -> dict[str, JobResult]:
        """Run the jobs, each after those that it needs."""
        jobs: dict[str, Any] = yaml.safe_load(self.text)["jobs"]
        done: dict[str, JobResult] = {}
        while len(done) < len(jobs):
            ready = [name for name in jobs if name not in done and set(_needs(jobs[name])) <= set(done)]
            assert ready, "the jobs wait for each other"
            for name in ready:
                done[name] = self._job(name, jobs[name], done)
        return done

    def _job(self, name: str, job: Mapping[str, Any], done: Mapping[str, JobResult]) -> JobResult:
        needed = {other: done[other] for other in _needs(job)}
        contexts = {
            "github": {},
            "inputs": {},
            "vars": {},
            **self.contexts,
            "secrets": {**self.contexts.get("secrets", {}), **self.secrets_of(job.get("environment", ""))},
            "needs": {other: {"outputs": dict(one.outputs), "result": one.result} for other, one in needed.items()},
            "steps": {},
            "env": dict(job.get("env", {})),
        }
        good = all(one.result == "success" for one in needed.values())
        if not holds(job.get("if"), {**contexts, "status": _status(good=good)}):
            return JobResult(result="skipped")
        return _Walk(workflow=self, name=name, contexts=contexts).through(job)


@dataclasses.dataclass(kw_only=True)
class _Walk:
    """One job under way."""

    workflow: Workflow
    name: str
    contexts: dict[str, Any]
    good: bool = True
    results: list[StepResult] = dataclasses.field(default_factory=list)
    later: list[tuple[list[str], dict[str, str]]] = dataclasses.field(default_factory=list)

    def through(self, job: Mapping[str, Any]) -> JobResult:
        self.workspace.mkdir(parents=True)
        for step in job["steps"]:
            self._step(step)
        for arguments, env in reversed(self.later):
            self._keep({}, self._command(arguments, env, "post"))
        outputs = {name: filled(text, self.contexts) for name, text in job.get("outputs", {}).items()}
        return JobResult(result="success" if self.good else "failure", steps=self.results, outputs=outputs)

    @property
    def workspace(self) -> Path:
        return self.workflow.scratch / self.name / "workspace"

    def _step(self, step: Mapping[str, Any]) -> None:
        self.contexts["status"] = _status(good=self.good)
        title = step.get("name") or step.get("uses") or step["run"].partition("\n")[0]
        if title in self.workflow.left_out or not holds(step.get("if"), self.contexts):
            self._keep(step, StepResult(name=title, code=None))
            return
        env = {name: filled(str(value), self.contexts) for name, value in step.get("env", {}).items()}
        given = {name: filled(str(value), self.contexts) for name, value in step.get("with", {}).items()}
        uses = step.get("uses", "")
        if "run" in step:
            assert "${{" not in step["run"], "what is put into a script by an expression becomes a part of it"
            result = self._start([*SHELLS[step.get("shell")], "-c", step["run"]], env, title)
        elif uses.startswith(OURS):
            result = self._ours(given, env, title)
        else:
            result = self._emulated(uses.partition("@")[0], given, title)
        self._keep(step, result)

    def _ours(self, given: Mapping[str, str], env: Mapping[str, str], title: str) -> StepResult:
        declared = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["inputs"]
        assert set(given) <= set(declared), set(given) - set(declared)
        default = {name: filled(one.get("default", ""), self.contexts) for name, one in declared.items()}
        whole = {**default, **given}
        inputs = {f"INPUT_{name.upper()}": value for name, value in whole.items()}
        arguments, translated = entrypoint.translate({**inputs, **env})
        result = self._command(arguments, translated, title)
        state = values(self._file("GITHUB_STATE").read_text(encoding="utf-8"))
        after = entrypoint.afterwards(arguments)
        if after:
            self.later.append((after, {**translated, **{f"STATE_{name}": value for name, value in state.items()}}))
        return result

    def _command(self, arguments: list[str], env: Mapping[str, str], title: str) -> StepResult:
        return self._start([*command(), *arguments], env, title)

    def _start(self, line: list[str], env: Mapping[str, str], title: str) -> StepResult:
        for name in FILES:
            self._file(name).write_text("", encoding="utf-8")
        whole = {**self._surroundings(), **self.contexts["env"], **env}
        log = self.workflow.scratch / self.name / "log"
        code = run(line, self.workspace, whole, log)
        self.contexts["env"] |= values(self._file("GITHUB_ENV").read_text(encoding="utf-8"))
        outputs = values(self._file("GITHUB_OUTPUT").read_text(encoding="utf-8"))
        summary = self._file("GITHUB_STEP_SUMMARY").read_text(encoding="utf-8")
        said = log.read_text(encoding="utf-8")
        return StepResult(name=title, code=code, log=said, outputs=outputs, summary=summary)

    def _surroundings(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name.startswith(("COV", "PATH"))}
        job = {"GITHUB_RUN_ID": "4711", "GITHUB_RUN_ATTEMPT": "1", "GITHUB_JOB": self.name, "RUNNER_NAME": "runner"}
        files = {name: str(self._file(name)) for name in FILES}
        about = self.contexts["github"]
        event = self.workflow.scratch / "event.json"
        event.write_text(json.dumps(about.get("event", {})), encoding="utf-8")
        names = {"GITHUB_REPOSITORY": "repository", "GITHUB_EVENT_NAME": "event_name", "GITHUB_REF": "ref"}
        whose = {**{name: about.get(key, "") for name, key in names.items()}, "GITHUB_EVENT_PATH": str(event)}
        where = {
            "GITHUB_WORKSPACE": str(self.workspace),
            "HOME": str(self.workflow.scratch),
            "LANG": "C.UTF-8",
            **whose,
        }
        return {**kept, "CI": "true", "GITHUB_ACTIONS": "true", **job, **files, **where, **self.workflow.env}

    def _file(self, name: str) -> Path:
        return self.workflow.scratch / self.name / FILES[name]

    def _emulated(self, action: str, given: Mapping[str, str], title: str) -> StepResult:
        kept = self.workflow.scratch / "artifacts" / given.get("name", "")
        if action == "actions/checkout":
            shutil.copytree(self.workflow.repository, self.workspace, symlinks=True, dirs_exist_ok=True)
        elif action == "actions/upload-artifact":
            assert not kept.exists(), "an artifact is never written over"
            kept.mkdir(parents=True)
            path = self.workspace / given["path"]
            for file in path.iterdir() if path.is_dir() else [path]:
                shutil.copy(file, kept)
        elif action == "actions/download-artifact":
            shutil.copytree(kept, self.workspace / given.get("path", ""), dirs_exist_ok=True)
        else:
            return StepResult(name=title, code=0, outputs=self.workflow.others[action])
        return StepResult(name=title, code=0)

    def _keep(self, step: Mapping[str, Any], result: StepResult) -> None:
        self.results.append(result)
        forgiven = bool(step.get("continue-on-error"))
        if result.code and not forgiven:
            self.good = False
        if "id" in step:
            conclusion = "success" if result.code and forgiven else result.outcome
            told = {"outputs": dict(result.outputs), "outcome": result.outcome, "conclusion": conclusion}
            self.contexts["steps"][step["id"]] = told


def _needs(job: Mapping[str, Any]) -> list[str]:
    needs = job.get("needs", [])
    return [needs] if isinstance(needs, str) else needs


def _status(*, good: bool) -> dict[str, bool]:
    return {"success": good, "failure": not good, "always": True, "cancelled": False}
