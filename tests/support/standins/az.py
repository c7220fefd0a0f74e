"""A key vault without secrets, as far as ``az keyvault secret`` serves it."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.standins import Command, refuse

if TYPE_CHECKING:
    from tests.support.standins import Call

_VAULT = frozenset({"--vault-name", "--output"})
COMMANDS = {
    "keyvault secret list": Command(options=_VAULT | {"--query", "--maxresults"}),
    "keyvault secret show": Command(options=_VAULT | {"--name", "--query"}),
    "keyvault secret set": Command(options=_VAULT | {"--name", "--file", "--encoding"}),
}
_NAME = re.compile(r"[0-9a-zA-Z-]{1,127}")
_BY_NAME = re.compile(r"\[\?ends_with\(id, '/secrets/([^']*)'\)\]\.id")


def begin() -> dict[str, Any]:
    return {"vaults": {"shop-vault": {}}}


def serve(call: Call) -> None:
    secrets = call.state["vaults"].get(call.options["--vault-name"])
    if secrets is None:
        refuse("ERROR: Max retries exceeded: name or service not known", 1)
    name = call.options.get("--name", "")
    match call.command:
        case "keyvault secret list" if "--query" in call.options:
            call.wants("--output", "tsv")
            query = _BY_NAME.fullmatch(call.options["--query"]) or refuse("argument --query: invalid jmespath")
            for known in secrets:
                if f"/secrets/{known}".endswith(f"/secrets/{query[1]}"):
                    sys.stdout.write(f"https://shop-vault.vault.azure.net/secrets/{known}\n")
        case "keyvault secret list":
            call.wants("--output", "none")
            int(call.options["--maxresults"])
        case "keyvault secret show":
            call.wants("--query", "value")
            call.wants("--output", "tsv")
            if name not in secrets:
                refuse(f"ERROR: (SecretNotFound) A secret with (name/id) {name} was not found in this key vault.", 3)
            sys.stdout.write(secrets[name] + "\n")
        case "keyvault secret set":
            call.wants("--output", "none")  # or it would print the secret
            call.wants("--encoding", "utf-8")
            if not _NAME.fullmatch(name):
                refuse(f"ERROR: (BadParameter) The secret name {name} is invalid.", 1)
            secrets[name] = Path(call.options["--file"]).read_text(encoding="utf-8")
