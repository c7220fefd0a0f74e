"""Faults to inject: which request is hit, and what happens to it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import yaml

from tooken_ci.sandbox.settings import SandboxConfigError

if TYPE_CHECKING:
    from pathlib import Path


LOWEST_STATUS, HIGHEST_STATUS = 200, 599


class FaultKind(StrEnum):
    """What a fault does; "before" and "after" refer to the work that the request asks for."""

    DROP_BEFORE = "drop_before"
    DROP_AFTER = "drop_after"
    ERROR_BEFORE = "500_before"
    ERROR_AFTER = "500_after"
    RATE_LIMITED = "429"
    TRUNCATED = "truncated"
    HTML = "html"
    DELAY = "delay"


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One fault; a request is hit if everything that is given matches.

    Attributes:
        do: what happens.
        n: the number of the request since the server started.
        method: the HTTP method.
        path: a regular expression for the whole path, with /v1 and without the query.
        occurrence: only this match is hit, counted from 1.
        times: only the first so many matches are hit; None is every one.
        status: the status to reply with instead of the usual one.
        retry_after: the ``Retry-After`` of a 429, in seconds.
        headers: whether a 429 carries the X-RateLimit headers.
        seconds: how long a delay lasts.
    """

    do: FaultKind
    n: int | None = None
    method: str | None = None
    path: re.Pattern[str] | None = None
    occurrence: int | None = None
    times: int | None = None
    status: int | None = None
    retry_after: int | None = None
    headers: bool = True
    seconds: float = 0.0

    def matches(self, n: int, method: str, path: str) -> bool:
        """Tells whether a request is one that the fault is about."""
        return (
            (self.n is None or self.n == n)
            and (self.method is None or self.method == method)
            and (self.path is None or self.path.fullmatch(path) is not None)
        )

    def is_due(self, match: int) -> bool:
        """Tells whether the match of this number, counted from 1, is hit."""
        if self.occurrence is not None:
            return match == self.occurrence
        return self.times is None or match <= self.times


class FaultBook:
    """The faults of a running server and how often each has matched."""

    def __init__(self, faults: list[Fault] | None = None) -> None:
        self.replace(faults or [])

    def replace(self, faults: list[Fault]) -> None:
        """Takes other faults; their counts start anew."""
        self._faults = faults
        self._matches = [0] * len(faults)

    def strike(self, n: int, method: str, path: str) -> Fault | None:
        """Counts a request for every fault it matches and returns the first one that hits it."""
        hit: Fault | None = None
        for index, fault in enumerate(self._faults):
            if fault.matches(n, method, path):
                self._matches[index] += 1
                if hit is None and fault.is_due(self._matches[index]):
                    hit = fault
        return hit


def read_list(path: Path) -> object:
    """Reads a YAML or JSON file.

    Raises:
        SandboxConfigError: it can't be read or parsed.
    """
    try:
        text = path.read_text(encoding="utf-8")
        return json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise SandboxConfigError(f"{path}: {error}") from error


def parse_faults(data: object) -> list[Fault]:
    """Makes faults of a list as JSON or YAML gives it.

    Raises:
        SandboxConfigError: an item is not a fault; the text says which and why.
    """
    if not isinstance(data, list):
        raise SandboxConfigError(f"faults must be a list, not {type(data).__name__}")
    return [_parse_fault(f"fault {number}", item) for number, item in enumerate(data, start=1)]


_TYPES: dict[str, type | tuple[type, ...]] = {
    "do": (str, int),
    "n": int,
    "method": str,
    "path": str,
    "occurrence": int,
    "times": int,
    "status": int,
    "retry_after": int,
    "headers": bool,
    "seconds": (int, float),
}
_COUNTS = ("n", "occurrence", "times")


def _parse_fault(where: str, item: object) -> Fault:
    if not isinstance(item, dict):
        raise SandboxConfigError(f"{where} must be a mapping, not {type(item).__name__}")
    for key, value in item.items():
        expected = _TYPES.get(key)
        if expected is None:
            raise SandboxConfigError(f"{where}: unknown key {key!r}; known are {', '.join(_TYPES)}")
        if not isinstance(value, expected) or (isinstance(value, bool) and expected is not bool):
            raise SandboxConfigError(f"{where}: {key} has the wrong type ({type(value).__name__})")
        if key in _COUNTS and isinstance(value, int) and value < 1:
            raise SandboxConfigError(f"{where}: {key} counts from 1")
    if "occurrence" in item and "times" in item:
        raise SandboxConfigError(f"{where}: occurrence and times exclude each other")
    return _build(where, item)


def _build(where: str, item: dict[str, Any]) -> Fault:
    values = dict(item)
    kinds = [kind.value for kind in FaultKind]
    do = str(values.pop("do", ""))
    if do not in kinds:
        raise SandboxConfigError(f"{where}: do is {do!r}; it must be one of {', '.join(kinds)}")
    if values.get("status", LOWEST_STATUS) not in range(LOWEST_STATUS, HIGHEST_STATUS + 1):
        raise SandboxConfigError(f"{where}: status must be between {LOWEST_STATUS} and {HIGHEST_STATUS}")
    if values.get("seconds", 0) < 0 or values.get("retry_after", 0) < 0:
        raise SandboxConfigError(f"{where}: a time can't be negative")
    if "method" in values:
        values["method"] = values["method"].upper()
    if "path" in values:
        try:
            values["path"] = re.compile(values["path"])
        except re.error as error:
            raise SandboxConfigError(f"{where}: path is no regular expression: {error}") from error
    return Fault(do=FaultKind(do), **values)
