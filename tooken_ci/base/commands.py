"""Commands to the CI runner, escaped in one place. https://docs.github.com/actions/reference/workflow-commands-for-github-actions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def workflow_command(name: str, properties: Mapping[str, str | int], message: str) -> str:
    """One workflow command of the GitHub runner as a line, without its line end."""
    told = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
    return f"::{name}{' ' if told else ''}{told}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
