"""An exception that nobody foresaw, thrown anywhere: a short message with a hint, and never a secret."""

from __future__ import annotations

import base64
import importlib
import inspect
import itertools
import logging
import pkgutil
import sys
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.e2e.leaks import files_under
from tests.e2e.project import Project, entry, spec
from tests.support.sandbox import RunningSandbox
from tooken_ci import render
from tooken_ci.cli import privacy
from tooken_ci.cli.program import run
from tooken_ci.destinations.file_store import FileDestination

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path
    from types import FunctionType

METHODS = ("look", "check", "write_record", "write", "holds", "fetch")
PLAN, APPLY = ("plan",), ("apply",)
WAYS: dict[str, list[tuple[str, ...]]] = {
    "text": [PLAN, APPLY],
    "judging": [PLAN],
    "markdown": [(*PLAN, "--format", "markdown")],
    "escaping": [(*PLAN, "--format", "markdown")],
    "report": [(*PLAN, "--format", "json"), (*APPLY, "--format", "json"), ("lease", "lease", "--format", "json")],
}
"""What is run to have the functions of a module of ``render`` called."""

NOT_YET = {"html_text", "csv_cell"}
"""Rules of formats that nothing is rendered in so far."""


def _renderers() -> list[FunctionType]:
    """Every function there is in ``render``."""
    names = [found.name for found in pkgutil.iter_modules(render.__path__, "tooken_ci.render.")]
    return [
        function
        for module in map(importlib.import_module, names)
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and name not in NOT_YET
    ]


RENDERERS = _renderers()


