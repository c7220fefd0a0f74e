"""What the tests of the ``github_secret`` destination share: each kind of holder, and one delivery to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.destinations.support import HERE, SECRET, TOKEN_ID, held, mark, record
from tests.support.github import TOKEN
from tooken_ci.base.secret import Secret
from tooken_ci.destinations.github_secret import GitHubSecretKind
from tooken_ci.destinations.interface import Surroundings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tooken_ci.destinations.github_store import GitHubDestination
    from tooken_ci.spec.model import Target

NAME = "TOOKEN_TOKEN"
VARIABLE = "TOOKEN_TOKEN_TOOKEN_ID"
SHOP: Mapping[str, Any] = {"repository": "acme/shop", "name": NAME}
BARE: Mapping[str, Any] = {**SHOP, "record": "none"}

HOLDERS: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "repository": (SHOP, "/repos/acme/shop/actions"),
    "environment": ({**SHOP, "environment": "EU/west 1"}, "/repos/acme/shop/environments/eu/west 1"),
    "organization": ({"organization": "acme", "name": NAME, "visibility": "private"}, "/orgs/acme/actions"),
    "selected": (
        {"organization": "acme", "name": NAME, "visibility": "selected", "repositories": ["shop", "Acme/Billing"]},
        "/orgs/acme/actions",
    ),
}
"""Settings of each that keeps a record, with the path by which the fake knows the holder."""

BARE_HOLDERS: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "no record": (BARE, "/repos/acme/shop/actions"),
    "dependabot": ({**SHOP, "app": "dependabot"}, "/repos/acme/shop/dependabot"),
    "of an organization": (
        {"organization": "acme", "name": NAME, "visibility": "all", "app": "dependabot"},
        "/orgs/acme/dependabot",
    ),
}
"""The same of those that keep none."""


def kind(url: str = "https://api.github.com", *, token: str | None = TOKEN, **more: str) -> GitHubSecretKind:
    credential = {"GH_TOKEN": token} if token is not None else {}
    return GitHubSecretKind(Surroundings(environment={"GITHUB_API_URL": url, **credential, **more}))


def target(settings: Mapping[str, Any] = SHOP) -> Target:
    return kind().parse(settings, HERE)


def opened(url: str, settings: Mapping[str, Any] = SHOP, *, token: str | None = TOKEN) -> GitHubDestination:
    return kind(url, token=token).open(target(settings))


def deliver(destination: GitHubDestination, token_id: str = TOKEN_ID, secret: str = SECRET) -> None:
    """Mark, secret, record: as an apply does it."""
    look = destination.look()
    marked = look.record or record()
    destination.write_record(marked.marked(mark()))
    destination.write(Secret(secret))
    destination.write_record(record(of=held(token_id, secret)))
