"""What the CI runner is told, escaped in one place: commands on its output, and values in its files.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from tooken_ci.base.text import masked

if TYPE_CHECKING:
    from collections.abc import Mapping


def workflow_command(name: str, properties: Mapping[str, str | int], message: str) -> str:
    """One workflow command of the GitHub runner as a line, without its line end; its texts are masked."""
    told = ",".join(
        f"{key}={_property(masked(value) if isinstance(value, str) else str(value))}"
        for key, value in properties.items()
    )
    return f"::{name}{' ' if told else ''}{told}::{_data(masked(message))}"


def mask_command(value: str) -> str:
    """The line that has the runner mask a value, which stands in it; see ``cli.masking``."""
    return f"::add-mask::{_data(value)}"


def file_command(name: str, value: str) -> str:
    """A value for one of the runner's files (``GITHUB_OUTPUT``, ``GITHUB_ENV``, ``GITHUB_STATE``).

    Whatever the value is, it can't end itself and begin another: nobody can foresee its border.
    """
    border = f"tooken-{secrets.token_hex(16)}"
    return f"{name}<<{border}\n{value}\n{border}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
