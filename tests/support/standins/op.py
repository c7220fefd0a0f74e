"""A 1Password vault with one item that has two empty fields, as far as ``op item`` serves it."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from tests.support.standins import Command, refuse

if TYPE_CHECKING:
    from tests.support.standins import Call

COMMANDS = {
    "item get": Command(positional=1, options=frozenset({"--vault", "--format"}), switches=frozenset({"--reveal"})),
    "item edit": Command(positional=1, options=frozenset({"--vault"})),  # assignments would be further arguments
}


def begin() -> dict[str, Any]:
    item = {
        "id": "fakeitemidfakeitemidfakeit",
        "title": "tooken-ci-deploy",
        "version": 1,
        "category": "API_CREDENTIAL",
        "fields": [
            {"id": "username", "type": "STRING", "label": "username", "value": "ci 'n' \"d\" \\ é"},
            {"id": "credential", "type": "CONCEALED", "label": "credential"},
            {"id": "record", "type": "STRING", "label": "record"},
        ],
    }
    return {"vaults": {"CI": {"tooken-ci-deploy": item}}}


def serve(call: Call) -> None:
    vault, name = call.state["vaults"].get(call.options["--vault"], {}), call.arguments[0]
    if name not in vault:
        refuse(f'[ERROR] "{name}" isn\'t an item in the "{call.options["--vault"]}" vault.', 1)
    match call.command:
        case "item get":
            call.wants("--format", "json")
            call.options["--reveal"]
            sys.stdout.write(json.dumps(vault[name], indent=2) + "\n")
        case "item edit":
            try:
                given = json.loads(sys.stdin.read())
            except ValueError:
                refuse("[ERROR] invalid JSON provided", 1)
            if given["id"] != vault[name]["id"]:
                refuse("[ERROR] the template is of another item", 1)
            vault[name] = {**given, "version": vault[name]["version"] + 1}
            sys.stdout.write(f"ID: {given['id']}\nFields:\n  credential: [use 'op item get' to reveal]\n")
