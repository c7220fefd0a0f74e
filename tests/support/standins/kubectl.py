"""A cluster with one namespace, as far as ``kubectl`` makes, shows and asks about secrets and config maps."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.standins import Command, refuse

if TYPE_CHECKING:
    from tests.support.standins import Call

_CREATE = frozenset({"--from-file", "--dry-run", "-o"})
COMMANDS = {
    "create configmap": Command(positional=1, options=_CREATE),
    "create secret generic": Command(positional=1, options=_CREATE),
    "apply": Command(options=frozenset({"-f"}), switches=frozenset({"--server-side", "--force-conflicts"})),
    "get": Command(positional=2, options=frozenset({"-o"}), switches=frozenset({"--ignore-not-found"})),
    "auth can-i": Command(positional=2),
}
_TEMPLATES = {
    ("configmap", "{{.data.record}}"): "record",
    ("secret", "{{.data.token | base64decode}}"): "token",
}


def begin() -> dict[str, Any]:
    return {"allowed": True, "objects": {}}


def serve(call: Call) -> None:
    objects = call.state["objects"]
    match call.command:
        case "create configmap" | "create secret generic":
            call.wants("--dry-run", "client")
            call.wants("-o", "yaml")
            key, _, path = call.options["--from-file"].partition("=")
            content = Path(path).read_bytes()
            secret = call.command != "create configmap"
            text = base64.b64encode(content).decode() if secret else content.decode()
            kind = "secret" if secret else "configmap"
            sys.stdout.write(json.dumps({"kind": kind, "name": call.arguments[0], "data": {key: text}}))
        case "apply":
            call.wants("-f", "-")
            text = sys.stdin.read()
            if not text:
                refuse("error: no objects passed to apply", 1)
            manifest = json.loads(text)  # JSON is YAML
            objects[f"{manifest['kind']}/{manifest['name']}"] = manifest["data"]
            sys.stdout.write(f"{manifest['kind']}/{manifest['name']} serverside-applied\n")
        case "get":
            kind, name = call.arguments
            call.options["--ignore-not-found"]
            key = _TEMPLATES[kind, call.options["-o"].removeprefix("go-template=")]
            data = objects.get(f"{kind}/{name}")
            if data is not None:
                text = data.get(key, "<no value>")
                sys.stdout.write(base64.b64decode(text).decode() if kind == "secret" else text)
        case "auth can-i":
            sys.stdout.write("yes\n" if call.state["allowed"] else "no\n")
            if not call.state["allowed"]:
                sys.exit(1)
