"""Secrets planted wherever they can be, and every command run in every format at debug level among them."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import yaml

from tests.crash.timing import SharedTime
from tests.crash.zygote import Zygote
from tests.e2e.leaks import files_under, findings, forms
from tests.e2e.project import entry, spec
from tests.support.gitlab import TOKEN, FakeGitLab
from tests.support.sandbox import RunningSandbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.crash.zygote import Ended

FORMS = ("text", "markdown", "json")
KEY = "tok_planted/key+of&a=workspace<0123456789>%41~"
OLD = "tok_planted-value-that-stood-in-the-file-before"
THEIRS = "tok_planted-secret-of-others-in-the-same-file"
PROXY = "tok_planted-password-of-the-proxy-0123456789"
COMMENT = "ghs_planted-token-that-may-write-comments-01234"
REPORTS = {
    "TOOKEN_REPORT_FILE": "report.json",
    "TOOKEN_TERRAFORM_REPORT": "terraform.json",
    "TOOKEN_CODEQUALITY_REPORT": "codequality.json",
}
SCOPES = (["tokens:read"], ["audit:read"], ["tokens:read", "audit:read"])
BABBLER = """#!/bin/sh
secret=$(cat)
echo "no: $secret" "$(printf %s "$secret" | base64 -w 0)" "$TOOKEN_API_KEY" >&2
exit 7
"""
"""A program of the user's that tells what it was given when it fails."""

NAMES = (KEY, base64.b64encode(KEY.encode()).decode(), f"ci {KEY.encode().hex()}")
ANSWERS = tuple(
    f"HTTP/1.0 {status}\r\n{headers}X-Request-Id: {KEY}\r\nRetry-After: {KEY}\r\nX-RateLimit-Limit: {KEY}\r\n\r\n{body}"
    for status, headers, body in (
        (f"403 {KEY}", "Content-Type: application/json\r\n", f'{{"error": "{KEY}", "message": "no scope for {KEY}"}}'),
        ("200 OK", f"Content-Type: text/html; {KEY}\r\n", f"<html><title>{KEY}</title></html>"),
        ("302 Found", f"Location: http://127.0.0.1/{KEY}\r\n", ""),
    )
)
"""What an API, or what stands in its place, may answer with a secret in its message and in every header."""


