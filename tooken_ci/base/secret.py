"""A secret as a type of its own: it shows nothing of itself, and the redactor knows it from its first moment."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, NoReturn

from tooken_ci.base.redact import MASK, MINIMUM, redactor

if TYPE_CHECKING:
    from collections.abc import Callable


def fingerprint(token_id: str, value: str) -> str:
    """The first 16 hex digits of SHA-256 over token id and secret: tells whether a value is the one recorded."""
    return hashlib.sha256(token_id.encode() + b"\0" + value.encode(errors="surrogateescape")).hexdigest()[:16]


class SecretTooShortError(ValueError):
    """A value that is too short to be masked without eating innocent text."""


class Secret:
    """A credential string. Only ``reveal`` gives it away; every other way to look at it shows a mask.

    Raises:
        SecretTooShortError: the value has fewer than 8 characters.
    """

    __slots__ = ("_tell",)

    def __init__(self, value: str) -> None:
        if len(value) < MINIMUM:
            raise SecretTooShortError(f"A secret must have at least {MINIMUM} characters to be masked safely.")
        redactor.add(value)
        # in a function, and not as an attribute: whatever goes through the attributes of things finds no text
        self._tell: Callable[[], str] = lambda: value

    def reveal(self) -> str:
        """The credential itself. Each call of this is a place where it could leak: keep them few."""
        return self._tell()

    def fingerprint(self, token_id: str) -> str:
        """The fingerprint of this secret as the token's of that id."""
        return fingerprint(token_id, self._tell())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        mine, its = (secret._tell().encode(errors="surrogatepass") for secret in (self, other))  # noqa: SLF001
        return hmac.compare_digest(mine, its)

    __hash__ = None  # type: ignore[assignment]  # a dict or set of secrets would be a place to leak from

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return MASK

    def __reduce__(self) -> NoReturn:
        raise TypeError("A secret is never pickled or copied.")

    __getstate__ = __reduce__
