"""A comment that is made once and then changed where it stands: found by a hidden mark, written only if it differs.

Whoever reads along may write comments too, with any text. So ours is only what begins with the mark and was written by
whom the token belongs to; nothing else is ever edited.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import time
from typing import TYPE_CHECKING, Protocol

from tooken_ci.base.errors import CommentError
from tooken_ci.base.leaks import written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tooken_ci.base.errors import DestinationError


@dataclasses.dataclass(frozen=True, kw_only=True)
class Standing:
    """A comment of ours that stands there.

    Attributes:
        number: by which the host knows it.
        body: with the mark.
        node: by which GitHub's GraphQL knows it; empty elsewhere.
        hidden: why it is hidden, in lower case; empty where it is not.
    """

    number: int
    body: str
    node: str = ""
    hidden: str = ""


class Conversation(Protocol):
    """The comments on one pull request or merge request. Each method raises ``CommentError`` where it fails."""

    @property
    def name(self) -> str:
        """What it is, for people."""

    def fitted(self, text: str) -> str:
        """The text as the host is to get it."""

    def oldest(self, mark: str) -> Standing | None:
        """The oldest comment that the token's owner wrote and that begins with the mark."""

    def make(self, text: str) -> int:
        """Write a new one, and give its number."""

    def edit(self, comment: Standing, text: str) -> None:
        """Write another text into one."""

    def remove(self, number: int) -> None:
        """Delete one that was just made."""

    def settle(self, comment: Standing, *, empty: bool) -> str:
        """Close one as outdated, or open it again; gives what was done, ``{}`` for what it was done to, or nothing."""


def mark(workspace: str, specs: Sequence[str]) -> str:
    """The line that nobody sees, by which the comment for a workspace and its spec is found; always of one length.

    However a path is written, it is the same spec.
    """
    told = json.dumps([workspace, *sorted({os.path.normpath(path) for path in specs})])
    return f"<!-- tooken-ci comment {hashlib.sha256(told.encode()).hexdigest()[:32]} -->"


def begins_with(mark: str, body: str) -> bool:
    """Whether the first line of a comment is the mark, and nothing else."""
    return body.partition("\n")[0].rstrip("\r") == mark


def keep_up(conversation: Conversation, text: str, *, empty: bool) -> str:
    """Have exactly one comment say this text, which begins with its mark; gives a sentence about what was done.

    Args:
        conversation: where it stands.
        text: what it is to say.
        empty: there is nothing to do: none is made, and one that stands there is closed.

    Raises:
        CommentError: it could not be done.
    """
    text = conversation.fitted(text)
    own = text.partition("\n")[0]
    standing, surplus = conversation.oldest(own), None
    if standing is None:
        if empty:
            return f"There is nothing to do and no comment on {conversation.name}, so none was made."
        made, standing = _make(conversation, text, own)
        if standing is None or made == standing.number:
            return f"Made the comment on {conversation.name}."
        surplus = made
    done = _update(conversation, standing, text, empty=empty)
    if surplus is not None:
        conversation.remove(surplus)
    return done


def _make(conversation: Conversation, text: str, own: str) -> tuple[int | None, Standing | None]:
    """Make one, and look again: of two runs that made one each, both keep the older, so that one is left.

    Returns:
        The number of the new one, None where the answer was lost, and the oldest that stands there then.
    """
    written.sent(f"the comment on {conversation.name}", text)
    try:
        made = conversation.make(text)
    except CommentError as error:
        if error.surely_refused:
            raise
        standing = conversation.oldest(own)
        if standing is None:
            raise
        return None, standing
    return made, conversation.oldest(own)


def _update(conversation: Conversation, standing: Standing, text: str, *, empty: bool) -> str:
    changed = _plain(standing.body) != _plain(text)
    if changed:
        written.sent(f"the comment on {conversation.name}", text)
        conversation.edit(standing, text)
    settled, whole = conversation.settle(standing, empty=empty), f"the comment on {conversation.name}"
    if changed:
        return ", and ".join(filter(None, [f"Updated {whole}", settled.format("it")])) + "."
    return f"{settled.format(whole).capitalize()}." if settled else f"{whole.capitalize()} says this already."


def give_up_after(until: float, host: str, name: str) -> None:
    """Begin nothing more after that, by ``time.monotonic``.

    Raises:
        CommentError: it is later.
    """
    if time.monotonic() > until:
        told = f"{host} answers so slowly that the comment on {name} was given up."
        raise CommentError(told, hint="Run again later.")


def failed(error: DestinationError) -> CommentError:
    """The same failure of a host, told of a comment."""
    told = error.message[:1].upper() + error.message[1:]
    return CommentError(told, hint=error.hint, surely_refused=error.surely_refused)


def _plain(text: str) -> str:
    """A text without what a host may change about it: how lines end, and white space at its end."""
    return text.replace("\r\n", "\n").rstrip()