class Breaking:
    """Takes the place of a function, and throws at one of its calls.

    Attributes:
        calls: how often it was called.
        broke: whether it has thrown.
    """

    def __init__(self, instead_of: Callable[..., Any], secret: str, *, at: int, after: bool = False) -> None:
        self.calls = 0
        self.broke = False
        self._original = instead_of
        self._secret = secret
        self._at = at
        self._after = after

    def __get__(self, instance: object, _: type) -> Callable[..., Any]:
        return lambda *args, **kwargs: self(instance, *args, **kwargs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.calls += 1
        if self.calls != self._at:
            return self._original(*args, **kwargs)
        if self._after:
            self._original(*args, **kwargs)
        self.broke = True
        held = [self._secret, base64.b64encode(self._secret.encode())]
        raise RuntimeError(f"nobody foresaw {held} and {self._secret}")


class Stage:
    """A project in which the command is run in this process."""

    _numbers = itertools.count()

    def __init__(self, project: Project, captured: pytest.CaptureFixture[str]) -> None:
        self.project = project
        self.captured = captured
        self._old = f"old-{next(self._numbers)}"
        self.mended = False

    def prepare(self) -> None:
        """Writes a spec that asks for a new token and has one revoked; that of another entry waits for its end."""
        number = next(self._numbers)
        self.project.sandbox.create(f"gone-{number}")
        new = entry(f"out/{number}", f"out/{number}-too")
        lease = {"ephemeral": True, "scopes": ["tokens:read"], "expires_in": "1h"}
        tokens = {f"new-{number}": new, "lease": {**lease, "deliver": [{"job": {"file": "lease"}}]}, **self._waiting()}
        self.project.write(spec(tokens, absent=[f"gone-{number}"], policy={"max_revocations": "100%"}))
        if self.mended:
            self.quietly("apply", "--only", f"new-{number}")
            (self.project.folder / f"out/{number}-too").unlink()

    def _waiting(self, *scopes: str) -> dict[str, Any]:
        return {self._old: entry("old", scopes=scopes or ["audit:read"], rotation={"overlap": "1h"})}

    def replaced(self) -> None:
        """Leaves an older generation that waits."""
        for scope in ("tokens:read", "audit:read"):
            self.project.write(spec(self._waiting(scope)))
            self.quietly("apply")

    def quietly(self, *arguments: str) -> None:
        assert run(arguments) == 0, self.captured.readouterr().err
        self.captured.readouterr()

    @property
    def secret(self) -> str:
        """The key, which every run knows."""
        return self.project.sandbox.api_key

    def break_at(self, owner: object, name: str, *, at: int, after: bool = False) -> None:
        """Has one call of a method break an apply, without ``--debug`` and with it."""
        for debug in ((), ("--debug",)):
            self.prepare()
            breaking = Breaking(getattr(owner, name), self.secret, at=at, after=after)
            assert self.comes_to_harm([(owner, name)], breaking, *debug, "apply")

    def comes_to_harm(self, places: Iterable[tuple[object, str]], breaking: Breaking, *arguments: str) -> bool:
        """Runs the command with something else in a function's place and, if that threw, looks at what is said."""
        before = self._state()
        with pytest.MonkeyPatch.context() as patched:
            for owner, name in places:
                patched.setattr(owner, name, breaking)
            code = run(arguments)
        out, err = self.captured.readouterr()
        self._find_no_secret(out, err)
        if not breaking.broke:
            return False
        assert code in {1, 3}, (code, err)
        assert code == 3 or self._state() == before
        assert "a fault of tooken-ci itself (RuntimeError)" in err
        told = err[err.rindex("Error: ") :].splitlines()
        assert 2 <= len(told) <= 3, err
        assert all(len(line) < 300 for line in told)
        assert told[-1].startswith("  ")
        assert ("Traceback" in err) == ("--debug" in arguments), err
        assert "--debug" in err
        return True

    def _find_no_secret(self, out: str, err: str) -> None:
        self.project.delivers(*(path for path in self.project.folder.rglob("out/*") if path.suffix != ".tooken"))
        self.project.scan({"standard output": out.encode(), "standard error": err.encode()})

    def _state(self) -> tuple[Any, ...]:
        tokens = sorted((token["name"], token["status"]) for token in self.project.sandbox.tokens())
        return tokens, files_under(self.project.folder)


@pytest.fixture(scope="module")
def workspace() -> Iterator[RunningSandbox]:
    """Gives one workspace for all: each run makes a token of a name of its own."""
    with RunningSandbox(limit=1_000_000) as sandbox:
        yield sandbox


@pytest.fixture
def stage(
    workspace: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Stage]:
    """Gives a project in whose folder this process stands."""
    monkeypatch.setattr(privacy, "keep_memory_private", lambda: None)  # it would last
    project = Project(tmp_path / "project", workspace)
    monkeypatch.chdir(project.folder)
    for name, value in project.environment({"TOOKEN_BUSY_GRACE": "0"}).items():
        monkeypatch.setenv(name, value)
    root, ours = logging.getLogger(), logging.getLogger("tooken_ci")
    kept = root.handlers[:], root.level, ours.level
    stage = Stage(project, capsys)
    stage.replaced()
    yield stage
    root.handlers[:] = kept[0]
    root.setLevel(kept[1])
    ours.setLevel(kept[2])


def _calls(stage: Stage, owner: object, name: str) -> int:
    """How often a method is called where nothing comes to harm."""
    stage.prepare()
    with pytest.MonkeyPatch.context() as patched:
        counting = Breaking(getattr(owner, name), "", at=0)
        patched.setattr(owner, name, counting)
        stage.quietly("apply")
    return counting.calls


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_each_call_into_requests(stage: Stage, *, after: bool) -> None:
    """Whichever request throws what nobody foresaw, before it is sent or after, it is told shortly and masked."""
    calls = _calls(stage, requests.Session, "request")
    assert calls >= 6
    for at in range(1, calls + 1):
        stage.break_at(requests.Session, "request", at=at, after=after)


@pytest.mark.parametrize("name", METHODS)
def test_each_method_of_a_destination(stage: Stage, name: str) -> None:
    """Whichever call of a destination throws what nobody foresaw, it is told shortly and masked."""
    stage.mended = name == "fetch"
    calls = _calls(stage, FileDestination, name)
    assert calls >= 1
    for at in range(1, calls + 1):
        stage.break_at(FileDestination, name, at=at)


@pytest.mark.parametrize("function", RENDERERS, ids=lambda function: f"{function.__module__}.{function.__name__}")
def test_each_renderer(stage: Stage, function: FunctionType) -> None:
    """Whichever function that renders throws what nobody foresaw, it is told shortly and masked."""
    users = [
        (module, known)
        for name, module in list(sys.modules.items())
        if name.startswith("tooken_ci.")
        for known, value in list(vars(module).items())
        if value is function
    ]
    for way in WAYS[function.__module__.rpartition(".")[2]]:
        for debug in ((), ("--debug",)):
            stage.prepare()
            breaking = Breaking(function, stage.secret, at=1)
            if stage.comes_to_harm(users, breaking, *debug, *way) and debug:
                return
    pytest.fail("nothing calls it")
