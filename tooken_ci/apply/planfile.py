"""The file that holds a saved plan: JSON, one line for each action and entry, sealed by a digest over every byte."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tooken_ci.base import files, times
from tooken_ci.base.errors import RunnerError, SavedPlanError
from tooken_ci.base.text import masked_data, quoted, safe
from tooken_ci.plan.saved import SavedPlan, SeenEntry, SeenPlace, SeenToken, Step

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMAT = "tooken-ci-plan/1"
AGAIN = "Nothing was changed. Plan again, look at the new plan, and apply that one."

_OURS = frozenset(
    {
        "format",
        "tool_version",
        "spec",
        "planned_at",
        "blocked_by",
        "kind",
        "origin",
        "cause",
        "expires_at",
        "state",
        "record",
    }
)
"""Under these keys there are words of ours, digests and times."""

_MODE = 0o644
_DIGEST = '"digest": "sha256:'
_LISTS = ("steps", "seen")


def to_text(saved: SavedPlan) -> str:
    """The whole file; nothing but ASCII."""
    body = "".join(_body(saved))
    return body + _seal(body)


def _body(saved: SavedPlan) -> Iterator[str]:
    yield f'{{\n"format": {_json(FORMAT)},\n'
    for field in dataclasses.fields(saved):
        if field.name not in _LISTS:
            value = getattr(saved, field.name)
            plain = value.isoformat() if field.name == "planned_at" else value
            yield f'"{field.name}": {_json(plain)},\n'
    for name in _LISTS:
        lines = ",\n".join(_json(dataclasses.asdict(item)) for item in getattr(saved, name))
        yield f'"{name}": [\n{lines}\n],\n'


def _plain(saved: SavedPlan) -> dict[str, Any]:
    """The data as a reader of the file gets it."""
    read: dict[str, Any] = json.loads(to_text(saved))
    return read


def _json(value: object) -> str:
    # the GitHub runner takes '##[' for a command wherever it stands in a line that somebody prints
    return json.dumps(value).replace("##[", "\\u0023#[")


def _seal(body: str) -> str:
    return f'{_DIGEST}{hashlib.sha256(body.encode()).hexdigest()}"\n}}\n'


def write(path: str, saved: SavedPlan) -> None:
    """Write the file in one step, readable by all: it goes from job to job, and holds no secret.

    Raises:
        RunnerError: it cannot be written.
    """
    text, data = to_text(saved), _plain(saved)
    if masked_data(data, _OURS) != data:
        raise RunnerError(
            f"The plan was not saved to {quoted(path)}: a name or a path in it holds the key or another secret.",
            hint="Look for a token or a destination that is named like a secret.",
        )
    try:
        target = Path(os.path.realpath(path))
        if target.exists() and not target.is_file():
            raise RunnerError(f"The plan cannot be saved to {quoted(path)}: it is no file.", hint="Name another one.")
        files.replace(target, text, mode=_MODE)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise RunnerError(
            f"The plan cannot be saved to {quoted(path)}: {safe(why)}.", hint="Name another file with --out."
        ) from None


def read(path: str) -> SavedPlan:
    """Read a saved plan.

    Raises:
        SavedPlanError: there is none, or it is not as it was written; tells why.
    """
    try:
        file = Path(path)
        if not file.exists():
            raise SavedPlanError(f"There is no saved plan at {quoted(path)}.", hint="Make one with 'plan --out FILE'.")
        if not file.is_file():
            raise SavedPlanError(f"The saved plan {quoted(path)} is no file.", hint=AGAIN)
        return parse(file.read_bytes().decode("ascii"))
    except UnicodeDecodeError:
        raise _unfit(path, "it is damaged, or no saved plan") from None
    except _UnfitError as error:
        raise _unfit(path, str(error)) from None
    except (OSError, ValueError) as error:  # a NUL in the path is a ValueError
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SavedPlanError(f"The saved plan {quoted(path)} cannot be read: {safe(why)}.", hint=AGAIN) from None


def _unfit(path: str, why: str) -> SavedPlanError:
    return SavedPlanError(f"The saved plan {quoted(path)} is not applied: {why}.", hint=AGAIN)


class _UnfitError(Exception):
    """A text is no saved plan as it was written; says why."""


def parse(text: str) -> SavedPlan:
    """Read the text of a file, if it is exactly as it was written.

    Raises:
        _UnfitError: it is not; says why.
    """
    data = _data(text)
    found = data.get("format")
    if not isinstance(found, str) or not found.startswith(FORMAT.partition("/")[0]):
        raise _UnfitError("it is no saved plan")
    if found != FORMAT:
        raise _UnfitError(f"its format is {quoted(found)}, and this tooken-ci reads {FORMAT}")
    if "digest" not in data:
        raise _UnfitError("it has no digest")
    body, _, _ = text.rpartition(_DIGEST)
    if text != body + _seal(body):
        raise _UnfitError("it was changed after it was saved: its digest does not match")
    try:
        _validate(data)
        return _saved(data)
    except (ValueError, OverflowError):
        raise _UnfitError("it does not hold what a saved plan holds") from None


def _data(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise _UnfitError("it is damaged, or no saved plan") from None
    if not isinstance(data, dict):
        raise _UnfitError("it is no saved plan")
    return data


def _validate(data: dict[str, Any]) -> None:
    """Hold the data against the schema: whoever changes a file may mend its digest too."""
    from jsonschema_rs import Draft202012Validator  # noqa: PLC0415  # only here: most runs have no saved plan

    schema = resources.files("tooken_ci.apply").joinpath("saved_plan.schema.json").read_text(encoding="utf-8")
    if not Draft202012Validator(json.loads(schema)).is_valid(data):
        raise ValueError("not as the schema asks")


def _saved(data: dict[str, Any]) -> SavedPlan:
    return SavedPlan(
        tool_version=data["tool_version"],
        workspace=data["workspace"],
        api_url=data["api_url"],
        spec=data["spec"],
        planned_at=times.parse(data["planned_at"]),
        options=data["options"],
        blocked_by=tuple(data["blocked_by"]),
        steps=tuple(
            Step(**{**step, "scopes": tuple(step["scopes"]), "destinations": tuple(step["destinations"])})
            for step in data["steps"]
        ),
        seen=tuple(
            SeenEntry(
                entry=one["entry"],
                tokens=tuple(SeenToken(**{**token, "scopes": tuple(token["scopes"])}) for token in one["tokens"]),
                places=tuple(SeenPlace(**place) for place in one["places"]),
            )
            for one in data["seen"]
        ),
    )
