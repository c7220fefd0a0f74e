"""AWS Secrets Manager on this machine: moto, and before it a gate that is as strict as AWS and has faults to order."""

from __future__ import annotations

import dataclasses
import json
import re
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any, Self

import boto3
import requests
from botocore.config import Config

from tests.support.needs import cannot
from tests.support.serving import Handler, Serving

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from http.server import BaseHTTPRequestHandler

    from types_boto3_secretsmanager.client import SecretsManagerClient

REGION = "eu-west-1"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIAPLAINLYFAKE00000",
    "AWS_SECRET_ACCESS_KEY": "plainly-fake-aws-secret-key",
    "AWS_SESSION_TOKEN": "plainly-fake-aws-session-token",
}
_START = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""
_ALPHABET = re.compile(r"[\w .:/=+@-]*")
_LARGEST = 65_536


class Moto:
    """The server, in a process of its own, which ends with its standard input."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", _START],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        port = self._process.stdout.readline().strip()
        if not port:
            self._process.communicate(timeout=10)
            cannot("moto's server does not start")
        self.url = f"http://127.0.0.1:{port}"
        self.client = client(self.url)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self._process.communicate(timeout=10)


@dataclasses.dataclass(kw_only=True)
class Fault:
    """Something that goes wrong.

    Attributes:
        operation: with which request.
        how: ``status``, ``reset``, ``hang``, ``garbage``, ``redirect`` or ``call``.
        done: it was done all the same, only the answer goes wrong.
        times: how often.
        after: how many such requests go well before.
        status, code, text, headers: of the answer.
        call: is called before the request goes on.
    """

    operation: str
    how: str = "status"
    done: bool = False
    times: int = 1
    after: int = 0
    status: int = 500
    code: str = "InternalServiceError"
    text: str = "An error occurred on the server side."
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    call: Callable[[], object] | None = None


class RefusedError(Exception):
    """The gate refuses what AWS would refuse."""

    def __init__(self, code: str, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.code, self.text, self.status = code, text, status


class Gate:
    """An endpoint for AWS's clients.

    Attributes:
        url: its address.
        faults: to come; each is used up.
        log: the operations that were asked for, in their order.
        bodies: what each of them said.
        direct: an independent client that goes past the gate.
        moto_url: the server behind it.
    """

    def __init__(self, moto: Moto) -> None:
        self.faults: list[Fault] = []
        self.log: list[str] = []
        self.bodies: list[dict[str, Any]] = []
        self.direct = moto.client
        self.moto_url = moto.url
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._server = Serving(self._handler())
        self._server.begin()
        self.url = self._server.url

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.end()

    def fault(self, operation: str, how: str = "status", **more: Any) -> None:
        """Orders a fault."""
        self.faults.append(Fault(operation=operation, how=how, **more))

    def refuse(self, operation: str, code: str, text: str = "No.", **more: Any) -> None:
        """Orders a refusal, from now on."""
        self.faults.append(Fault(operation=operation, status=400, code=code, text=text, **{"times": 99, **more}))

    def environment(self) -> dict[str, str]:
        """What leads a program here."""
        return {
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }

    def stages(self, name: str) -> dict[str, list[str]]:
        """The labels of each version that has some."""
        found = self.direct.describe_secret(SecretId=name).get("VersionIdsToStages", {})
        return {version: sorted(stages) for version, stages in found.items() if stages}

    def tags(self, name: str) -> dict[str, str]:
        """The tags of a secret."""
        return {tag["Key"]: tag["Value"] for tag in self.direct.describe_secret(SecretId=name).get("Tags", ())}

    def read(self, name: str) -> str:
        """What consumers read."""
        return self.direct.get_secret_value(SecretId=name, VersionStage="AWSCURRENT")["SecretString"]

    def edit(self, name: str, text: str) -> None:
        """Changes what consumers read, as a person would at the console (moto's own way forgets to move labels)."""
        made = self.direct.put_secret_value(SecretId=name, SecretString=text, VersionStages=["by-hand"])["VersionId"]
        move = self.direct.update_secret_version_stage
        before = next(version for version, stages in self.stages(name).items() if "AWSCURRENT" in stages)
        move(SecretId=name, VersionStage="AWSCURRENT", MoveToVersionId=made, RemoveFromVersionId=before)
        move(SecretId=name, VersionStage="by-hand", RemoveFromVersionId=made)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        gate = self

        class Bound(Handler):
            def do_POST(self) -> None:  # noqa: N802
                body = self.rfile.read(int(self.headers["Content-Length"]))
                gate._serve(self, self.headers.get("X-Amz-Target", "").rpartition(".")[2], body)

        return Bound

    def _serve(self, handler: BaseHTTPRequestHandler, operation: str, body: bytes) -> None:
        with self._lock:
            self.log.append(operation)
            self.bodies.append(json.loads(body))
            fault = self._due(operation)
        if fault is not None and fault.call is not None:
            fault.call()
        wrong = fault if fault is not None and fault.how != "call" else None
        if wrong is not None and not wrong.done:
            self._go_wrong(handler, wrong)
            return
        status, answer = self._forward(handler, operation, body)
        if wrong is not None:
            self._go_wrong(handler, wrong)
        else:
            _answer(handler, status, answer, {})

    def _due(self, operation: str) -> Fault | None:
        for fault in self.faults:
            if fault.operation == operation and fault.times > 0:
                if fault.after:
                    fault.after -= 1
                    return None
                fault.times -= 1
                return fault
        return None

    def _go_wrong(self, handler: BaseHTTPRequestHandler, fault: Fault) -> None:
        if fault.how == "hang":
            self._over.wait()
        if fault.how in {"hang", "reset"}:
            handler.close_connection = True
            handler.connection.shutdown(socket.SHUT_RDWR)
        elif fault.how == "garbage":
            _answer(handler, 200, b"<html>a proxy's page</html>", {})
        elif fault.how == "redirect":
            _answer(handler, 302, b"", {"Location": "http://127.0.0.2:9/"})
        else:
            text = json.dumps({"__type": fault.code, "message": fault.text}).encode()
            _answer(handler, fault.status, text, fault.headers)

    def _forward(self, handler: BaseHTTPRequestHandler, operation: str, body: bytes) -> tuple[int, bytes]:
        asked = json.loads(body)
        try:
            done = self._strictly(operation, asked)
        except RefusedError as error:
            return error.status, json.dumps({"__type": error.code, "message": error.text}).encode()
        if done is not None:
            return 200, json.dumps(done).encode()
        kept = ("Authorization", "Content-Type", "X-Amz-Date", "X-Amz-Target", "X-Amz-Security-Token")
        headers = {name: handler.headers[name] for name in kept if name in handler.headers}
        reply = requests.post(self.moto_url, data=json.dumps(asked), headers=headers, timeout=20)
        answer = reply.json() if reply.content else {}
        if operation == "DescribeSecret" and reply.ok:  # AWS lists only versions with labels
            stages = answer.get("VersionIdsToStages", {})
            answer["VersionIdsToStages"] = {version: labels for version, labels in stages.items() if labels}
        return reply.status_code, json.dumps(answer).encode()

    def _strictly(self, operation: str, asked: dict[str, Any]) -> dict[str, Any] | None:
        """Holds a request against what AWS documents and moto does not look at; gives what is answered at once."""
        if operation in {"TagResource", "CreateSecret"}:
            self._check_tags(operation, asked)
        if operation == "PutSecretValue":
            return self._check_put(asked)
        if operation == "UpdateSecretVersionStage":
            self._check_move(asked)
        return None

    def _check_tags(self, operation: str, asked: dict[str, Any]) -> None:
        tags = {tag["Key"]: tag["Value"] for tag in asked.get("Tags", ())}
        for key, value in tags.items():
            if not (1 <= len(key) <= 127 and len(value) <= 255 and _ALPHABET.fullmatch(key + value)):
                raise RefusedError("InvalidParameterException", "Invalid tag.")
            if value != value.strip():
                raise RefusedError("InvalidParameterException", "Invalid tag, it begins or ends with a space.")
        if operation == "TagResource" and len(tags | self.tags_of(asked["SecretId"])) > 50:
            raise RefusedError("InvalidParameterException", "Too many tags.")

    def _check_put(self, asked: dict[str, Any]) -> dict[str, Any] | None:
        if len(asked["SecretString"].encode()) > _LARGEST:
            raise RefusedError("InvalidParameterException", "Too large.")
        stored = self._stored(asked["SecretId"], asked["ClientRequestToken"])
        if stored is None:
            return None
        if stored["SecretString"] != asked["SecretString"]:
            raise RefusedError("ResourceExistsException", "That version has another value.")
        return {key: stored[key] for key in ("ARN", "Name", "VersionId", "VersionStages")}

    def _check_move(self, asked: dict[str, Any]) -> None:
        stages = self.stages(asked["SecretId"])
        stage, to = asked["VersionStage"], asked.get("MoveToVersionId")
        has = next((version for version, labels in stages.items() if stage in labels), None)
        if to is not None and self._stored(asked["SecretId"], to) is None:
            raise RefusedError("InvalidParameterException", f"Not a version: {to}.")
        if has is not None and asked.get("RemoveFromVersionId") != has:
            raise RefusedError(
                "InvalidParameterException",
                f"When you move staging label {stage}, if you specify RemoveFromVersionId, it must be set to the "
                f"version that currently has the staging label {stage}.",
            )

    def tags_of(self, name: str) -> dict[str, str]:
        """The tags of a secret that may be none."""
        try:
            return self.tags(name)
        except self.direct.exceptions.ResourceNotFoundException:
            return {}

    def _stored(self, name: str, version: str) -> dict[str, Any] | None:
        try:
            return dict(self.direct.get_secret_value(SecretId=name, VersionId=version))
        except self.direct.exceptions.ResourceNotFoundException:
            return None


def client(url: str) -> SecretsManagerClient:
    """A client as consumers have it."""
    session = boto3.Session("AKIAPLAINLYFAKE00001", "plainly-fake-other-key", region_name=REGION)
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=20)
    return session.client("secretsmanager", endpoint_url=url, config=config)


def _answer(handler: BaseHTTPRequestHandler, status: int, body: bytes, headers: Mapping[str, str]) -> None:
    handler.send_response(status)
    for name, value in {"Content-Type": "application/x-amz-json-1.1", **headers}.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)
