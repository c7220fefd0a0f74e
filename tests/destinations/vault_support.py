"""What the tests of the ``vault`` destination share: one key of one secret of a real server."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from tests.destinations.support import HERE, SECRET, TOKEN_ID, held, mark, record
from tooken_ci.base.secret import Secret
from tooken_ci.destinations.interface import Surroundings
from tooken_ci.destinations.vault import VaultKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.bao import Bao
    from tooken_ci.destinations.interface import Destination
    from tooken_ci.spec.model import Target

PATH = "ci/tooken"
KEY = "token"
NAME = f"tooken-ci.{KEY}"


def kind_for(environment: Mapping[str, str]) -> VaultKind:
    """A kind of its own: nothing is shared with another, as between two runs."""
    return VaultKind(Surroundings(environment=environment))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Vault:
    """One secret in a mount of its own.

    Attributes:
        bao: the server.
        mount: of a KV v2 engine.
        environment: of the run.
        path: below the mount.
    """

    bao: Bao
    mount: str
    environment: Mapping[str, str]
    path: str = PATH

    def kind(self, **environment: str) -> VaultKind:
        """A kind of its own; variables may be other ones."""
        return kind_for({**self.environment, **environment})

    def target(self, kind: VaultKind, key: str = KEY, **settings: Any) -> Target:
        """The target of a key."""
        return kind.parse({"path": f"{self.mount}/{self.path}", "key": key, **settings}, HERE)

    def open(self, key: str = KEY, **environment: str) -> Destination:
        """A destination of a run of its own."""
        kind = self.kind(**environment)
        return kind.open(self.target(kind, key))

    @property
    def data(self) -> Any:
        """What the server has, all keys."""
        return self.bao.data(self.mount, self.path)

    @property
    def custom(self) -> dict[str, str]:
        """The custom metadata that the server has."""
        return self.bao.custom(self.mount, self.path)

    def put(self, data: Mapping[str, Any]) -> None:
        """Writes the secret by hand."""
        self.bao.put(self.mount, self.path, data)

    def patch(self, custom: Mapping[str, str | None]) -> None:
        """Changes the custom metadata by hand."""
        self.bao.patch(self.mount, self.path, custom)

    def policy(self, data: str, metadata: str) -> str:
        """A policy on the two halves of the secret; each is given as ``read update``."""
        parts = {"data": data, "metadata": metadata}
        return "\n".join(
            f'path "{self.mount}/{part}/{self.path}" {{ capabilities = [{_listed(words)}] }}'
            for part, words in parts.items()
            if words
        )


def _listed(words: str) -> str:
    return ", ".join(f'"{word}"' for word in words.split())


def deliver(destination: Destination, token_id: str = TOKEN_ID, secret: str = SECRET) -> None:
    """Mark, secret, record: as an apply does it."""
    destination.write_record(record(marks=(mark(),)))
    destination.write(Secret(secret))
    assert destination.holds(Secret(secret)) is True
    destination.write_record(record(of=held(token_id, secret)))
