"""A project as a user has it: a folder with a spec, and the command that is run there."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from jsonschema import Draft202012Validator

from tests.e2e.leaks import files_under, findings
from tests.support.zygote import COMMAND, usual_environment, zygote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tests.support.sandbox import RunningSandbox
    from tests.support.zygote import Running

TIMEOUT = 50
FOUR_MINUTES = 240
"""By then no mark and no new token is young any more."""

_KEPT = ("COV", "LD_LIBRARY_PATH", "PATH", "SYSTEMROOT")
"""What a process needs to run at all, and to measure coverage in it; everything else stays outside."""


@cache
def command() -> tuple[str, ...]:
    """The command as it is installed beside the running Python, or the module where it is not."""
    found = shutil.which("tooken-ci", path=str(Path(sys.executable).parent))
    return (found,) if found else (sys.executable, "-m", "tooken_ci")


@cache
def plan_schema() -> Draft202012Validator:
    """The schema that the command says its JSON follows."""
    ended = subprocess.run([*command(), "schema", "--plan"], capture_output=True, check=True, timeout=TIMEOUT)
    return Draft202012Validator(json.loads(ended.stdout))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ended:
    """How a run of the command ended."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """The one JSON object that stands alone on standard output, valid against the command's own schema."""
        assert self.out.startswith("{"), self.out
        data = json.loads(self.out)
        plan_schema().validate(data)
        if self.code == 4 and "error" in data:  # a sign of the command, and an error of the action
            assert data["error"]["code"] == "changes", data
        else:
            assert ("error" in data) == (self.code not in {0, 4}), data
        return data

    def says(self, *words: str) -> None:
        """Asserts that standard error holds all of these words, whatever their case."""
        missing = [word for word in words if word.lower() not in self.err.lower()]
        assert not missing, f"{missing} not in:\n{self.err}"


