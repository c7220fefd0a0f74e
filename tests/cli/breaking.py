"""A command run in this process, one of whose functions throws what nobody foresaw."""

from __future__ import annotations

import base64
import itertools
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.leaks import files_under
from tests.e2e.project import Project, entry, spec
from tooken_ci.cli.program import run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class UnforeseenError(Exception):
    """What nobody foresaw."""


class Breaking:
    """Takes the place of a function, and throws at one of its calls.

    Attributes:
        calls: how often it was called.
        broke: whether it has thrown.
    """

    def __init__(
        self, instead_of: Callable[..., Any], secret: str, *, at: int, after: bool = False, to: str = ""
    ) -> None:
        """Throws nothing yet.

        Args:
            instead_of: the function.
            secret: stands in what is thrown.
            at: which call throws, from 1; 0 = none.
            after: it throws once the function has done its work.
            to: only calls with an argument that has this in it count; empty = all.
        """
        self.calls = 0
        self.broke = False
        self._original = instead_of
        self._secret = secret
        self._at = at
        self._after = after
        self._to = to
        self._counting = threading.Lock()

    def __get__(self, instance: object, _: type) -> Callable[..., Any]:
        return lambda *args, **kwargs: self(instance, *args, **kwargs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        counts = not self._to or any(self._to in str(given) for given in (*args, *kwargs.values()))
        with self._counting:
            self.calls += counts
            chosen = counts and self.calls == self._at
        if not chosen:
            return self._original(*args, **kwargs)
        if self._after:
            self._original(*args, **kwargs)
        self.broke = True
        held = [self._secret, base64.b64encode(self._secret.encode())]
        raise UnforeseenError(f"nobody foresaw {held} and {self._secret}", held, self._secret)


class Stage:
    """A project in which the command is run in this process.

    Attributes:
        project: the project.
        captured: what the command prints.
        mended: a second destination of the new token is emptied before, so that the secret is copied.
        place: gives a destination, as a spec has it, for the number of a run; a file unless it is said otherwise.
        lease: gives that of the entry ``lease``.
        command: what comes to harm.
        leased: there is a lease, and its release comes to harm.
    """

    _numbers = itertools.count()

    def __init__(self, project: Project, captured: pytest.CaptureFixture[str]) -> None:
        self.project = project
        self.captured = captured
        self._old = f"old-{next(self._numbers)}"
        self.mended = False
        self.place: Callable[[int], dict[str, Any]] = lambda number: {"file": {"path": f"out/{number}"}}
        self.lease: Callable[[int], dict[str, Any]] = lambda _: {"job": {"file": "out/lease"}}
        self.command: tuple[str, ...] = ("apply",)
        self.leased = False

    def prepare(self) -> None:
        """Writes a spec that asks for a new token and has one revoked; that of another entry waits for its end."""
        number = next(self._numbers)
        self.project.sandbox.create(f"gone-{number}")
        new = entry(deliver=[self.place(number), {"file": {"path": f"out/{number}-too"}}])
        lease = {"ephemeral": True, "scopes": ["tokens:read"], "expires_in": "1h", "deliver": [self.lease(number)]}
        tokens = {f"new-{number}": new, "lease": lease, **self._waiting()}
        self.project.write(spec(tokens, absent=[f"gone-{number}"], policy={"max_revocations": "100%"}))
        if self.leased:
            before = self.leases()
            self.quietly("lease", "lease")
            self.command = ("release", *(self.leases() - before))
        if self.mended:
            self.quietly("apply", "--only", f"new-{number}")
            (self.project.folder / f"out/{number}-too").unlink()

    def _waiting(self, *scopes: str) -> dict[str, Any]:
        return {self._old: entry("old", scopes=scopes or ["audit:read"], rotation={"overlap": "1h"})}

    def leases(self) -> set[str]:
        """The names of the leases that live."""
        return {token["name"] for token in self.project.sandbox.active_tokens() if ".e-" in token["name"]}

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

    def calls(self, owner: object, name: str, *, to: str = "") -> int:
        """How often a function is called where nothing comes to harm."""
        self.prepare()
        with pytest.MonkeyPatch.context() as patched:
            counting = Breaking(getattr(owner, name), "", at=0, to=to)
            patched.setattr(owner, name, counting)
            self.quietly(*self.command)
        return counting.calls

    def break_each(self, owner: object, name: str, *, to: str = "", least: int = 1, after: bool = False) -> None:
        """Has each call of a function break the command with ``--debug``, and the first also without."""
        calls = self.calls(owner, name, to=to)
        assert calls >= least
        self.break_at(owner, name, at=1, after=after, to=to, ways=[()])
        for at in range(1, calls + 1):
            self.break_at(owner, name, at=at, after=after, to=to, ways=[("--debug",)])

    def break_at(
        self,
        owner: object,
        name: str,
        *,
        at: int,
        after: bool = False,
        to: str = "",
        ways: Iterable[tuple[str, ...]] = ((), ("--debug",)),
    ) -> None:
        """Has one call of a function break the command, without ``--debug`` and with it."""
        for debug in ways:
            self.prepare()
            breaking = Breaking(getattr(owner, name), self.secret, at=at, after=after, to=to)
            assert self.comes_to_harm([(owner, name)], breaking, *debug, *self.command)

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
        assert "a fault of tooken-ci itself (UnforeseenError)" in err
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
