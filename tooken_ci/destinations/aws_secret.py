"""AWS Secrets Manager: a secret as a whole, or one key of a JSON secret; its delivery record stands in its tags."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from tooken_ci.base.text import quoted
from tooken_ci.destinations.aws_names import Claims, Spot, spot
from tooken_ci.destinations.aws_tags import tag_key
from tooken_ci.destinations.interface import TAKEOVER, Extra, settings_of
from tooken_ci.spec.kinds import SettingsError
from tooken_ci.spec.model import Target

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tooken_ci.base.position import Position
    from tooken_ci.base.record import Look
    from tooken_ci.destinations.aws_session import Aws
    from tooken_ci.destinations.aws_store import AwsDestination
    from tooken_ci.destinations.interface import Surroundings

_SCHEMA: Mapping[str, Any] = {
    "title": "aws_secret",
    "description": "A secret in AWS Secrets Manager, as a whole or one key of its JSON object.",
    "type": "object",
    "required": ["name"],
    "additionalProperties": False,
    "properties": {
        "name": {
            "type": "string",
            "minLength": 1,
            "maxLength": 2048,
            "description": "The secret's name, or its ARN.",
            "examples": ["ci/tooken", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:ci/tooken-a1B2c3"],
        },
        "region": {
            "type": "string",
            "pattern": "^[a-z]{2,}(-[a-z]+)+-[0-9]+$",
            "description": "Else that of the ARN, of AWS_REGION, of AWS_DEFAULT_REGION or of the profile.",
            "examples": ["eu-west-1"],
        },
        "key": {
            "type": "string",
            "minLength": 1,
            "description": "The key of a JSON object that gets the secret; the other keys are kept. Left out, the "
            "secret is all that stands there.",
            "examples": ["token"],
        },
        "create": {
            "type": "boolean",
            "description": "Make the secret where there is none, encrypted with the account's default key.",
        },
        "takeover": TAKEOVER,
    },
}


_CREDENTIALS = frozenset(
    {"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN"}
)


class AwsSecretKind:
    """The kind ``aws_secret``."""

    name = "aws_secret"
    schema = _SCHEMA
    extra = Extra(name="aws", module="boto3")

    def __init__(self, surroundings: Surroundings) -> None:
        environment = surroundings.environment
        self._region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or ""
        self._claims = Claims()
        self._lock = threading.Lock()
        self._aws: Aws | None = None

    def parse(self, settings: Mapping[str, Any], position: Position) -> Target:
        """Make a target of settings that fit the schema.

        Raises:
            SettingsError: no secret can have that name or key, or they contradict each other.
        """
        where = self._spot(settings)
        key = f"#{where.key}" if where.key else ""
        region = f" in {settings['region']}" if "region" in settings and not where.account else ""
        return Target(
            kind=self.name,
            place=f"{self.name} {where.secret}{key}{region}",
            claims=self._claims.of(where),
            settings=where,
            takeover=bool(settings.get("takeover")),
            group=f"{where.region} {where.secret}",
            credentials=_CREDENTIALS,
            position=position,
        )

    def open(self, target: Target) -> AwsDestination:
        """The destination behind a target that this kind parsed; asks nobody yet."""
        from tooken_ci.destinations.aws_store import AwsDestination

        return AwsDestination(self._shared(), settings_of(target, Spot))

    def look(self, targets: Sequence[Target]) -> Sequence[Look]:
        """What stands at each of some targets of one secret, now: two requests, however many they are."""
        from tooken_ci.destinations.aws_store import look_at

        return look_at(self._shared(), [settings_of(target, Spot) for target in targets])

    def _shared(self) -> Aws:
        """The clients and the credentials of the run."""
        from tooken_ci.destinations.aws_session import Aws

        with self._lock:
            if self._aws is None:
                self._aws = Aws()
            return self._aws

    def _spot(self, settings: Mapping[str, Any]) -> Spot:
        named, key, region = settings["name"], settings.get("key", ""), settings.get("region", "")
        _check_key(key)
        create = bool(settings.get("create"))
        try:
            where = spot(named, region=region or self._region, key=key, create=create)
        except ValueError:
            raise SettingsError(
                f"{quoted(named)} is neither a name that a secret can have nor the ARN of one.",
                hint="A name has letters, digits and '/_+=.@-!'; an ARN looks like "
                "arn:aws:secretsmanager:eu-west-1:123456789012:secret:ci/tooken-a1B2c3.",
                key="name",
            ) from None
        if region and where.region != region:
            raise SettingsError(
                f"The region is {quoted(region)}, but the ARN is of {quoted(where.region)}.",
                hint="Remove 'region', the ARN tells it.",
                key="region",
            )
        if create and where.account:
            raise SettingsError(
                "A secret cannot be made by its ARN, of which AWS makes up the end.",
                hint="Give its name.",
                key="create",
            )
        return where


def _check_key(key: str) -> None:
    if not key.isprintable():
        raise SettingsError(f"The key {quoted(key)} must have only printable characters.", key="key")
    try:
        tag_key(key)
    except ValueError:
        raise SettingsError(
            f"The key {quoted(key, limit=60)} is too long: the tag that keeps its record could not be named after it.",
            hint="Choose a shorter one.",
            key="key",
        ) from None
