"""What the tests of the ``gitlab_variable`` destination share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.destinations.support import HERE, SECRET, TOKEN_ID, held, mark, record
from tests.support.gitlab import TOKEN
from tooken_ci.base.secret import Secret
from tooken_ci.destinations.gitlab_api import Patience
from tooken_ci.destinations.gitlab_variable import GitLabVariableKind
from tooken_ci.destinations.interface import Surroundings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.gitlab import FakeGitLab, Owner
    from tooken_ci.base.record import DeliveryRecord, Look
    from tooken_ci.destinations.gitlab_store import GitLabDestination

KEY = "TOOKEN_TOKEN"
NOTE = "TOOKEN_TOKEN_TOOKEN_MARK"
SHOP = {"project": "acme/shop", "name": KEY}
QUICK = Patience(connect=2, read=0.5, whole=5, pause=0.01, tries=3)


def kind(fake: FakeGitLab, *, token: str = TOKEN, **environment: str) -> GitLabVariableKind:
    """The kind as it is in one run."""
    told = {**fake.environment(token), **environment}
    return GitLabVariableKind(Surroundings(environment=told), QUICK)


class Place:
    """One variable at the fake, as the tool sees it and as it is.

    Attributes:
        fake: the GitLab.
        owner: whose variable it is.
        settings: as a spec has them.
    """

    def __init__(self, fake: FakeGitLab, owner: Owner, settings: Mapping[str, Any] = SHOP, **more: Any) -> None:
        self.fake = fake
        self.owner = owner
        self.settings = {**settings, **more}

    def open(self, **environment: str) -> GitLabDestination:
        """The destination, as another run has it."""
        of = kind(self.fake, **environment)
        return of.open(of.parse(self.settings, HERE))

    def look(self) -> Look:
        """What another run sees."""
        return self.open().look()

    def deliver(self, token_id: str = TOKEN_ID, secret: str = SECRET) -> GitLabDestination:
        """Check, mark, secret, record, with the looks between them, as an apply does it."""
        destination = self.open()
        destination.check()
        before = destination.look().record or record()
        destination.write_record(before.marked(mark()))
        destination.look()
        destination.write(Secret(secret))
        destination.holds(Secret(secret))
        destination.write_record(record(of=held(token_id, secret)))
        return destination

    @property
    def variable(self) -> dict[str, Any] | None:
        """The variable as it is, with its value even if that is hidden."""
        return self._of(KEY)

    @property
    def note(self) -> dict[str, Any] | None:
        """The note beside it."""
        return self._of(NOTE)

    @property
    def value(self) -> str | None:
        return None if self.variable is None else self.variable["value"]

    def put(self, value: str | None = None, description: str | None = None, **more: Any) -> None:
        """Changes the variable by hand, or makes it."""
        if self.variable is None:
            plain = {"masked": False, "protected": False, "raw": False, "variable_type": "env_var", "hidden": False}
            scope = self.settings.get("environment_scope", "*")
            self.owner.variables.append({"key": KEY, "environment_scope": scope, "description": None, **plain})
        assert self.variable is not None
        changes = {"value": value, "description": description}
        self.variable.update({name: changed for name, changed in changes.items() if changed is not None} | more)

    def stands(self, of: DeliveryRecord) -> bool:
        """Whether the variable's description is that record."""
        return self.variable is not None and self.variable["description"] == of.to_text(short=True)

    def _of(self, key: str) -> dict[str, Any] | None:
        found = self.owner.find(key, self.settings.get("environment_scope", "*"))
        return found[0] if found else None
