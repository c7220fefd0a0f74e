"""Every call of the Tooken API v1 that the product makes, with typed results and typed errors."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from urllib.parse import quote

from tooken_ci.base import scopes, times
from tooken_ci.base.errors import (
    ApiError,
    ForbiddenError,
    NotFoundError,
    NotTheApiError,
    RateLimitedError,
    UnauthorizedError,
)
from tooken_ci.tooken import audit
from tooken_ci.tooken.listing import Lister
from tooken_ci.tooken.model import PATH_DOTS, Minted, Status, read_minted, read_token
from tooken_ci.tooken.retry import CallKind
from tooken_ci.tooken.transport import Call, Transport

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Mapping
    from contextlib import AbstractContextManager

    from tooken_ci.base.progress import Progress
    from tooken_ci.base.secret import Secret
    from tooken_ci.base.times import Clock
    from tooken_ci.tooken.model import Token
    from tooken_ci.tooken.quota import Allowance, Pace
    from tooken_ci.tooken.retry import RetryPolicy

log = logging.getLogger(__name__)

_NOBODYS_ID = "tok_probe"
"""An id that cannot exist: it is shorter than any that the API gives."""

_PROOF_PATIENCE = 10.0
_PROOF_PAUSE = 1.0


class Client:
    """One workspace, seen through one key."""

    def __init__(
        self,
        *,
        base_url: str,
        key: Secret,
        clock: Clock,
        policy: RetryPolicy | None = None,
        pace: Pace | None = None,
        progress: Progress | None = None,
        ca_bundle: str | None = None,
    ) -> None:
        self._clock = clock
        self._key = key
        self._transport = Transport(
            base_url=base_url,
            key=key,
            clock=clock,
            policy=policy,
            pace=pace,
            progress=progress,
            ca_bundle=ca_bundle,
        )
        self._lister = Lister(self._transport, progress)

    @property
    def sent(self) -> int:
        """How many requests went out so far, repeats included."""
        return self._transport.quota.sent

    @property
    def allowance(self) -> Allowance:
        """The workspace's request allowance as the last answers told it."""
        return self._transport.quota.look()

    @property
    def per_page(self) -> int:
        """How many tokens a page of a listing holds, as the last one told."""
        return self._lister.per_page

    def hold(self, requests: int) -> AbstractContextManager[None]:
        """Put requests of the allowance aside for this thread, and wait for them, before what must not stop half-way.

        Raises:
            StoppedError: the run is to end, or the wait would go past its deadline.
        """
        return self._transport.quota.hold(requests)

    def now(self) -> dt.datetime:
        """The server's time, UTC; known from the first answer on."""
        return self._transport.server_time.now()

    def active(self) -> tuple[Token, ...]:
        """Every active token of the workspace, proven complete.

        Raises:
            WorkspaceError: the list kept changing while it was read.
            ApiError: it could not be read.
        """
        return _only_active(self._lister.tokens({"status": "active"}, whole=True))

    def find_active(self, text: str) -> tuple[Token, ...]:
        """Every active token whose name contains the text, in any case. Raises as ``active``."""
        return _only_active(self._lister.tokens({"status": "active", "name": text}))

    def find(self, text: str) -> tuple[Token, ...]:
        """Every token of any status whose name contains the text, in any case. Raises as ``active``."""
        return self._lister.tokens({"name": text})

    def get(self, token_id: str) -> Token | None:
        """A token of any status; None where the workspace does not know the id."""
        if token_id in PATH_DOTS:
            return None
        call = Call(kind=CallKind.READ, path=_path(token_id), scope=scopes.READ)
        try:
            return read_token(self._transport.send(call))
        except NotFoundError:
            return None

    def create(
        self,
        *,
        name: str,
        scopes_wanted: Iterable[str],
        expires_at: dt.datetime | None,
        before: Callable[[], None] | None = None,
    ) -> Minted:
        """Make a token.

        A lost answer is asked for again under the same name, which the API makes at most once: the repeat then meets
        ``ConflictError``, and a look-up by name tells whose token it is.

        Args:
            name: of the token.
            scopes_wanted: its scopes.
            expires_at: None = never.
            before: is called whenever the request is about to be sent; what it raises ends the call.

        Raises:
            ConflictError: the name exists; ``doubtful`` where an earlier try may have made it.
            ApiError: another of its kinds.
        """
        body: dict[str, object] = {"name": name, "scopes": sorted(scopes_wanted)}
        if expires_at is not None:
            body["expires_at"] = times.show(expires_at)
        call = Call(kind=CallKind.CREATE, path="/tokens", scope=scopes.WRITE, body=body)
        data = self._transport.send(call, before=before)
        try:
            return read_minted(data)
        except NotTheApiError as error:
            # the token may exist, with a secret that nobody will ever know: settle it by name, like a lost answer
            log.warning("The answer to the creation of a token could not be read; asking again under the same name.")
            return read_minted(self._transport.send(call, doubt=error, before=before))

    def rotate(self, token_id: str) -> Minted:
        """Give a token a new secret; the old one is dead at that moment. Never repeated blindly.

        Raises:
            ConflictError: the token is revoked or expired.
            ApiError: another of its kinds; after ``UnreachableError`` the rotation may have happened.
        """
        call = Call(kind=CallKind.ROTATE, path=f"{_path(token_id)}/rotate", scope=scopes.ROTATE)
        return read_minted(self._transport.send(call))

    def is_token(self, token_id: str, fingerprint: str) -> bool:
        """Whether the key that this client uses is that token's secret, as a recorded fingerprint tells."""
        return self._key.fingerprint(token_id) == fingerprint

    def revoke(self, token_id: str, *, own: bool = False) -> None:
        """Revoke a token for ever; one that is gone already counts as revoked.

        Args:
            token_id: of the token.
            own: it is, or may be, the token whose secret this client uses: once it is gone, the repeat of a request
                whose answer was lost is 401.

        Raises:
            ApiError: one of its kinds.
        """
        call = Call(kind=CallKind.REVOKE, path=_path(token_id), scope=scopes.REVOKE, ends_credential=own)
        try:
            self._transport.send(call)
        except UnauthorizedError as gone:
            if not gone.doubtful:
                raise
            log.debug("The key's own token was revoked; the answer was lost.")
        except NotFoundError as gone:
            if not gone.from_api:  # a proxy's 404 says nothing of the token
                raise
            log.debug("The token was gone before it was revoked.")

    def rotations(self, *, since: dt.datetime) -> Mapping[str, dt.datetime] | None:
        """When secrets were last made anew, UTC, by token id, as far back as is asked; None where no log can be read.

        It takes a request for each hundred rotations. Raises as ``active``.
        """
        return audit.rotations(self._transport, since=since)

    def proves(self, secret: Secret) -> bool:
        """Whether a secret authenticates: a request with it gets 200, or 403 where it lacks the scope.

        A 401 is asked again for 10 s: the API may need a moment to know its new token.

        Raises:
            ApiError: no answer could be had that tells.
        """
        call = Call(kind=CallKind.READ, path="/tokens", scope=scopes.READ, params={"per_page": 1})
        until = self._clock.monotonic() + _PROOF_PATIENCE
        while True:
            try:
                self._transport.send(call, credential=secret)
            except ForbiddenError as refused:
                if not refused.from_api:  # a proxy's 403 proves nothing
                    raise
                return True
            except UnauthorizedError:
                if self._clock.monotonic() >= until:
                    return False
                self._clock.sleep(_PROOF_PAUSE)
            else:
                return True

    def probe_write(self) -> None:
        """Learn, without changing anything, whether the key may create tokens.

        Raises:
            ForbiddenError: it may not.
        """
        self._probe(Call(kind=CallKind.CREATE, path="/tokens", scope=scopes.WRITE, body={}, probe=True))

    def probe_revoke(self) -> None:
        """Learn, without changing anything, whether the key may revoke tokens.

        Raises:
            ForbiddenError: it may not.
        """
        self._probe(Call(kind=CallKind.REVOKE, path=_path(_NOBODYS_ID), scope=scopes.REVOKE, probe=True))

    def probe_rotate(self) -> None:
        """Learn, without changing anything, whether the key may rotate tokens.

        Raises:
            ForbiddenError: it may not.
        """
        path = f"{_path(_NOBODYS_ID)}/rotate"
        self._probe(Call(kind=CallKind.ROTATE, path=path, scope=scopes.ROTATE, probe=True))

    def _probe(self, call: Call) -> None:
        """A missing scope is refused before anything is read, so any other refusal shows that the scope is there."""
        try:
            self._transport.send(call)
        except (ForbiddenError, UnauthorizedError, RateLimitedError):
            raise
        except ApiError as error:
            if not error.from_api:
                raise


def _only_active(tokens: Iterable[Token]) -> tuple[Token, ...]:
    return tuple(token for token in tokens if token.status is Status.ACTIVE)


def _path(token_id: str) -> str:
    return f"/tokens/{quote(token_id, safe='')}"
