"""What a program that the spec names gets of the environment: nothing from which another destination takes its key."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.destinations.exec_support import Store
from tooken_ci.ci.host import detect
from tooken_ci.cli.output import Output
from tooken_ci.cli.reporting import Reporting
from tooken_ci.cli.session import load_spec, registry_for
from tooken_ci.render.report import Report

if TYPE_CHECKING:
    from pathlib import Path

STORES: dict[str, dict[str, Any]] = {
    "github_secret": {"repository": "acme/shop", "name": "TOOKEN_TOKEN"},
    "gitlab_variable": {"project": "acme/shop", "name": "TOOKEN_TOKEN"},
    "vault": {"path": "secret/ci/a", "key": "token", "auth": {"jwt": {"role": "ci", "token_env": "SIGNED"}}},
    "aws_secret": {"name": "ci/tooken"},
}
CREDENTIALS = {
    "github_secret": {"GH_TOKEN", "GITHUB_TOKEN"},
    "gitlab_variable": {"GITLAB_TOKEN"},
    "vault": {"VAULT_TOKEN", "VAULT_ROLE_ID", "VAULT_SECRET_ID", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "SIGNED"},
    "aws_secret": {
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_SECURITY_TOKEN",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    },
}
EVERY = frozenset[str]().union(*CREDENTIALS.values())


@pytest.mark.parametrize("kind", ["file", *STORES])
def test_no_credential_of_a_store_of_the_spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """What a destination of the spec takes its credential from no program gets, even before that store was asked."""
    store = Store(tmp_path / "store")
    programs = {"name": "shop", **{key: [str(store.program)] for key in ("record", "write")}}
    own = {"scopes": ["tokens:read"], "expires_in": "90d"}
    tokens = {
        "ci": {**own, "deliver": [{"exec": programs}]},
        "other": {**own, "deliver": [{kind: STORES.get(kind, {"path": str(tmp_path / "token")})}]},
    }
    spec = tmp_path / "tooken.yml"
    spec.write_text(json.dumps({"version": 1, "tokens": tokens}), encoding="utf-8")
    for name in EVERY:
        monkeypatch.setenv(name, f"plainly-fake-{name}")
    monkeypatch.setenv("OP_SERVICE_ACCOUNT_TOKEN", "a-program-s-own")

    registry = registry_for(detect({}))
    loaded = load_spec([str(spec)], registry, Reporting(output=Output(), host=detect({}), report=Report()))
    registry.look(loaded.entries[0].deliver)
    told = store.told("record-read")
    assert told["OP_SERVICE_ACCOUNT_TOKEN"] == "a-program-s-own"
    assert told.keys() & EVERY == EVERY - CREDENTIALS.get(kind, set())
