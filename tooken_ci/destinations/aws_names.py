"""How a place in AWS Secrets Manager is named: by name or by ARN, in a region, as a whole or one key of it."""

from __future__ import annotations

import dataclasses
import re

_ARN = re.compile(r"arn:aws[a-z-]*:secretsmanager:([a-z0-9-]+):([0-9]{12}):secret:(.+)")
_NAME = re.compile(r"[A-Za-z0-9/_+=.@!-]{1,512}")
_RANDOM_END = re.compile(r"(?<=.)-[A-Za-z0-9]{6}\Z")
"""What AWS adds to a name to make the end of an ARN."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Spot:
    """One secret as a whole, or one key of it.

    Attributes:
        secret: its name or ARN, as AWS is asked for it.
        name: its name alone.
        region: empty = that of the profile.
        account: empty = that of the credentials.
        key: of the JSON object; empty = the whole secret.
        create: it may be made where there is none.
    """

    secret: str
    name: str
    region: str
    account: str = ""
    key: str = ""
    create: bool = False

    def clashes(self, other: Spot) -> bool:
        """Whether both may be the same place, or one a part of the other; what is not known may be anything."""
        pairs = ((self.region, other.region), (self.account, other.account), (self.key, other.key))
        return self.name == other.name and all(not one or not two or one == two for one, two in pairs)

    @property
    def claim(self) -> str:
        """A canonical name for it."""
        return f"aws_secret:{self.region}:{self.account}:{self.name}#{self.key}"


class Claims:
    """The places that were named so far.

    A name may be any account's secret and a secret has any number of keys, so no fixed set of canonical names tells
    which places clash: a place claims its own, and those of all before it that it clashes with.
    """

    def __init__(self) -> None:
        self._named: dict[str, list[Spot]] = {}

    def of(self, spot: Spot) -> frozenset[str]:
        """What a place claims."""
        named = self._named.setdefault(spot.name, [])
        claims = frozenset({spot.claim, *(other.claim for other in named if other.clashes(spot))})
        if spot not in named:
            named.append(spot)
        return claims


def spot(secret: str, *, region: str, key: str, create: bool) -> Spot:
    """The place that the settings name; the region of an ARN is its own.

    Raises:
        ValueError: it is neither a name that a secret can have nor an ARN of one.
    """
    if not secret.startswith("arn:"):
        if not _NAME.fullmatch(secret):
            raise ValueError("no name")
        return Spot(secret=secret, name=secret, region=region, key=key, create=create)
    arn = _ARN.fullmatch(secret)
    if arn is None or not _NAME.fullmatch(arn[3]):
        raise ValueError("no ARN")
    return Spot(secret=secret, name=_RANDOM_END.sub("", arn[3]), region=arn[1], account=arn[2], key=key, create=create)
