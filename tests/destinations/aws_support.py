"""What the tests of the ``aws_secret`` destination share."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import uuid
from typing import TYPE_CHECKING, Any

from tests.destinations.support import AT, HERE, SECRET, TOKEN_ID, held, mark, record
from tooken_ci.base.record import DeliveryRecord, Mark, MarkKind
from tooken_ci.base.secret import Secret
from tooken_ci.destinations.aws_secret import AwsSecretKind
from tooken_ci.destinations.interface import Surroundings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.aws import Gate
    from tooken_ci.base.record import Look
    from tooken_ci.destinations.aws_store import AwsDestination
    from tooken_ci.spec.model import Target


class AwsPlace:
    """One secret, which is there unless it is said otherwise, and the destinations in it.

    Attributes:
        name: of the secret, its own.
        aws: where it is.
        kind: as a run has it.
    """

    def __init__(self, aws: Gate, text: str | None = None, *, made: bool = True) -> None:
        self.name = f"test/{uuid.uuid4().hex}"
        self.aws = aws
        self.kind = AwsSecretKind(Surroundings(environment=os.environ))
        if text is not None:
            aws.direct.create_secret(Name=self.name, SecretString=text)
        elif made:
            aws.direct.create_secret(Name=self.name)

    def target(self, **settings: Any) -> Target:
        return self.kind.parse({"name": self.name, **settings}, HERE)

    def open(self, **settings: Any) -> AwsDestination:
        return self.kind.open(self.target(**settings))

    def read(self) -> str:
        return self.aws.read(self.name)

    def keys(self) -> dict[str, Any]:
        """What consumers read, as an object."""
        found = json.loads(self.read())
        assert isinstance(found, dict)
        return found

    def tags(self) -> dict[str, str]:
        return self.aws.tags(self.name)

    def stages(self) -> list[list[str]]:
        """The labels of the versions that have some, without their ids."""
        return sorted(self.aws.stages(self.name).values())

    def tag(self, **tags: str) -> None:
        pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
        self.aws.direct.tag_resource(SecretId=self.name, Tags=pairs)  # type: ignore[arg-type]

    def close(self) -> None:
        """Ends the connections of the run."""
        for api in self.kind._aws._apis.values() if self.kind._aws is not None else ():
            if not isinstance(api, tuple):
                api._client.close()


@contextlib.contextmanager
def place(aws: Gate, text: str | None = None, *, made: bool = True) -> Iterator[AwsPlace]:
    with contextlib.closing(AwsPlace(aws, text, made=made)) as opened:
        yield opened


def deliver(destination: AwsDestination, token_id: str = TOKEN_ID, secret: str = SECRET) -> None:
    """Mark, secret, record: as an apply does it."""
    destination.write_record(record(marks=(mark(),)))
    destination.write(Secret(secret))
    destination.write_record(record(of=held(token_id, secret)))


def long_record(marks: int, letter: str = "x") -> DeliveryRecord:
    """A record of a token whose name has 100 characters, with marks of as long names."""
    name = letter * 97 + ".g9"
    of = dataclasses.replace(held(), id="tok_" + "0" * 32, name=name)
    made = tuple(Mark(kind=MarkKind.CREATE, name=name, run=f"{run:012x}", at=AT) for run in range(marks))
    return DeliveryRecord(workspace="production", held=of, marks=made)


class KeptKey:
    """The value of a key, handled as if it were a file."""

    def __init__(self, place: AwsPlace, key: str) -> None:
        self._place = place
        self._key = key

    def read_bytes(self) -> bytes:
        return str(self._place.keys()[self._key]).encode()

    def write_bytes(self, content: bytes) -> None:
        self._place.aws.edit(self._place.name, json.dumps(self._place.keys() | {self._key: content.decode()}))

    def unlink(self) -> None:
        rest = {key: value for key, value in self._place.keys().items() if key != self._key}
        self._place.aws.edit(self._place.name, json.dumps(rest))


class KeptTag:
    """The record in a tag, handled as if it were a file with one line."""

    def __init__(self, place: AwsPlace, tag: str) -> None:
        self._place = place
        self._tag = tag

    def read_text(self, encoding: str = "") -> str:
        return self._place.tags()[self._tag] + "\n"

    def write_text(self, text: str, encoding: str = "") -> None:
        self._place.tag(**{self._tag: text.removesuffix("\n")})

    def unlink(self) -> None:
        self._place.aws.direct.untag_resource(SecretId=self._place.name, TagKeys=[self._tag])


def states(looks: list[Look]) -> list[str]:
    return [str(look.state) for look in looks]
