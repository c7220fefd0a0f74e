"""One secret of a KV v2 mount: its data under check-and-set, its custom metadata by patch, neither losing another's."""

from __future__ import annotations

import dataclasses
import enum
import re
from typing import TYPE_CHECKING, Any

from hvac.utils import format_url

from tooken_ci.base.text import quoted
from tooken_ci.destinations.vault_http import raw
from tooken_ci.destinations.vault_session import FORBIDDEN, NOT_FOUND, OK, Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tooken_ci.base.errors import DestinationError
    from tooken_ci.destinations.vault_http import Effort
    from tooken_ci.destinations.vault_session import Session
    from tooken_ci.destinations.vault_settings import Spot

_GLANCES = 5
_INVALID = 400
_NOT_ALLOWED = 405
_MISMATCH = re.compile(r"check-and-set parameter (did|does) not match")
_MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}
POLICY_HINT = "docs/destinations.md of tooken-ci has the policies that it needs."


class Outcome(enum.Enum):
    """What became of a write."""

    DONE = enum.auto()
    CONFLICT = enum.auto()
    """Somebody else has written meanwhile: surely nothing was done."""
    NOT_ALLOWED = enum.auto()
    """The policy or the server does not know this way to write: surely nothing was done."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Contents:
    """A secret as it stands, data and record from one moment.

    Attributes:
        data: of the newest version; empty where that is deleted or destroyed, or there is none.
        version: the newest version's number; 0 = there is none.
        metadata: the custom metadata.
    """

    data: Mapping[str, Any] = dataclasses.field(default_factory=dict, repr=False)
    version: int = 0
    metadata: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Metadata:
    """The metadata of a secret that is there, perhaps without a version.

    Attributes:
        custom: the custom metadata.
        version: the newest version's number; 0 = there is none.
        counter: moves with every change of the metadata (OpenBao); None = the server keeps none (Vault).
    """

    custom: Mapping[str, str]
    version: int
    counter: int | None


class KvSecret:
    """One secret. Every method raises ``DestinationError`` where it cannot do what it says."""

    def __init__(self, session: Session, spot: Spot) -> None:
        self._session = session
        self._spot = spot
        self._metadata_url = format_url("/v1/{mount}/metadata/{path}", mount=spot.mount, path=spot.path)

    def read(self, effort: Effort) -> Contents:
        """What stands there; one request, two where there is no version."""
        for _ in range(_GLANCES):
            contents = self._newest(effort)
            if contents is not None:
                return contents
            found = self.metadata(effort)
            if found is None:
                self._see_that_it_is_v2(effort)
                return Contents()
            if found.version == 0:
                return Contents(metadata=found.custom)
            # somebody wrote the first version between the two requests: what it holds must not be taken for nothing
        raise effort.error(
            f"{quoted(str(self._spot))} keeps changing, or its newest version cannot be read.", "Run again."
        )

    def _newest(self, effort: Effort) -> Contents | None:
        """Data and record of the newest version, from one answer; None where there is none."""
        spot = self._spot
        answer = self._session.ask(
            lambda client: raw(
                client.secrets.kv.v2.read_secret_version(
                    path=spot.path, mount_point=spot.mount, raise_on_deleted_version=False
                )
            ),
            effort,
        )
        about = answer.data.get("metadata")
        if isinstance(about, dict) and answer.status in {*OK, NOT_FOUND}:
            return self._contents(answer, about, effort)
        if answer.status in OK:
            raise effort.error(
                f"{quoted(spot.mount)} is not a KV v2 mount.", "Deliver to one; 'vault kv' can upgrade it."
            )
        if not answer.found_nothing:
            raise self._refused("read", answer, effort)
        return None

    def _contents(self, answer: Answer, about: Mapping[str, Any], effort: Effort) -> Contents:
        data, version = answer.data.get("data"), about.get("version")
        if not isinstance(version, int):
            raise effort.error(f"The answer for {quoted(str(self._spot))} names no version.", "Check VAULT_ADDR.")
        if "custom_metadata" in about:
            custom = _texts(about["custom_metadata"])
        else:
            found = self.metadata(effort)
            custom = found.custom if found is not None else {}
        return Contents(data=data if isinstance(data, dict) else {}, version=version, metadata=custom)

    def metadata(self, effort: Effort) -> Metadata | None:
        """Its metadata; None where there is no such secret yet."""
        spot = self._spot
        answer = self._session.ask(
            lambda client: raw(client.secrets.kv.v2.read_secret_metadata(path=spot.path, mount_point=spot.mount)),
            effort,
        )
        if answer.found_nothing:
            return None
        version = answer.data.get("current_version")
        if answer.status not in OK:
            raise self._refused("read the metadata of", answer, effort)
        if not isinstance(version, int):
            raise effort.error(
                f"{quoted(spot.mount)} is not a KV v2 mount.", "Deliver to one; 'vault kv' can upgrade it."
            )
        counter = answer.data.get("current_metadata_version")
        return Metadata(
            custom=_texts(answer.data.get("custom_metadata")),
            version=version,
            counter=counter if isinstance(counter, int) else None,
        )

    def put(self, data: Mapping[str, Any], version: int, effort: Effort) -> Outcome:
        """Write a new version, if the newest is still the one that was read."""
        spot = self._spot
        answer = self._session.ask(
            lambda client: raw(
                client.secrets.kv.v2.create_or_update_secret(
                    path=spot.path, secret=dict(data), cas=version, mount_point=spot.mount
                )
            ),
            effort,
            writes=True,
        )
        return self._outcome("write", answer, effort)

    def create(self, effort: Effort) -> None:
        """Make the secret, without a version and without metadata; whoever else makes it at once loses nothing."""
        outcome = self._write_metadata("post", {"max_versions": 0, "metadata_cas": 0}, effort)
        if outcome is Outcome.NOT_ALLOWED and self.metadata(effort) is None:
            raise effort.error(f"Vault does not permit to create {quoted(str(self._spot))}.", POLICY_HINT)

    def patch_metadata(self, changes: Mapping[str, str | None], counter: int | None, effort: Effort) -> Outcome:
        """Change a part of the custom metadata; the server merges, so that nothing else is touched."""
        body = {"custom_metadata": dict(changes), **({} if counter is None else {"metadata_cas": counter})}
        return self._write_metadata("patch", body, effort)

    def put_metadata(self, custom: Mapping[str, str], counter: int, effort: Effort) -> Outcome:
        """Write all of the custom metadata, if nobody has changed it meanwhile."""
        return self._write_metadata("post", {"custom_metadata": dict(custom), "metadata_cas": counter}, effort)

    def _write_metadata(self, method: str, body: Mapping[str, Any], effort: Effort) -> Outcome:
        headers = _MERGE_PATCH if method == "patch" else {}
        answer = self._session.ask(
            lambda client: raw(
                client.adapter.request(method, self._metadata_url, headers=dict(headers), json=dict(body))
            ),
            effort,
            writes=True,
        )
        if answer.status in {FORBIDDEN, _NOT_ALLOWED}:
            return Outcome.NOT_ALLOWED
        if answer.status == NOT_FOUND and not answer.body:  # it was deleted since it was read
            return Outcome.CONFLICT
        return self._outcome("write the metadata of", answer, effort)

    def _outcome(self, verb: str, answer: Answer, effort: Effort) -> Outcome:
        if answer.status in OK:
            return Outcome.DONE
        if answer.status == _INVALID and _MISMATCH.search(answer.errors):
            return Outcome.CONFLICT
        raise self._refused(verb, answer, effort)

    def capabilities(self, effort: Effort) -> tuple[frozenset[str], frozenset[str]] | None:
        """What the policy permits on data and metadata; None where the server does not tell."""
        paths = [f"{self._spot.mount}/{part}/{self._spot.path}" for part in ("data", "metadata")]
        answer = self._session.ask(
            lambda client: client.adapter.post("/v1/sys/capabilities-self", json={"paths": paths}), effort
        )
        on_data, on_metadata = (answer.data.get(path) for path in paths)
        if answer.status not in OK or not isinstance(on_data, list) or not isinstance(on_metadata, list):
            return None
        return frozenset(map(str, on_data)), frozenset(map(str, on_metadata))

    def _see_that_it_is_v2(self, effort: Effort) -> None:
        """Where nothing is found yet, an older kind of mount looks just the same, but would keep no record."""
        if self._spot.mount in self._session.mounts:
            return
        wrong = self._wrong_mount(effort)
        if wrong is not None:
            raise wrong
        self._session.mounts.add(self._spot.mount)

    def _wrong_mount(self, effort: Effort) -> DestinationError | None:
        """What is wrong with the mount; None where nothing is, or Vault does not tell."""
        url = format_url("/v1/sys/internal/ui/mounts/{path}", path=str(self._spot))
        answer = self._session.ask(lambda client: raw(client.adapter.get(url)), effort)
        mount, options = str(answer.data.get("path", "")).strip("/"), answer.data.get("options")
        if answer.status not in OK or not mount:
            return None
        whole = "/".join(filter(None, (self._session.server.namespace, self._spot.mount)))
        if mount not in {self._spot.mount, whole}:
            return effort.error(
                f"{quoted(str(self._spot))} lies in the mount {quoted(mount)}, not in {quoted(self._spot.mount)}.",
                "Say so with 'mount:'.",
            )
        version = str(options.get("version") or "") if isinstance(options, dict) else ""
        if answer.data.get("type") == "kv" and version == "2":
            return None
        kind = f"{answer.data.get('type')}{f' version {version}' if version else ''}"
        return effort.error(
            f"{quoted(self._spot.mount)} is a mount of the type {quoted(kind)}, not KV version 2.",
            "Deliver to one that is: only there a secret has a record and check-and-set.",
        )

    def _refused(self, verb: str, answer: Answer, effort: Effort) -> DestinationError:
        if answer.status in {FORBIDDEN, NOT_FOUND}:
            wrong = self._wrong_mount(effort)
            if wrong is not None:
                return wrong
        hints = {
            FORBIDDEN: f"Check the token and its policy. {POLICY_HINT}",
            NOT_FOUND: "Check the mount and namespace.",
        }
        return effort.error(
            f"Vault refused to {verb} {quoted(str(self._spot))} ({answer}).", hints.get(answer.status, "")
        )


def _texts(metadata: Any) -> Mapping[str, str]:
    return {str(name): str(text) for name, text in metadata.items()} if isinstance(metadata, dict) else {}
