"""What the secrets of one repository, environment or organization share: their lists, their key, their limits."""

from __future__ import annotations

import dataclasses
import math
import threading
import time
from typing import TYPE_CHECKING, Any

from tooken_ci.base import times
from tooken_ci.base.errors import DestinationError
from tooken_ci.base.text import quoted
from tooken_ci.destinations.github_names import RECORD_SUFFIX, SELECTED

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from tooken_ci.destinations.github_api import Answer, Api
    from tooken_ci.destinations.github_names import Holder, Settings

SECRETS_A_PAGE = 100
VARIABLES_A_PAGE = 30
"""GitHub's own greatest numbers."""

PROBE = "GITHUB_TOOKEN_CI_PROBE"
"""A secret that cannot exist, since GitHub keeps that prefix to itself: to delete it only tells who may write."""

MISSING = frozenset({404})
_FORBIDDEN = 403
_PROBE_TIME = 30.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class SecretThere:
    """A secret as GitHub tells of it.

    Attributes:
        written_at: when it was last written, in whole seconds of GitHub's clock.
        visibility: which repositories may use an organization's; empty for any other.
        repositories: the names of those that are selected, in lower case.
    """

    written_at: dt.datetime
    visibility: str = ""
    repositories: frozenset[str] = frozenset()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Found:
    """What stands at one destination.

    Attributes:
        secret: None = it is not there.
        variable: the text of the variable that keeps the record; None = it is not there, or none is kept.
    """

    secret: SecretThere | None
    variable: str | None