class Project:
    """A folder with a spec, and a workspace to run the command against.

    After every run its output and every file under the folder, but the delivered ones, are searched for every secret
    that is known by then: the keys, and whatever was ever read from a delivered file or told by a store.

    Attributes:
        folder: the working directory.
        sandbox: the workspace.
        key: the credential that the command is given; None for none.
        url: the API that it is sent to.
        secrets: all that may not show.
        variables: what every run finds in its environment beside that.
        stores: each tells all the secrets that a store holds.
        executed: whether every run is executed; else it is forked, where that makes no difference but in time.
    """

    def __init__(self, folder: Path, sandbox: RunningSandbox) -> None:
        self.folder = folder
        self.sandbox = sandbox
        self.key: str | None = sandbox.api_key
        self.url = sandbox.url
        self.secrets = {sandbox.api_key}
        self.variables: dict[str, str] = {}
        self.stores: list[Callable[[], Iterable[str]]] = []
        self.executed = False
        self._delivered: set[Path] = set()
        self._runner_reads: set[int] = set()
        folder.mkdir(exist_ok=True)

    def write(self, spec: Mapping[str, Any] | str, name: str = "tooken.yml") -> None:
        """Writes the spec; of one that is given as data the delivered files are known from then on."""
        text = spec if isinstance(spec, str) else yaml.safe_dump(spec, sort_keys=False, allow_unicode=True)
        (self.folder / name).write_text(text, encoding="utf-8")
        for entry in {} if isinstance(spec, str) else spec.get("tokens", {}).values():
            for destination in entry.get("deliver", ()):
                self._delivered.update(self.folder / path for path in _paths(destination))

    def delivers(self, *paths: Path | str) -> None:
        """Lets secrets stand in these files, which a spec that is given as data does not name."""
        self._delivered.update(self.folder / path for path in paths)

    def secret(self, path: str) -> str:
        """Reads a delivered secret, which only its owner may read."""
        file = self.folder / path
        assert file.stat().st_mode & 0o777 == 0o600, oct(file.stat().st_mode)
        return file.read_text(encoding="utf-8")

    def record(self, path: str) -> str:
        """Reads the delivery record beside a delivered secret."""
        return (self.folder / f"{path}.tooken").read_text(encoding="utf-8")

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """The environment of the command: nobody's but ours."""
        ours = {"HOME": str(self.folder), "LANG": "C.UTF-8", "TOOKEN_API_URL": self.url}
        if self.key is not None:
            ours["TOOKEN_API_KEY"] = self.key
        kept = {name: value for name, value in os.environ.items() if name.startswith(_KEPT)}
        return {**kept, **ours, **self.variables, **(extra or {})}

    def start(self, *arguments: str, env: Mapping[str, str] | None = None, stdout: int = subprocess.PIPE) -> Running:
        """Starts the command, without a terminal; ``end`` waits for it."""
        process = self._started([*command(), *arguments], self.environment(env), stdout)
        if (env or {}).get("TOOKEN_CI_ACTION") == "1":
            self._runner_reads.add(process.pid)
        return process

    def _started(self, line: list[str], environment: Mapping[str, str], stdout: int) -> Running:
        forking = zygote(*COMMAND, environment=usual_environment())
        if not self.executed and forking.fits(environment):
            return forking.start(
                line, call="tooken_ci.cli:main", folder=self.folder, environment=environment, stdout=stdout
            )
        return subprocess.Popen(
            line,
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def end(self, process: Running) -> Ended:
        """Waits for a command to end, and looks for secrets."""
        try:
            out, err = process.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        ended = Ended(code=process.wait(), out=out or "", err=err)
        # the runner takes its commands out of what it reads, and shows none of them
        seen = re.sub(r"^::add-mask::.*\n", "", err, flags=re.MULTILINE) if process.pid in self._runner_reads else err
        self.scan({"standard output": ended.out.encode(), "standard error": seen.encode()})
        assert "Traceback" not in err, err
        return ended

    def run(self, *arguments: str, code: int | None = 0, env: Mapping[str, str] | None = None) -> Ended:
        """Runs the command to its end, which must have this exit code (None for any)."""
        ended = self.end(self.start(*arguments, env=env))
        assert code is None or ended.code == code, f"exit code {ended.code}\n{ended.err}\n{ended.out}"
        return ended

    def plan(self, *arguments: str, code: int | None = 0) -> Any:
        """Plans, and gives the data."""
        return self.run("plan", "--format", "json", *arguments, code=code).data

    def apply(self, *arguments: str, code: int | None = 0) -> Any:
        """Applies, and gives the data."""
        return self.run("apply", "--format", "json", *arguments, code=code).data

    def converge(self) -> None:
        """Asserts that nothing is left to do."""
        data = self.plan("--detailed-exitcode")
        assert data["actions"] == data["waiting"] == data["problems"] == []

    def scan(self, places: Mapping[str, bytes]) -> None:
        """Fails if a secret shows in one of these places or in a file that was not delivered."""
        if self.key:
            self.secrets.add(self.key)
        self.secrets |= {text for path in self._delivered if (text := _text(path))}
        self.secrets.update(*(tell() for tell in self.stores))
        files = {
            name: content
            for name, content in files_under(self.folder).items()
            if self.folder / name not in self._delivered
        }
        found = list(findings(self.secrets, {**places, **files}))
        assert not found, found

    def snapshot(self, *others: RunningSandbox) -> dict[str, Any]:
        """All that a run could change: every file, byte by byte, and every token."""
        state: dict[str, Any] = {"files": files_under(self.folder)}
        for sandbox in (self.sandbox, *others):
            tokens = [{**token, "last_used_at": None} for token in sandbox.tokens()]
            state[sandbox.url] = sorted(tokens, key=lambda token: str(token["id"]))
        return state

    @contextlib.contextmanager
    def unchanged(self, *others: RunningSandbox) -> Iterator[None]:
        """Asserts that what runs inside changes nothing, and asks for no change."""
        before = self.snapshot(*others)
        sandboxes = (self.sandbox, *others)
        seen = [len(sandbox.requests()) for sandbox in sandboxes]
        yield
        assert self.snapshot(*others) == before
        for sandbox, start in zip(sandboxes, seen, strict=True):
            assert [request for request in sandbox.requests()[start:] if not _harmless(request)] == []


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


def _harmless(request: Mapping[str, Any]) -> bool:
    """A read, or a probe: a request that is refused whatever the credential may do."""
    if request["method"] == "POST":
        return request["path"] == "/v1/tokens" and request["status"] in {400, 403}
    if request["method"] == "DELETE":
        return str(request["path"]).endswith("/tok_probe")
    return bool(request["method"] == "GET")


def spec(tokens: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A spec as data."""
    return {"version": 1, "workspace": "test", "tokens": dict(tokens), **more}


def entry(*paths: str, scopes: Sequence[str] = ("tokens:read",), **more: Any) -> dict[str, Any]:
    """An entry that is delivered to files and whose older generations go at once."""
    return {
        "scopes": list(scopes),
        "expires_in": "90d",
        "rotation": {"overlap": 0},
        "deliver": [{"file": {"path": path}} for path in paths],
        **more,
    }


def _paths(destination: Mapping[str, Any]) -> list[str]:
    """The files that a destination writes secrets to."""
    file, job = destination.get("file"), destination.get("job", {})
    return [file["path"]] if file else [job["file"]] if "file" in job else []


def outcomes(data: Any) -> list[tuple[str, str, str]]:
    """What became of each action: what it was, for which token, and how it went."""
    return [(result["action"], result["token"], result["status"]) for result in data["results"]]


def names(sandbox: RunningSandbox) -> list[str]:
    """The names of the active tokens, sorted."""
    return sorted(token["name"] for token in sandbox.active_tokens())


def basic(secret: str) -> str:
    """A secret as HTTP Basic writes it, for tests of the search for secrets."""
    return base64.b64encode(f"key:{secret}".encode()).decode()
