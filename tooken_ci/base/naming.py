"""How the generations of an entry are named: ``NAME`` is the first, ``NAME.gN`` the N-th from the second on."""

from __future__ import annotations

import re

MAX_NAME = 100
"""The API's own limit on a token's name, in characters."""

MAX_ENTRY_NAME = 90
"""What an entry's name may take of it, so that ``.gN`` and the marks of leases find room."""

LEASE_MARK = ".e-"

_MARK = ".g"
_GENERATION = re.compile(r"(?P<name>.+)\.g(?P<number>[1-9][0-9]*)", re.DOTALL)
_RESERVED = re.compile(r"\.g[0-9]+$")


def generation_name(name: str, number: int) -> str:
    """The token name of an entry's N-th generation, N from 1."""
    return name if number == 1 else f"{name}.g{number}"


def split(token_name: str) -> tuple[str, int]:
    """An entry's name and the generation's number out of a token's name; ``x.g1`` is nobody's second name."""
    if _MARK not in token_name:  # as most; a plan asks this of a hundred thousand
        return token_name, 1
    match = _GENERATION.fullmatch(token_name)
    if match is None or int(match["number"]) == 1:
        return token_name, 1
    return match["name"], int(match["number"])


def alone(token_name: str) -> str:
    """A name that people can give to mean this one token and not all of an entry: the first is ``NAME.g1`` then."""
    return token_name if split(token_name)[1] > 1 else f"{token_name}.g1"


def reserved(name: str) -> str:
    """What in an entry's name belongs to generations or leases; empty where it is free."""
    match = _RESERVED.search(name)
    if match is not None:
        return match[0]
    return LEASE_MARK if LEASE_MARK in name else ""


def is_lease(token_name: str) -> bool:
    """Whether a token was made for one job only; such tokens are never pruned."""
    return LEASE_MARK in token_name
