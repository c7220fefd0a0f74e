"""A small world for the executor: a real sandbox, file destinations that misbehave on demand, and one story of both."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Any

from tests.tooken.support import MovedClock
from tooken_ci.apply.context import Context, new_run
from tooken_ci.apply.run import execute
from tooken_ci.apply.survey import survey
from tooken_ci.base.errors import DestinationError
from tooken_ci.base.record import DeliveryRecord, Mark, MarkKind
from tooken_ci.base.secret import Secret
from tooken_ci.destinations.file import FileKind
from tooken_ci.destinations.file_store import FileDestination
from tooken_ci.destinations.interface import Surroundings
from tooken_ci.plan.model import ActionKind
from tooken_ci.plan.result import ResultStatus
from tooken_ci.plan.terms import USUAL, Terms
from tooken_ci.spec.load import load
from tooken_ci.tooken.client import Client

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.sandbox import RunningSandbox
    from tooken_ci.apply.survey import Survey
    from tooken_ci.base.record import Held, Look
    from tooken_ci.plan.result import Outcome, Result
    from tooken_ci.spec.model import Target

DONE, FAILED, BUSY, SKIPPED = ResultStatus.DONE, ResultStatus.FAILED, ResultStatus.BUSY, ResultStatus.SKIPPED

REFUSED = DestinationError("It said no.", hint="Ask it why.")
TIMED_OUT = DestinationError("It timed out.", surely_refused=False)


class Store(FileDestination):
    """A file destination that tells its story, and does at each step what the test has prepared.

    ``before`` and ``after`` hold, by step, what is done then: called, or raised if it is an exception. The steps are
    look, check, mark, withdraw, record, write, read back and fetch.
    """

    def __init__(self, world: World, name: str) -> None:
        super().__init__(world.folder / name)
        self.path = world.folder / name
        self.name = name
        self.before: dict[str, BaseException | Callable[[], object]] = {}
        self.after: dict[str, BaseException | Callable[[], object]] = {}
        self.lies = False
        self.blind = False
        self._wrote = False
        self._world = world

    def look(self) -> Look:
        act = self.before.get("look")
        if callable(act):
            act()
        return super().look()

    def check(self) -> None:
        with self._step("check"):
            super().check()

    def write_record(self, record: DeliveryRecord) -> None:
        own = any(mark.run == self._world.run for mark in record.marks)
        with self._step("mark" if own else "record" if self._wrote else "withdraw"):
            super().write_record(record)
            self._wrote = False

    def write(self, secret: Secret) -> None:
        with self._step("write"):
            super().write(secret)
            self._wrote = True

    def holds(self, secret: Secret) -> bool | None:
        with self._step("read back"):
            return None if self.blind else super().holds(secret) and not self.lies

    def fetch(self, held: Held) -> Secret | None:
        with self._step("fetch"):
            return super().fetch(held)

    def leave_mark(self, kind: MarkKind = MarkKind.CREATE, *, age: float = 1) -> None:
        """Puts another run's mark there."""
        at = dt.datetime.fromtimestamp(int(self._world.sandbox.now() - age), dt.UTC)
        mark = Mark(kind=kind, name="theirs", run="another-run", at=at)
        record = self.look().record or DeliveryRecord(workspace="test")
        super().write_record(record.marked(mark))

    def runs(self) -> list[str]:
        """Whose marks stand there."""
        return [mark.run for mark in self.look().marks]

    def value(self) -> str:
        return self.path.read_text(encoding="utf-8") if self.path.exists() else ""

    def holds_name(self) -> str:
        """The name of the token that it holds for certain."""
        held = self.look().held
        return "" if held is None else held.name

    def _step(self, step: str) -> _Step:
        return _Step(self._world, self, step)


@dataclasses.dataclass
class _Step:
    world: World
    store: Store
    step: str

    def __enter__(self) -> None:
        self.world.tell(f"{self.store.name}: {self.step}")
        self._act(self.store.before)

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._act(self.store.after)

    def _act(self, prepared: dict[str, BaseException | Callable[[], object]]) -> None:
        act = prepared.get(self.step)
        if isinstance(act, BaseException):
            raise act
        if act is not None:
            act()


class PatientClock(MovedClock):
    """A clock whose hands move the server's time too, with enough time to wait for whatever is busy."""

    def __init__(self, world: World, *, deadline: float = 10_000) -> None:
        super().__init__(deadline=deadline)
        self.world = world
        self.meanwhile: list[Callable[[], object]] = []

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.world.sandbox.advance(seconds)
        if self.meanwhile:
            self.meanwhile.pop(0)()


