"""AWS Secrets Manager as requests: the few there are, and what is sent again."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import time
import uuid
from typing import TYPE_CHECKING, TypeVar

from tooken_ci.base.redact import redactor
from tooken_ci.base.secret import Secret
from tooken_ci.destinations import timing
from tooken_ci.destinations.aws_errors import FAILURES, AwsError, no_credentials, not_aws, told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from botocore.credentials import Credentials
    from types_boto3_secretsmanager.client import SecretsManagerClient

_T = TypeVar("_T", bound="Mapping[str, object]")

CURRENT, PENDING, PREVIOUS = "AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"
NOT_FOUND, EXISTS = "ResourceNotFoundException", "ResourceExistsException"

_OURS = "tooken-ci-"
"""How the ids of our versions begin: by it what a run of ours left is told from a rotation's."""

CONNECT, READ = 3.0, 8.0
LONGEST_TRY = CONNECT + READ
"""Seconds."""

_SILENT = {"TagResource", "UntagResource"}
"""Operations to which AWS answers nothing; whether they were done is read back."""

_TRIES = 5


@dataclasses.dataclass(frozen=True, kw_only=True)
class Described:
    """What AWS says of a secret, without its value.

    Attributes:
        tags: by key.
        stages: the labels of each version, by its id.
        deleted: when it is to be deleted; empty = it is not.
        owner: the service that manages it; empty = nobody does.
        primary: the region that it is a copy from; empty = it is none.
    """

    tags: Mapping[str, str]
    stages: Mapping[str, frozenset[str]]
    deleted: str = ""
    owner: str = ""
    primary: str = ""

    def labelled(self, stage: str) -> str | None:
        """The version that has a label; None = none has."""
        return next((version for version, stages in self.stages.items() if stage in stages), None)

    @property
    def rotating(self) -> str | None:
        """The version that is pending, is nobody's leavings and is not ours; None = there is none."""
        version = self.labelled(PENDING)
        over = version is None or version.startswith(_OURS) or {CURRENT, PREVIOUS} & self.stages[version]
        return None if over else version


@dataclasses.dataclass(frozen=True, kw_only=True)
class Value:
    """One version of a secret.

    Attributes:
        version: its id.
        text: None = it is binary.
    """

    version: str
    text: str | None = dataclasses.field(repr=False)


