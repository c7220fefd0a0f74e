"""Revokes the leases of a job when it ends, and knows at any moment which of them may still live."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from tooken_ci.apply.lease import by_fault
from tooken_ci.base import times
from tooken_ci.base.errors import ApiError, NotTheApiError, StoppedError, UnreachableError
from tooken_ci.base.text import quoted
from tooken_ci.plan.leases import LeaseResult, LeaseStatus, is_lease_named

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tooken_ci.apply.context import Context
    from tooken_ci.tooken.model import Token


class Open:
    """The leases that are meant and have no result yet. One thread works on them; another may look at any moment.

    Attributes:
        changing: the name of the one that a request under way may change; empty = none.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        """Begin with the names that are to be looked up."""
        self._open = {name: LeaseResult(token=name, id=None, status=LeaseStatus.FAILED) for name in names}
        self.changing = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(self._open)

    def found(self, name: str, tokens: Iterable[Token]) -> None:
        """Note what was found under a name: from now on these are meant."""
        of_name = {token.name: _failed(token) for token in tokens}
        self._open = {**of_name, **{other: result for other, result in self._open.items() if other != name}}

    def settle(self, name: str) -> None:
        """Note that one has its result, and that it was told."""
        self._open = {other: result for other, result in self._open.items() if other != name}
        self.changing = ""

    def unsettled(self, why: str) -> tuple[LeaseResult, ...]:
        """A result of each that has none, since the work on them ended."""
        return tuple(_unrevoked(open_, why, sure=name != self.changing) for name, open_ in self._open.items())


def release(context: Context, waiting: Open, *, exact: bool) -> Iterator[LeaseResult]:
    """Revoke leases, each as it is done.

    Args:
        context: of the run.
        waiting: the leases that are meant; what has a result is taken out.
        exact: their names are whole; otherwise each may have a random part behind it.

    Raises:
        StoppedError: the run is to end; what has no result was not released.
    """
    for name in waiting.names:
        context.clock.check()
        try:
            active = context.client.find_active(name)
        except ApiError as error:
            yield _unrevoked(LeaseResult(token=name, id=None, status=LeaseStatus.FAILED), str(error))
            waiting.settle(name)
            continue
        found = [token for token in active if token.name == name or (not exact and is_lease_named(token.name, name))]
        waiting.found(name, found)
        for token in found:
            waiting.changing = token.name
            try:
                result = _released(context, token)
            except StoppedError:
                waiting.changing = ""  # nothing was sent, or what was sent was surely refused
                raise
            yield result
            waiting.settle(token.name)


def _released(context: Context, token: Token) -> LeaseResult:
    failed = _failed(token)
    try:
        context.client.revoke(token.id)
    except ApiError as error:
        return _unrevoked(failed, str(error), sure=not isinstance(error, (UnreachableError, NotTheApiError)))
    except StoppedError:
        raise
    except Exception as fault:  # noqa: BLE001  # that it may have been revoked is to be told
        raise by_fault(fault, token.name, f" {quoted(token.name)} may have been revoked.") from None
    return dataclasses.replace(failed, status=LeaseStatus.RELEASED)


def _failed(token: Token) -> LeaseResult:
    return LeaseResult(token=token.name, id=token.id, status=LeaseStatus.FAILED, expires_at=token.expires_at)


def _unrevoked(result: LeaseResult, why: str, *, sure: bool = True) -> LeaseResult:
    """A lease that lives, or may: people are told why, and that it does not live for ever."""
    ends = "by its expiry" if result.expires_at is None else f"at {times.show(result.expires_at)}"
    told = f"not {'' if sure else 'known to be '}revoked; it ends by itself, {ends}. {why}"
    return dataclasses.replace(result, error=told)
