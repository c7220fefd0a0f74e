"""What the tests of the spec share: a kind of destination like ``file``, and short ways to load a text."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

import pytest

from tooken_ci.base.errors import SpecError
from tooken_ci.spec.kinds import SettingsError
from tooken_ci.spec.load import load
from tooken_ci.spec.model import Target

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tooken_ci.base.errors import Fault
    from tooken_ci.base.position import Position
    from tooken_ci.spec.model import Spec


class FileLike:
    """Like the real ``file``, without a file system."""

    name = "file"
    schema: Mapping[str, Any] = {
        "title": "file",
        "type": "object",
        "required": ["path"],
        "additionalProperties": False,
        "properties": {
            "path": {"type": "string", "minLength": 1, "examples": ["out/ci"]},
            "persistent": {"type": "boolean"},
            "takeover": {"type": "boolean"},
        },
    }

    def parse(self, settings: Mapping[str, Any], position: Position) -> Target:
        path = settings["path"]
        if path.endswith("/"):
            raise SettingsError(f"'{path}' is not the path of a file.", hint="Name a file.", key="path")
        if path == "nowhere":
            raise SettingsError("There is no such place.")
        claim = posixpath.normpath(path)
        return Target(
            kind=self.name,
            place=f"file {path}",
            claims=frozenset({claim, f"{claim}.tooken"}),
            settings=settings,
            takeover=settings.get("takeover", False),
            warnings=(f"'{path}' is lost with the runner.",) if path.startswith("/tmp/") else (),  # noqa: S108
            position=position,
        )


KINDS = (FileLike(),)


def write(folder: Path, **texts: str) -> list[str]:
    """Write one file for each text, and give their paths in that order."""
    paths = []
    for name, text in texts.items():
        path = folder / f"{name}.yml"
        path.write_text(text, encoding="utf-8")
        paths.append(str(path))
    return paths


def loaded(folder: Path, **texts: str) -> Spec:
    return load(write(folder, **texts), kinds=KINDS)


def faults(paths: list[str]) -> tuple[Fault, ...]:
    with pytest.raises(SpecError) as caught:
        load(paths, kinds=KINDS)
    return caught.value.faults


def told(folder: Path, **texts: str) -> list[str]:
    """The faults of a spec that is not valid, as a user reads them, without the folder."""
    return [str(fault).replace(f"{folder}/", "") for fault in faults(write(folder, **texts))]