class World:
    """One sandbox, one folder of stores, and the runs of a test over them."""

    client_type: type[Client] = Client

    def __init__(self, sandbox: RunningSandbox, folder: Path, name: str) -> None:
        self.sandbox = sandbox
        self.folder = folder
        self.name = name
        self.clock = MovedClock(deadline=150)  # too short to wait for what is busy
        self.key = sandbox.api_key
        self.run = ""
        self.story: list[str] = []
        self._stores: dict[str, Store] = {}
        self._heard = 0

    def store(self, name: str) -> Store:
        return self._stores.setdefault(name, Store(self, name))

    def tell(self, line: str) -> None:
        """Adds a line to the story, after the requests that went out since the last one."""
        requests = self.sandbox.requests()
        for request in requests[self._heard :]:
            path = request["path"].removeprefix("/v1")
            path = path if path in {"/tokens", "/tokens/tok_probe"} else "/tokens/ID"
            self.story.append(f"{request['method']} {path} {request['status']}")
        self._heard = len(requests)
        self.story += [line] if line else []

    def entry(self, name: str = "", *, to: str = "a", scopes: str = "tokens:read", more: str = "") -> str:
        """One entry of a spec, as YAML; without a name the world's own."""
        deliver = ", ".join(f"{{file: {{path: {path}}}}}" for path in to.split())
        entry = f"{name or self.name}: {{scopes: [{scopes}], deliver: [{deliver}]"
        return f"  {entry}{', ' + more if more else ''}}}\n"

    def prepare(
        self,
        *entries: str,
        overlap: str = "0",
        expires_in: str = "expires_in: 90d",
        more: str = "",
        workers: int = 1,
        terms: Terms = USUAL,
    ) -> None:
        """Writes the spec, takes stock and plans; a run of its own."""
        defaults = f"defaults: {{rotation: {{overlap: {overlap}}}{', ' + expires_in if expires_in else ''}}}\n"
        spec = self.folder / "tooken.yml"
        tokens = f"tokens:\n{''.join(entries)}" if entries else "tokens: {}\n"
        spec.write_text(f"version: 1\nworkspace: test\n{defaults}{more}{tokens}", encoding="utf-8")
        self.run = new_run()
        self.told: list[Result] = []
        self.client = self.client_type(base_url=self.sandbox.url, key=Secret(self.key), clock=self.clock)
        self.context = Context(
            spec=load([str(spec)], kinds=[FileKind(Surroundings())]),
            client=self.client,
            open=self._open,
            look=lambda targets: [self._open(target).look() for target in targets],
            clock=self.clock,
            run=self.run,
            tell=self.told.append,
            workers=workers,
            terms=terms,
        )
        self.survey: Survey = survey(self.context)
        self.sandbox.clear_requests()
        self.story, self._heard = [], 0
        self.spent = self.client.sent

    def execute(self) -> Outcome:
        """Executes the plan."""
        return execute(self.context, self.survey)

    def apply(self) -> Outcome:
        """Executes the plan; whatever became of it, each action has exactly one result, and each was told once.

        What was made on the way and lost with the answer has a result as well, behind those of the plan.
        """
        outcome = self.execute()
        self.tell("")
        assert sorted(outcome.results, key=repr) == sorted(self.told, key=repr)
        planned = sorted((action.kind, action.entry) for action in outcome.plan.actions)
        results = outcome.results[: len(planned)]
        assert sorted((result.kind, result.entry) for result in results) == planned
        assert {result.kind for result in outcome.results[len(planned) :]} <= {ActionKind.REVOKE}
        return outcome

    def serve(self, *entries: str, **options: Any) -> Outcome:
        """Plans and applies, and expects all to go well."""
        self.prepare(*entries, **options)
        outcome = self.apply()
        assert not outcome.failed, outcome.results
        return outcome

    def settled(self, *entries: str, **options: Any) -> bool:
        """Whether a new plan has nothing to do."""
        self.prepare(*entries, **options)
        return not self.survey.plan.actions and not self.survey.plan.problems

    def active(self, name: str = "") -> list[str]:
        """The active generations of an entry, by name."""
        wanted = name or self.name
        found = [token["name"] for token in self.sandbox.active_tokens()]
        return sorted(token for token in found if token.partition(".g")[0] == wanted)

    def token_id(self, token: str) -> str:
        (found,) = [item for item in self.sandbox.active_tokens() if item["name"] == token]
        return str(found["id"])

    def _open(self, target: Target) -> Store:
        return self.store(target.place.removeprefix("file "))


def statuses(outcome: Outcome) -> list[tuple[str, str, ResultStatus]]:
    """What became of each action, in the order in which they ended."""
    return [(str(result.kind), result.token, result.status) for result in outcome.results]


def only(outcome: Outcome) -> Result:
    (result,) = outcome.results
    return result
