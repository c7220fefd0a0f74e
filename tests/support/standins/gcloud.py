"""A project's Secret Manager with one secret that has no version yet, as far as ``gcloud secrets`` serves it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from tests.support.standins import Command, refuse

if TYPE_CHECKING:
    from tests.support.standins import Call

_QUIET = frozenset({"--quiet"})
COMMANDS = {
    "secrets describe": Command(positional=1, options=frozenset({"--format"}), switches=_QUIET),
    "secrets update": Command(positional=1, options=frozenset({"--update-annotations"}), switches=_QUIET),
    "secrets versions add": Command(positional=1, options=frozenset({"--data-file"}), switches=_QUIET),
    "secrets versions list": Command(positional=1, options=frozenset({"--limit", "--format"}), switches=_QUIET),
    "secrets versions access": Command(positional=1, options=frozenset({"--secret"}), switches=_QUIET),
}
_LARGEST_ANNOTATIONS = 16_384


def begin() -> dict[str, Any]:
    return {"secrets": {"tooken-ci-deploy": {"annotations": {}, "versions": []}}}


def serve(call: Call) -> None:
    name = call.options.get("--secret") or call.arguments[0]
    secret = call.state["secrets"].get(name)
    if secret is None:
        refuse(f"ERROR: (gcloud.secrets) NOT_FOUND: Secret [{name}] not found.", 1)
    match call.command:
        case "secrets describe" if "--format" in call.options:
            call.wants("--format", "value(annotations.tooken_ci)")
            sys.stdout.write(secret["annotations"].get("tooken_ci", "") + "\n")
        case "secrets describe":
            sys.stdout.write(f"name: projects/1/secrets/{name}\n")
        case "secrets update":
            _annotate(secret["annotations"], call.options["--update-annotations"])
        case _:
            _serve_versions(call, secret["versions"])


def _annotate(annotations: dict[str, str], pairs: str) -> None:
    for pair in pairs.split(","):
        key, separator, value = pair.partition("=")
        if not separator:
            refuse(f"Bad syntax for dict arg: [{pair}].")
        annotations[key] = value
    if sum(len(key) + len(value) for key, value in annotations.items()) >= _LARGEST_ANNOTATIONS:
        refuse("INVALID_ARGUMENT: annotations are too large", 1)


def _serve_versions(call: Call, versions: list[str]) -> None:
    match call.command:
        case "secrets versions add":
            call.wants("--data-file", "-")
            versions.append(sys.stdin.read())
            sys.stderr.write(f"Created version [{len(versions)}].\n")
        case "secrets versions list":
            call.wants("--limit", "1")
            call.wants("--format", "value(name)")
            sys.stdout.write(f"projects/1/secrets/x/versions/{len(versions)}\n" if versions else "")
        case "secrets versions access":
            if call.arguments != ("latest",) or not versions:
                refuse("ERROR: NOT_FOUND: Secret version not found.", 1)
            sys.stdout.write(versions[-1])
