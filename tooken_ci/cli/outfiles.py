"""The files that a run writes for people and programs: where they may be."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tooken_ci.base.errors import RunnerError, UsageError
from tooken_ci.base.text import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tooken_ci.ci.host import Host

_READING = ("api_key_file", "ca_bundle", "file", "out")
"""The options of one path each that the run reads, or that hold another file of its own."""

_OF_TERRAFORM = ({"create", "update", "delete"}, {"failure"})


def own_files(options: Mapping[str, Any]) -> list[str]:
    """The files and folders that the options name, which the run reads or saves a plan to."""
    return [*options.get("specs", ()), *filter(None, (options.get(name) for name in _READING))]


def refuse_over(path: str, host: Host, own: Iterable[str], *, what: str, option: str) -> None:
    """Refuse to write a file over what the run reads, or where it would be lost.

    Args:
        path: where it is to be written.
        host: where the command runs.
        own: what the run reads.
        what: what the file is to hold, with its article.
        option: the option that names it.

    Raises:
        UsageError: the place is none for it.
    """
    hint = f"Name another file with {option}."
    if not path or "\0" in path:
        raise UsageError(f"{quoted(path)} is not the path of a file.", hint=hint)
    real = Path(os.path.realpath(path))
    for taken in own:
        other = Path(os.path.realpath(taken))
        if real == other or (real.parent == other and real.suffix in {".yml", ".yaml"}):
            raise UsageError(
                f"{what} cannot be saved to {quoted(path)}: this run reads it, or writes it for something else.",
                hint=hint,
            )
    if host.workspace is not None and not real.is_relative_to(os.path.realpath(host.workspace)):
        lost = f"{what[0].lower()}{what[1:]} would be gone with the action's container"
        raise UsageError(f"{quoted(path)} lies outside the workspace, so {lost}.", hint=hint)


def report_file(path: str, *, option: str) -> Path:
    """The file that a report may be written to, behind every link: a new one, an empty one, or an older report.

    Anything else may be a secret that was delivered there, or no file at all.

    Args:
        path: where the report is to be written.
        option: the option that names it.

    Raises:
        RunnerError: something else is there.
    """
    real = Path(os.path.realpath(path))
    if not os.path.lexists(real):
        return real
    hint = f"Name another file with {option}."
    if not real.is_file():
        raise RunnerError(f"The report was not written to {quoted(path)}: it is no file.", hint=hint)
    try:
        text = real.read_text(encoding="utf-8")
    except (OSError, ValueError):
        text = "?"
    if text and not _is_report(text):
        told = f"The report was not written to {quoted(path)}: a file is there that is no report of tooken-ci."
        raise RunnerError(told, hint=f"Remove it, or name another one with {option}.")
    return real


def _is_report(text: str) -> bool:
    """Whether a text is what ``--report-file`` writes, or one of GitLab's two reports as they are written here."""
    try:
        data = json.loads(text)
    except ValueError:
        return False
    if isinstance(data, list):
        return all(isinstance(one, dict) and str(one.get("check_name", "")).startswith("tooken-ci/") for one in data)
    if not isinstance(data, dict):
        return False
    return {"format_version", "tool_version"} <= data.keys() or data.keys() in (
        {"create", "update", "delete"},
        {"failure"},
    )