class Group:
    """The secrets of one holder. Every thread asks the same one."""

    def __init__(self, holder: Holder, connect: Callable[[], Api]) -> None:
        self.holder = holder
        self._connect = connect
        self._guard = threading.RLock()
        self._key: tuple[str, str] | None = None
        self._total: dict[str, int] = {}  # by the path of a list: how many there were when it was first asked for
        self._new: dict[str, set[str]] = {}  # likewise: what this run is about to add
        self._ids: dict[str, int] = {}
        self._probed = False

    @property
    def api(self) -> Api:
        """The way to GitHub.

        Raises:
            DestinationError: its address or a credential for it is missing.
        """
        return self._connect()

    def find(self, settings: Collection[Settings]) -> list[Found]:
        """What stands at some destinations, with as few requests as there can be.

        Raises:
            DestinationError: GitHub refuses, or cannot be reached.
        """
        secrets = self._read(self.holder.secrets, "secrets", SECRETS_A_PAGE, {one.name for one in settings})
        recorded = {one.record_name for one in settings if one.recorded}
        variables = self._read(self.holder.variables, "variables", VARIABLES_A_PAGE, recorded)
        return [
            Found(
                secret=self._secret(one, secrets[one.name]),
                variable=_text(variables[one.record_name], "value") if variables.get(one.record_name) else None,
            )
            for one in settings
        ]

    def secret(self, settings: Settings, until: float) -> SecretThere | None:
        """One secret, asked for by its name."""
        return self._secret(settings, self._one(self.holder.secrets, settings.name, until))

    def key(self, until: float, *, afresh: bool = False) -> tuple[str, str]:
        """The id of the key that secrets are sealed with, and the key itself, in base64; GitHub is asked once."""
        with self._guard:
            if self._key is None or afresh:
                data = self.api.get(f"{self.holder.secrets}/public-key", until=until).data
                self._key = _text(data, "key_id"), _text(data, "key")
            return self._key

    def probe(self) -> None:
        """See once whether the credential may write secrets: what it may not write it may not delete either.

        Raises:
            DestinationError: it may not.
        """
        with self._guard:
            if not self._probed:
                accept = frozenset(range(400, 500)) - {401, _FORBIDDEN}
                path = f"{self.holder.secrets}/{PROBE}"
                self.api.send("DELETE", path, None, until=time.monotonic() + _PROBE_TIME, accept=accept)
                self._probed = True

    def room(self, settings: Settings, found: Found) -> None:
        """See that what is to be added does not go over GitHub's limits.

        Raises:
            DestinationError: it does.
        """
        if found.secret is None and self.holder.most_secrets is not None:
            self._room(self.holder.secrets, "secrets", settings.name, self.holder.most_secrets)
        if found.variable is None and settings.recorded:
            self._room(self.holder.variables, "variables", settings.record_name, self.holder.most_variables)

    def ids(self, settings: Settings, until: float | None = None) -> list[int]:
        """The ids of the repositories that may use an organization's secret, each asked for once."""
        with self._guard:
            for name in sorted(settings.repositories - self._ids.keys()):
                data = self.api.get(f"/repos/{self.holder.owner}/{name}", until=until).data
                self._ids[name] = _number(data, "id")
            return [self._ids[name] for name in sorted(settings.repositories)]

    def _read(self, path: str, key: str, most: int, names: set[str]) -> dict[str, Any]:
        """What GitHub tells of each of some names, by name; None where it is surely not there."""
        if len(names) <= 1:
            return {name: self._one(path, name) for name in names}
        found, left = self._listed(path, key, most, names)
        return {name: self._one(path, name) if name in left else found.get(name) for name in names}

    def _one(self, path: str, name: str, until: float | None = None) -> Any:
        answer = self.api.get(f"{path}/{name}", accept=MISSING, until=until)
        if answer.status not in MISSING:
            return answer.data
        self._count(path, until)  # also where the repository is missing, or not to be seen, a secret is "not found"
        return None

    def _count(self, path: str, until: float | None = None) -> int:
        """How many secrets or variables there were when that was first asked for."""
        with self._guard:
            if path not in self._total:
                self._total[path] = _number(self.api.get(path, until=until, per_page=1, page=1).data, "total_count")
            return self._total[path]

    def _room(self, path: str, what: str, name: str, most: int) -> None:
        with self._guard:
            new = self._new.setdefault(path, set())
            new.add(name)
            there = self._count(path)
            if there + len(new) > most:
                raise DestinationError(
                    f"it has {there} {what}, {len(new)} of this run are to be added, and GitHub allows no more than "
                    f"{most}.",
                    hint="Remove some there, or deliver elsewhere.",
                )

    def _listed(self, path: str, key: str, most: int, names: set[str]) -> tuple[dict[str, Any], set[str]]:
        """What the list of all tells of some names, by name, and the names that are to be asked for one by one.

        Those are the rest where that costs no more than the pages that are left, and where the list changed while it
        was read: then a name that it does not have may be there all the same.
        """
        first = self.api.get(path, per_page=most, page=1)
        total = _number(first.data, "total_count")
        found = dict(_items(first, key))
        with self._guard:
            self._total.setdefault(path, total)
        later = math.ceil(total / most) - 1
        if len(names - found.keys()) <= later:
            return found, names - found.keys()
        totals = {total}
        for page in range(2, later + 2):
            answer = self.api.get(path, per_page=most, page=page)
            found.update(_items(answer, key))
            totals.add(_number(answer.data, "total_count"))
        return found, set() if totals == {len(found)} else names - found.keys()

    def _secret(self, settings: Settings, data: Any) -> SecretThere | None:
        if data is None:
            return None
        visibility = _text(data, "visibility") if settings.visibility else ""
        selected = settings.visibility == visibility == SELECTED
        return SecretThere(
            written_at=_instant(data, "updated_at"),
            visibility=visibility,
            repositories=frozenset(self._selected(settings.name)) if selected else frozenset(),
        )

    def _selected(self, name: str) -> Iterator[str]:
        """The names of the repositories that may use an organization's secret."""
        page, seen, total = 1, 0, 1
        while seen < total:
            path = f"{self.holder.secrets}/{name}/repositories"
            answer = self.api.get(path, per_page=SECRETS_A_PAGE, page=page)
            total = _number(answer.data, "total_count")
            names = [repository for repository, _ in _items(answer, "repositories")]
            yield from (repository.lower() for repository in names)
            page, seen = page + 1, seen + len(names)
            if not names:
                return


def _items(answer: Answer, key: str) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """What a page of a list has, each with its name in upper case."""
    items = answer.data.get(key) if isinstance(answer.data, dict) else None
    if not isinstance(items, list):
        raise _strange(key)
    return [(_text(item, "name").upper(), item) for item in items]


def _text(data: Any, key: str) -> str:
    value = data.get(key) if isinstance(data, dict) else None
    if not isinstance(value, str):
        raise _strange(key)
    return value


def _number(data: Any, key: str) -> int:
    value = data.get(key) if isinstance(data, dict) else None
    if not isinstance(value, int) or isinstance(value, bool):
        raise _strange(key)
    return value


def _instant(data: Any, key: str) -> dt.datetime:
    try:
        return times.parse(_text(data, key)).replace(microsecond=0)
    except ValueError:
        raise _strange(key) from None


def _strange(key: str) -> DestinationError:
    return DestinationError(
        f"GitHub's answer has no {quoted(key)} as it is documented; what answers may not be GitHub.",
        hint=f"Look at GITHUB_API_URL and any proxy. A record stands in a variable that ends in {RECORD_SUFFIX}.",
    )