class Api:
    """The requests. Each takes ``until``, the moment by which its last try must have ended."""

    def __init__(self, client: SecretsManagerClient, credentials: Credentials) -> None:
        self._client = client
        self._credentials = credentials
        self._known: object = None
        self.region: str = client.meta.region_name

    def describe(self, secret: str, until: float) -> Described | None:
        """What AWS says of a secret; None = there is none.

        Raises:
            AwsError: it could not be asked.
        """
        try:
            answer = self._send("DescribeSecret", lambda: self._client.describe_secret(SecretId=secret), until)
        except AwsError as error:
            if error.aws_code == NOT_FOUND:
                return None
            raise
        primary = answer.get("PrimaryRegion", "")
        return Described(
            tags={tag.get("Key", ""): tag.get("Value", "") for tag in answer.get("Tags", ())},
            stages={version: frozenset(stages) for version, stages in answer.get("VersionIdsToStages", {}).items()},
            deleted=f"{deleted:%Y-%m-%d}" if (deleted := answer.get("DeletedDate")) else "",
            owner=answer.get("OwningService", ""),
            primary=primary if primary != self.region else "",
        )

    def current(self, secret: str, until: float) -> Value:
        """The version that consumers read.

        Raises:
            AwsError: it could not be had.
        """
        # the label stands in the request although it is AWS's default: a policy may ask for it
        get = self._client.get_secret_value
        answer = self._send("GetSecretValue", lambda: get(SecretId=secret, VersionStage=CURRENT), until)
        return _value(answer.get("VersionId", ""), answer.get("SecretString"))

    def version(self, secret: str, version: str, until: float) -> Value:
        """One version.

        Raises:
            AwsError: it could not be had.
        """
        get = self._client.get_secret_value
        answer = self._send("GetSecretValue", lambda: get(SecretId=secret, VersionId=version), until)
        return _value(answer.get("VersionId", ""), answer.get("SecretString"))

    def put(self, secret: str, version: str, text: str, until: float) -> frozenset[str]:
        """Store a new version under an id of ours, labelled as pending; repeated, it does nothing.

        Returns:
            The labels that it has got.

        Raises:
            AwsError: it was refused, or nobody knows.
        """
        redactor.add_read(text)
        answer = self._send(
            "PutSecretValue",
            lambda: self._client.put_secret_value(
                SecretId=secret, ClientRequestToken=version, SecretString=text, VersionStages=[PENDING]
            ),
            until,
        )
        return frozenset(answer.get("VersionStages", ()))

    def make_current(self, secret: str, version: str, before: str | None, until: float) -> None:
        """Have consumers read a version, if they still read the one before; tried once.

        Raises:
            AwsError: it was refused, or nobody knows.
        """
        move = self._client.update_secret_version_stage
        if before is None:
            request = {"SecretId": secret, "VersionStage": CURRENT, "MoveToVersionId": version}
        else:
            request = {
                "SecretId": secret,
                "VersionStage": CURRENT,
                "MoveToVersionId": version,
                "RemoveFromVersionId": before,
            }
        self._send("UpdateSecretVersionStage", lambda: move(**request), until, tries=1)

    def no_longer_pending(self, secret: str, version: str, until: float) -> None:
        """Take the label of a rotation from a version; tried once.

        Raises:
            AwsError: it was refused, or nobody knows.
        """
        move = self._client.update_secret_version_stage
        self._send(
            "UpdateSecretVersionStage",
            lambda: move(SecretId=secret, VersionStage=PENDING, RemoveFromVersionId=version),
            until,
            tries=1,
        )

    def tag(self, secret: str, tags: Mapping[str, str], until: float) -> None:
        """Set tags; the others stay.

        Raises:
            AwsError: they were refused, or nobody knows.
        """
        pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
        self._send("TagResource", lambda: self._client.tag_resource(SecretId=secret, Tags=pairs), until)  # type: ignore[arg-type]

    def untag(self, secret: str, keys: frozenset[str], until: float) -> None:
        """Remove tags; tried once.

        Raises:
            AwsError: they were refused, or nobody knows.
        """
        keyed = sorted(keys)
        self._send("UntagResource", lambda: self._client.untag_resource(SecretId=secret, TagKeys=keyed), until, tries=1)

    def create(self, name: str, tags: Mapping[str, str], until: float) -> None:
        """Make a secret without a value.

        Raises:
            AwsError: it was refused, or nobody knows.
        """
        pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
        self._send("CreateSecret", lambda: self._client.create_secret(Name=name, Tags=pairs), until)  # type: ignore[arg-type]

    def _send(self, operation: str, send: Callable[[], _T], until: float, *, tries: int = _TRIES) -> _T:
        """One request, and again where it may succeed then. botocore's own retries are off: they tell nobody."""
        unclear = False
        for number in itertools.count(1):
            try:
                return self._sent_once(operation, send, until)
            except AwsError as error:
                failed = error
            unclear = unclear or not failed.surely_refused
            wait = max(timing.pause(number), failed.wait)
            if number == tries or not failed.again or time.monotonic() + wait > until - LONGEST_TRY:
                break
            time.sleep(wait)
        failed.surely_refused = not unclear
        raise failed

    def _sent_once(self, operation: str, send: Callable[[], _T], until: float) -> _T:
        self._authenticate()
        if time.monotonic() > until - LONGEST_TRY:
            raise AwsError(f"There was no time left for {operation}.", hint="Run again.")
        try:
            answer = send()
        except FAILURES as error:
            raise told(operation, error) from None
        # botocore takes any page for an answer in which nothing stands; and nothing is what stands at a new secret
        if operation not in _SILENT and "ARN" not in answer:
            raise not_aws(operation)
        return answer

    def _authenticate(self) -> None:
        """Have credentials that live, and have the redactor know them before anything is sent or logged."""
        try:
            frozen = self._credentials.get_frozen_credentials()
        except FAILURES as error:
            raise no_credentials(error) from None
        if frozen != self._known:
            for value in (frozen.secret_key, frozen.token):
                with contextlib.suppress(ValueError):  # too short to be one
                    Secret(value or "")
            self._known = frozen


def new_version() -> str:
    """An id for a version of ours."""
    return f"{_OURS}{uuid.uuid4().hex}"


def _value(version: str, text: str | None) -> Value:
    redactor.add_read(text or "")
    return Value(version=version, text=text)