@dataclasses.dataclass(kw_only=True)
class Evidence:
    """All that could show a secret.

    Attributes:
        secrets: what must show nowhere.
        places: what was written, by where.
        runs: the command line of each run.
    """

    secrets: set[str] = dataclasses.field(default_factory=lambda: {KEY, OLD, THEIRS, PROXY, COMMENT, TOKEN})
    places: dict[str, bytes] = dataclasses.field(default_factory=dict)
    runs: list[tuple[str, ...]] = dataclasses.field(default_factory=list)

    @property
    def forms(self) -> int:
        """In how many spellings the secrets are looked for."""
        return len({form for secret in self.secrets for form in forms(secret)})

    def leaks(self) -> list[str]:
        """The places that show a secret in any form, or the most part of one."""
        cut = {secret[: len(secret) * 2 // 3] for secret in self.secrets}
        return list(findings(self.secrets | cut, self.places))

    def write(self, folder: Path) -> None:
        """Leaves each place as a file."""
        folder.mkdir()
        for number, content in enumerate(self.places.values()):
            (folder / f"{number:04}.txt").write_bytes(content)


class Planted:
    """A project among secrets; whatever a run prints or leaves in a file becomes evidence."""

    def __init__(self, folder: Path, sandbox: RunningSandbox, gitlab: FakeGitLab, zygote: Zygote) -> None:
        self.evidence = Evidence()
        self.folder = folder / "project"
        self.sandbox = sandbox
        self._gitlab = gitlab
        self._zygote = zygote
        self._given: dict[str, bytes] = {}
        self._kept: dict[str, bytes] = {}
        self._delivered = {"out/ci", "out/app.env", "out/old", "out/lease"}
        gitlab.project()
        for name, text in {"out/app.env": f"THEIRS={THEIRS}\n", "out/old": OLD, "out/old.tooken": OLD}.items():
            self.give(name, text)
        self.give("babble", BABBLER)
        (self.folder / "babble").chmod(0o700)

    def give(self, name: str, content: str | Mapping[str, Any]) -> None:
        """Writes a file that was there before the runs: what it holds is no leak of theirs."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")
        path.chmod(0o600)
        self._given[name] = path.read_bytes()

    def run(self, *arguments: str, code: int | None = None, **environment: str) -> Ended:
        """Runs the command at debug level and keeps what it wrote."""
        # of its environment only what is ours, and the runner's, whose files are in the folder
        files = ("ENV", "OUTPUT", "STATE", "STEP_SUMMARY")
        runner = {f"GITHUB_{name}": str(self.folder / name.lower()) for name in files}
        ours = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_RUN_ID": "4711",
            "HTTPS_PROXY": f"http://user:{PROXY}@127.0.0.1:9",
            "TOOKEN_API_URL": self.sandbox.url,
            "TOOKEN_API_KEY": KEY,
            "TOOKEN_COMMENT_TOKEN": COMMENT,
            **self._gitlab.environment(),
        }
        reports = REPORTS if "text" in arguments else {}  # they say the same whatever the format is
        environment = {**ours, **runner, **reports, **environment}
        for file in ("output", "step_summary"):  # each step has its own
            (self.folder / file).unlink(missing_ok=True)
        self._zygote.start("--debug", *arguments, folder=self.folder, environment=environment)
        ended = self._zygote.end()
        self._keep(arguments, ended)
        assert code is None or ended.code == code, f"exit code {ended.code}\n{ended.err}\n{ended.out}"
        return ended

    def _keep(self, arguments: tuple[str, ...], ended: Ended) -> None:
        evidence, run = self.evidence, f"{len(self.evidence.runs)}: {' '.join(arguments)}"
        evidence.runs.append(arguments)
        written = {"standard output": ended.out.encode(), "standard error": ended.err.encode()}
        for name, content in files_under(self.folder).items():
            if name in self._delivered:
                text = content.decode()
                evidence.secrets.add(text.rpartition("=")[2].strip() if name.endswith(".env") else text)
            elif content not in {self._given.get(name), self._kept.get(name)}:
                written[name] = self._kept[name] = content
        evidence.secrets |= {str(variable["value"]) for variable in self._gitlab.project().variables}
        evidence.places |= {f"{name} of {run}": content for name, content in written.items()}


@contextlib.contextmanager
def planted(folder: Path) -> Iterator[Planted]:
    """Gives a project among secrets."""
    with contextlib.ExitStack() as stack:
        folder.mkdir(exist_ok=True)
        shared = stack.enter_context(SharedTime(folder / "time"))
        zygote = stack.enter_context(Zygote(shared, folder / "run", 0))
        sandbox = stack.enter_context(RunningSandbox(api_key=KEY))
        gitlab = stack.enter_context(FakeGitLab())
        yield Planted(folder, sandbox, gitlab, zygote)


def play(project: Planted) -> Evidence:
    """Runs every command in every format, where all goes well and where it does not."""
    for number, form in enumerate(FORMS):
        as_form = ("--format", form)
        _all_goes_well(project, number, as_form)
        _named_like_a_secret(project, number, as_form)
        _the_store_babbles(project, as_form)
        for answer in ANSWERS:
            with _answering(answer) as url:
                for command in (("plan",), ("apply",), ("rotate", "ci"), ("revoke", "--yes", "ci"), ("lease", "lease")):
                    project.run(*command, *as_form, code=1, TOOKEN_API_URL=url)
                project.run("release", "lease", *as_form, code=1, TOOKEN_API_URL=url)
    project.run("matrix", "fleet", code=2)
    project.give("fleet/a.yml", {**spec({"ci": entry("out/ci")}), "workspace": KEY})
    project.run("matrix", "fleet")
    project.run("matrix", "fleet", "--changed-since", KEY)
    project.run("matrix", KEY, code=2)
    project.run("schema", code=0)
    project.run("schema", "--plan", code=0)
    project.run("sandbox", "--seed", "none.yml", code=2)  # where it runs it prints the key of its own, as it should
    return project.evidence


def _declare(name: str, scopes: list[str], project: Planted, **more: Any) -> None:
    tokens = {
        "ci": entry("out/ci", scopes=scopes),
        "web": {**entry(scopes=scopes), "deliver": [{"file": {"path": "out/app.env", "format": "dotenv", "key": "X"}}]},
        "old": entry("out/old", scopes=scopes),
        "shop": {**entry(scopes=scopes), "deliver": [{"gitlab_variable": {"project": "acme/shop", "name": "TOKEN"}}]},
        "lease": {**entry(), "ephemeral": True, "expires_in": "1h", "deliver": [{"job": {"file": "out/lease"}}]},
    }
    del tokens["lease"]["rotation"]
    project.give(name, spec(tokens, policy={"max_revocations": "100%", "max_changes": "100%"}, **more))


def _all_goes_well(project: Planted, number: int, as_form: tuple[str, ...]) -> None:
    _declare("tooken.yml", SCOPES[number], project)
    saved = f"saved-{number}"
    project.run("validate", *as_form, code=0)
    project.run("plan", *as_form, code=0)
    project.run("plan", "--out", saved, *as_form, code=0)
    project.run("apply", saved, *as_form, code=0)
    _declare("tooken.yml", SCOPES[number - 1], project)
    project.run("apply", *as_form, code=0)
    project.run("rotate", "ci", "--overlap", "0", *as_form, code=0)
    project.run("revoke", "--yes", "web", *as_form, code=0)
    project.run("lease", "lease", *as_form, code=0)
    project.run("release", *as_form, code=0)


def _named_like_a_secret(project: Planted, number: int, as_form: tuple[str, ...]) -> None:
    """Tokens of the workspace, entries and options that are called like the key."""
    for name in NAMES:
        project.sandbox.create(f"{name} {number}")
    _declare("pruning.yml", SCOPES[number], project, prune=["*"])
    pruning = ("--spec", "pruning.yml")
    project.run("plan", *pruning, *as_form, code=0)
    project.run("plan", "--out", "refused", *pruning, *as_form, code=1)
    project.run("apply", *pruning, *as_form, code=0)
    for command in ("rotate", "lease", "release"):
        project.run(command, KEY, *as_form)
    project.run("revoke", "--yes", KEY, *as_form, code=1)
    for option in ("--only", "--spec", "--format", "--api-url", "--api-key-file"):
        project.run("plan", *as_form, option, KEY)
    project.give("wrong.yml", {"version": 1, "workspace": KEY, KEY: 1, "tokens": {KEY: {"scopes": [KEY]}}})
    project.run("validate", "--spec", "wrong.yml", *as_form, code=2)
    project.run("plan", "--spec", "wrong.yml", *as_form, code=2)


def _the_store_babbles(project: Planted, as_form: tuple[str, ...]) -> None:
    programs = {step: ["./babble"] for step in ("write", "record")}
    store = {**entry(), "deliver": [{"exec": {"name": "s", **programs, "read": ["true"], "check": ["true"]}}]}
    project.give("store.yml", spec({"store": store}))
    project.run("apply", "--spec", "store.yml", *as_form)


@contextlib.contextmanager
def _answering(answer: str) -> Iterator[str]:
    """A server that answers always the same."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.wfile.write(answer.encode())

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join(timeout=10)
