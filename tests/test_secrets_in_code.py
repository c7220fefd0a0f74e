"""Where the product reveals a secret, and where it writes a file: the places are few, and each has its reason."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PRODUCT = Path(__file__).parent.parent / "tooken_ci"

REVEALING = {
    "ci/github.py masks": "the runner is told what to mask, and nobody else",
    "destinations/aws_delivery.py _changed": "the destination is to hold it, alone or as one key of an object",
    "destinations/aws_store.py holds": "compared with what was read back",
    "destinations/exec_store.py write": "the program gets it on its standard input",
    "destinations/exec_store.py holds": "compared with what was read back",
    "destinations/file_store.py write": "the destination is to hold it",
    "destinations/file_store.py holds": "compared with what was read back",
    "destinations/github_api.py _call": "its beginning tells whether it is the job's own, which may not write secrets",
    "destinations/github_api.py _requester": "GitHub's own token goes into a header of requests to GitHub",
    "destinations/github_store.py write": "the destination is to hold it, sealed",
    "destinations/gitlab_api.py _client": "GitLab's own token goes into a header of requests to GitLab",
    "destinations/gitlab_store.py write": "the destination is to hold it, once it is known that GitLab can mask it",
    "destinations/gitlab_store.py holds": "compared with what was read back",
    "destinations/job.py write": "the destination is to hold it",
    "destinations/vault_login.py token": "what proves who we are goes to Vault",
    "destinations/vault_login.py _app_role": "what proves who we are goes to Vault",
    "destinations/vault_login.py __call__": "a key goes into the header of a request to the CI runner's own service",
    "destinations/vault_session.py _log_in": "Vault's own token goes into a header of requests to Vault",
    "destinations/vault_store.py write": "the destination is to hold it",
    "destinations/vault_store.py holds": "compared with what was read back",
    "tooken/transport.py __call__": "a credential goes into the header of a request to the API",
}

WRITING = {
    "base/files.py replace": "the shared way: masked, and searched at the end",
    "base/half_written.py half_written": "what is to become one of the files below, 0600 until it does",
    "base/half_written.py _made": "the folder of that, to lock it",
    "base/half_written.py _remove_dead": "the same, to see whether it is locked",
    "base/files.py _append": "the shared way: masked, and searched at the end",
    "cli/program.py run": "nowhere, where what a closed stream was to get goes",
    "cli/signals.py _end_by": "to the terminal: the cursor is shown again",
    "destinations/file_access.py replace": "a destination's own file",
    "destinations/file_access.py turn": "a folder, to lock it",
    "destinations/program.py _move": "a pipe, to a program of a destination",
}
"""Whatever opens something to write; what it writes is masked, or is a destination's."""

_OPENING = {"open", "fdopen", "write_text", "write_bytes", "mkstemp", "NamedTemporaryFile", "TemporaryFile"}


def _calls(tree: ast.AST, within: str = "") -> Iterator[tuple[str, ast.Call]]:
    """Every call, with the name of the function around it."""
    for node in ast.iter_child_nodes(tree):
        inside = node.name if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) else within
        if isinstance(node, ast.Call):
            yield within, node
        yield from _calls(node, inside)


def _product() -> Iterator[tuple[str, str, ast.Call]]:
    """Every call in the product but the sandbox, which is the other side of the wire: file, function, call."""
    for path in sorted(PRODUCT.rglob("*.py")):
        name = path.relative_to(PRODUCT).as_posix()
        if not name.startswith("sandbox/"):
            for within, call in _calls(ast.parse(path.read_text(encoding="utf-8"))):
                yield name, within, call


def _called(call: ast.Call) -> str:
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def _writes(call: ast.Call) -> bool:
    """Whether a call opens something to write to, or writes by a descriptor."""
    name = _called(call)
    if name == "write":
        return isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) == "os"
    if name not in _OPENING:
        return False
    if name != "open":
        return True
    if isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) == "os":
        return True
    modes = [arg.value for arg in (*call.args, *(kw.value for kw in call.keywords)) if isinstance(arg, ast.Constant)]
    return any(isinstance(mode, str) and mode and set(mode) <= set("rwaxbt+") and mode[:1] in "wax" for mode in modes)


def test_where_a_secret_is_revealed() -> None:
    """Only the places of the list call ``reveal``, and all of them do."""
    assert {f"{file} {within}" for file, within, call in _product() if _called(call) == "reveal"} == set(REVEALING)


def test_nothing_reveals_by_another_name() -> None:
    """``reveal`` is called where it is named, never handed on; and nobody reaches behind it."""
    called: Counter[str] = Counter()
    named: Counter[str] = Counter()
    for path in PRODUCT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _called(node) == "reveal":
                called[path.name] += 1
            if isinstance(node, ast.Attribute) and node.attr == "reveal":
                named[path.name] += 1
            if isinstance(node, ast.Attribute) and node.attr == "_tell":
                named[f"{path.name} _tell"] += 1
    assert {name: count for name, count in named.items() if not name.endswith("_tell")} == called


def test_where_a_file_is_written() -> None:
    """Only the places of the list open something to write to, and all of them do."""
    assert {f"{file} {within}" for file, within, call in _product() if _writes(call)} == set(WRITING)


@pytest.mark.parametrize(
    ("code", "writes"),
    [
        ("path.open('a', encoding='utf-8')", True),
        ("open(name, mode='wb')", True),
        ("path.write_text(text)", True),
        ("os.write(2, b'x')", True),
        ("os.open(folder, flags)", True),
        ("path.open('rb')", False),
        ("context.open(target)", False),
        ("destination.write(secret)", False),
    ],
)
def test_what_counts_as_writing(code: str, *, writes: bool) -> None:
    """The search for places that write finds them in every spelling, and nothing else."""
    ((_, call),) = _calls(ast.parse(code))
    assert _writes(call) is writes
