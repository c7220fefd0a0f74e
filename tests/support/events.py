"""The events of pull requests as GitHub's runner writes them down, and what else it tells a step."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.support.github import JOB

if TYPE_CHECKING:
    from pathlib import Path

SHOP = {"id": 101, "name": "shop", "full_name": "acme/shop", "private": True, "fork": False}
FORK = {"id": 909, "name": "shop", "full_name": "stranger/shop", "private": False, "fork": True}
TITLE = '::error::x %0A"} <!-- tooken-ci comment -->'
"""A stranger chooses a pull request's title."""


def pull_request(head: Any = SHOP, *, number: int = 7) -> dict[str, Any]:
    """What is in the event, as far as it has to do with where the pull request comes from."""
    sides = {
        side: {
            "label": f"acme:{ref}",
            "ref": ref,
            "sha": "0123456789abcdef0123456789abcdef01234567",
            "repo": repository,
        }
        for side, ref, repository in (("head", "more-tokens", head), ("base", "main", SHOP))
    }
    return {
        "action": "synchronize",
        "number": number,
        "pull_request": {"id": 1, "number": number, "state": "open", "title": TITLE, "draft": False, **sides},
        "repository": SHOP,
        "sender": {"login": "stranger", "type": "User"},
    }


def runner(folder: Path, payload: Any, *, event: str = "pull_request", token: str = JOB) -> dict[str, str]:
    """The environment of a step of such an event."""
    file = folder / "event.json"
    file.write_text(payload if isinstance(payload, str) else json.dumps(payload), encoding="utf-8")
    return {
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": event,
        "GITHUB_EVENT_PATH": str(file),
        "GITHUB_REPOSITORY": "acme/shop",
        "TOOKEN_COMMENT_TOKEN": token,
    }
