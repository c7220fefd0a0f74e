"""The same with real stores: what is written to them passes a wire on which it comes to harm."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import os
from typing import TYPE_CHECKING, Any, Protocol, Self

from tests.crash.scenarios import APPLY, FOREIGN, Scenario, entry, spec, store
from tests.crash.settle import Verdict, fingerprint, judge, settle
from tests.crash.stage import Harmed
from tests.crash.store import Shelf
from tests.support.aws import Gate, Moto
from tests.support.bao import running
from tests.support.between import Between, Break, serving
from tests.support.github import SHOP, TOKEN, FakeGitHub
from tooken_ci.base.record import DeliveryRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.crash.rig import Rig
    from tests.crash.timing import SharedTime

PAUSE = 240.0
"""Seconds between two runs: a store without a record asks for three minutes between two generations."""

_AWS_WRITES = ("CreateSecret", "PutSecretValue", "UpdateSecretVersionStage", "TagResource", "UntagResource")


class Far(Protocol):
    """A real store.

    Attributes:
        name: what it is called in the report.
        address: where it is.
    """

    name: str
    address: str

    def environment(self, address: str) -> Mapping[str, str]:
        """What leads a run to it by way of another address."""
        ...

    def writes(self, method: str, path: str, headers: Mapping[str, str]) -> bool:
        """Whether a request may change anything."""
        ...

    def place(self, number: int) -> tuple[str, dict[str, Any]]:
        """A place in it that nobody has used, and the destination that leads there."""
        ...

    def shelf(self, place: str) -> Shelf:
        """What stands at a place, read past the wire."""
        ...


class VaultStore:
    """An OpenBao server."""

    name = "vault"

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._bao = stack.enter_context(running())
        self._mount = self._bao.mount()
        self.address = self._bao.address

    def environment(self, address: str) -> Mapping[str, str]:
        return {"VAULT_ADDR": address, "VAULT_TOKEN": self._bao.token}

    def writes(self, method: str, path: str, headers: Mapping[str, str]) -> bool:
        return method in {"POST", "PUT", "PATCH", "DELETE"} and f"/{self._mount}/" in path

    def place(self, number: int) -> tuple[str, dict[str, Any]]:
        path = f"{self._mount}/ci-{number}"
        self._bao.put(self._mount, f"ci-{number}", {"user": "ci"})
        return path, {"vault": {"path": path, "key": "token"}}

    def shelf(self, place: str) -> Shelf:
        mount, _, path = place.partition("/")
        record = self._bao.custom(mount, path).get("tooken-ci.token", "")
        return Shelf(value=(self._bao.data(mount, path) or {}).get("token"), record=record)


class GitHub(FakeGitHub):
    """A server that stands for GitHub, by the time that the runs have."""

    def __init__(self, shared: SharedTime) -> None:
        self._shared = shared
        super().__init__()

    def now(self) -> float:
        return self._shared.now()


class GitHubStore:
    """A server that stands for GitHub; it keeps a record, or none."""

    def __init__(self, stack: contextlib.ExitStack, shared: SharedTime, *, record: bool) -> None:
        self._github = stack.enter_context(GitHub(shared))
        self._record = record
        self.name = "github_secret" if record else "github_secret, record: none"
        self.address = self._github.url

    def environment(self, address: str) -> Mapping[str, str]:
        return {"GITHUB_API_URL": address, "GH_TOKEN": TOKEN}

    def writes(self, method: str, path: str, headers: Mapping[str, str]) -> bool:
        return method != "GET" and "PROBE" not in path

    def place(self, number: int) -> tuple[str, dict[str, Any]]:
        name = f"TOKEN_{number}"
        settings = {"repository": "acme/shop", "name": name, "record": "variable" if self._record else "none"}
        return name, {"github_secret": settings}

    def shelf(self, place: str) -> Shelf:
        text = self._github.variable(f"{place}_TOOKEN_ID", SHOP) or ""
        return Shelf(value=self._github.secret(place, SHOP), record=text.partition(" written=")[0])


class AwsStore:
    """moto, behind a gate that is as strict as AWS."""

    name = "aws_secret"

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._gate = stack.enter_context(Gate(stack.enter_context(Moto())))
        self.address = self._gate.url

    def environment(self, address: str) -> Mapping[str, str]:
        return {**self._gate.environment(), "AWS_ENDPOINT_URL": address}

    def writes(self, method: str, path: str, headers: Mapping[str, str]) -> bool:
        return headers.get("X-Amz-Target", "").rpartition(".")[2] in _AWS_WRITES

    def place(self, number: int) -> tuple[str, dict[str, Any]]:
        name = f"crash/{os.getpid()}-{id(self)}-{number}"
        self._gate.direct.create_secret(Name=name, SecretString=json.dumps({"user": "ci"}))
        return name, {"aws_secret": {"name": name, "key": "token"}}

    def shelf(self, place: str) -> Shelf:
        parts = {key: value for key, value in self._gate.tags(place).items() if key.startswith("tooken-ci")}
        record = " ".join(value.rpartition(": ")[2] for _, value in sorted(parts.items()))
        return Shelf(value=json.loads(self._gate.read(place)).get("token"), record=_parsed(record))


def _parsed(text: str) -> str:
    """A record, if the text is one; only whether it tells of a rotation matters here."""
    try:
        return DeliveryRecord.parse(text).to_text() if text else ""
    except ValueError:
        return ""


class Wire(Between):
    """What lies between the command and a store; one of the writes on it may come to harm."""

    def __init__(self, far: Far, *, kill: Callable[[], None], look: Callable[[str], None]) -> None:
        super().__init__(far.address)
        self._far = far
        self._kill = kill
        self._look = look
        self.count = 0
        self.harm: tuple[int, Harmed] | None = None

    def anew(self, harm: tuple[int, Harmed] | None = None) -> None:
        """Counts the writes from 1 again."""
        self.count, self.harm = 0, harm

    def arrived(self, method: str, path: str) -> Break | None:
        if not self._far.writes(method, path, self.headers):
            return None
        self.count += 1
        harmed = self.harm[1] if self.harm is not None and self.harm[0] == self.count else None
        what = f"{method} {path}"
        if harmed is Harmed.KILLED_BEFORE:
            self._kill()
        if harmed in {Harmed.KILLED_BEFORE, Harmed.ERROR_BEFORE}:
            return Break(method=method, path=path, status=500)
        if harmed is Harmed.ERROR_AFTER:
            return Break(method=method, path=path, after=True, status=500)
        if harmed in {Harmed.LOST, Harmed.TRUNCATED}:  # both are answers that never came whole
            return Break(method=method, path=path, after=True)
        return Break(method=method, path=path, after=True, then=lambda: self._done(what, harmed))

    def _done(self, what: str, harmed: Harmed | None) -> None:
        self._look(what)
        if harmed is Harmed.KILLED_AFTER:
            self._kill()


@dataclasses.dataclass(frozen=True, kw_only=True)
class FarCase:
    """One way in which a write to a real store comes to harm.

    Attributes:
        store: its name.
        first: the write is of the first delivery, not of a later one.
        write: which, from 1, and how.
    """

    store: str
    first: bool
    write: tuple[int, Harmed]

    def __str__(self) -> str:
        when = "first apply" if self.first else "scope change"
        return f"{self.store}, {when}: write {self.write[0]} {self.write[1]}"


class FarTrial:
    """An entry that is delivered to a real store and to one behind a program, in every way of harm."""

    def __init__(self, rig: Rig, far: Far) -> None:
        """Runs it once without harm to count what there is to harm."""
        self._rig = rig
        self._far = far
        self._numbers = itertools.count(1)
        self._stack = contextlib.ExitStack()
        self._wire = self._stack.enter_context(serving(Wire(far, kill=rig.stage.kill, look=self._look)))
        rig.environment = far.environment(self._wire.address)
        for name in FOREIGN:
            made = rig.stage.call("POST", "/tokens", {"name": name, "scopes": ["tokens:read"]})
            rig.watch.foreign.add(made["id"])
        self._kept = rig.keep()
        self._place = ""
        self.scenario = Scenario(name=far.name, before=lambda _: None, pause=PAUSE)
        self._counts = {first: self._counted(first=first) for first in (True, False)}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def cases(self) -> Iterator[FarCase]:
        """Every case, in order."""
        for first, count in self._counts.items():
            for number, harmed in itertools.product(range(1, count + 1), Harmed):
                yield FarCase(store=self._far.name, first=first, write=(number, harmed))

    def attempt(self, case: FarCase) -> Verdict:
        """Tries one case."""
        rig, verdict = self._rig, Verdict(case=case)
        self._prepare(first=case.first)
        before = fingerprint(rig)
        self._wire.anew(case.write)
        ended = rig.run(*APPLY)
        self._wire.anew()
        self._look("the run")
        judge(rig, verdict, ended, before)
        verdict.kills, verdict.faults = (1, 0) if ended.code < 0 else (0, 1)
        settle(rig, self.scenario, verdict, ended)
        verdict.violations.extend(rig.watch.violations)
        verdict.checks = rig.watch.checks
        return verdict

    def _counted(self, *, first: bool) -> int:
        self._prepare(first=first)
        ended = self._rig.run(*APPLY)
        assert ended.code == 0, ended.err
        assert self._rig.watch.violations == []
        return self._wire.count

    def _prepare(self, *, first: bool) -> None:
        """Brings an entry to where the run begins, at a place that no run has been at."""
        rig = self._rig
        rig.put_back(self._kept)
        self._place, item = self._far.place(next(self._numbers))
        self._wire.anew()
        rig.write(spec({"ci": entry(item, store(rig, "a"))}))
        if not first:
            ended = rig.run(*APPLY)
            assert ended.code == 0, ended.err
            rig.advance(300)
            rig.write(spec({"ci": entry(item, store(rig, "a"), scopes=["audit:read"])}))
        self._wire.anew()

    def _look(self, what: str) -> None:
        """Takes over what stands in the store, and holds it against what must be."""
        shelf, stage = self._far.shelf(self._place), self._rig.stage

        def look() -> None:
            stage.store.shelves[self._place] = shelf
            stage.check(what)

        stage.do(look)


@contextlib.contextmanager
def far_store(name: str, shared: SharedTime) -> Iterator[Far]:
    """Starts a store."""
    with contextlib.ExitStack() as stack:
        match name:
            case VaultStore.name:
                yield VaultStore(stack)
            case AwsStore.name:
                yield AwsStore(stack)
            case _:
                yield GitHubStore(stack, shared, record=name == "github_secret")
