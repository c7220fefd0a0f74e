"""A workspace, its destinations, a folder with a spec, and the command that is run there and comes to harm."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
from typing import TYPE_CHECKING, Any, Self

import yaml

from tests.crash.stage import Harms, Stage
from tests.crash.timing import SharedTime
from tests.crash.watch import Watch
from tests.crash.zygote import Zygote
from tests.e2e.leaks import files_under

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.crash.stage import State
    from tests.crash.store import Harm
    from tests.crash.zygote import Ended
    from tooken_ci.sandbox.settings import RevokedNames


@dataclasses.dataclass(frozen=True, kw_only=True)
class Kept:
    """Everything as it was at one moment."""

    state: State
    files: Mapping[str, bytes]
    watch: Watch


class Rig:
    """Runs the command, harms it, and watches.

    Attributes:
        stage: the workspace and the destinations.
        folder: the working directory.
        watch: holds what must never happen against what does.
        environment: what a run finds in its environment beside the API's address and the key.
        key: gives the key of the next run.
    """

    def __init__(self, folder: Path, *, revoked_names: RevokedNames = "reserved") -> None:
        """Starts it all."""
        with contextlib.ExitStack() as stack:
            folder.mkdir(parents=True, exist_ok=True)
            self.shared = stack.enter_context(SharedTime(folder / "time"))
            self._zygotes = [
                stack.enter_context(Zygote(self.shared, folder / f"run-{index}", index)) for index in range(2)
            ]
            self.stage = stack.enter_context(Stage(folder, self.shared, revoked_names=revoked_names))
            self._stack = stack.pop_all()
        self.folder = folder / "project"
        self.folder.mkdir()
        self.environment: Mapping[str, str] = {}
        self.key: Callable[[], str] = lambda: self.stage.api_key
        self.watch = Watch()
        self.stage.check = lambda what: self.watch.look(self.stage, self.folder, what)
        self.stage.kill = self._zygotes[0].kill

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def write(self, spec: Mapping[str, Any]) -> None:
        """Writes the spec, which is what is watched over from now on."""
        (self.folder / "tooken.yml").write_text(yaml.safe_dump(dict(spec), sort_keys=False), encoding="utf-8")
        self.watch.expect(spec)
        self.stage.do(lambda: self.watch.excuse(self.stage))

    def keep(self) -> Kept:
        """Everything as it is."""
        return Kept(state=self.stage.keep(), files=files_under(self.folder), watch=self.watch.copy())

    def put_back(self, kept: Kept) -> None:
        """Makes everything as it was."""
        self.stage.put_back(kept.state)
        self.watch = kept.watch.copy()
        shutil.rmtree(self.folder)
        self.folder.mkdir()
        for name, content in kept.files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(0o600)

    def run(
        self,
        *arguments: str,
        harms: Harms | None = None,
        write: tuple[int, Harm] | None = None,
        rename: tuple[int, Harm] | None = None,
    ) -> Ended:
        """Runs the command to its end, whatever comes, and searches what it left for secrets."""
        self.stage.begin(harms or Harms(), write=write)
        self.start(0, *arguments, rename=rename)
        return self.end(0)

    def start(self, client: int, *arguments: str, rename: tuple[int, Harm] | None = None) -> None:
        """Starts the command as one of two that may run at once."""
        environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "TOOKEN_API_URL": self.stage.url(client),
            "TOOKEN_API_KEY": self.key(),
            **self.environment,
        }
        self._zygotes[client].start(*arguments, folder=self.folder, environment=environment, rename=rename)

    def end(self, client: int) -> Ended:
        """Waits for it."""
        ended = self._zygotes[client].end()
        self.watch.look_after_run(self.stage, self.folder, ended)
        return ended

    def running(self, client: int) -> bool:
        """Whether it runs still."""
        return self._zygotes[client].running

    @property
    def renames(self) -> int:
        """How many files the last run has renamed."""
        return self._zygotes[0].renames

    def advance(self, seconds: float) -> None:
        """Moves the time."""
        self.stage.do(lambda: self.stage.advance(seconds))

    def lives(self, secret: str | None) -> bool:
        """Whether there is a secret, and it authenticates."""
        return bool(secret) and self.stage.do(lambda: self.stage.lives(secret or ""))

    def plan(self) -> Any:
        """The plan as data."""
        ended = self.run("plan", "--format", "json", "--busy-grace", "0")
        return json.loads(ended.out)
