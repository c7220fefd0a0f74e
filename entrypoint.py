#!/usr/bin/env python3
"""Starts the command for the GitHub Action: its inputs become one argument and ``TOOKEN_*`` variables."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tooken_ci.ci.inputs import INPUTS

if TYPE_CHECKING:
    from collections.abc import Mapping

COMMAND_INPUT = "INPUT_COMMAND"
DEFAULT_COMMAND = "plan"
KEY_VARIABLE = "TOOKEN_API_KEY"
COMMENT_TOKEN = "TOOKEN_COMMENT_TOKEN"  # noqa: S105  # nosec B105  # the name of a variable
POST = "post-entrypoint.py"
"""The name under which the runner starts this file when the job ends."""

WHEN_THE_JOB_ENDS = {"lease": "release"}
STARTED_BY_RUNNER = "TOOKEN_CI_ACTION"

TRUE = {"1", "t", "true", "y", "yes", "on"}
"""What the command line takes for true in a variable."""

# The runner turns an input's name to upper case and its spaces to underscores: a hyphen stays.
VARIABLES = {f"INPUT_{name.upper()}": variable for name, variable in INPUTS.items()}


def translate(environ: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """Turn the action's inputs into the command's arguments and its environment.

    Only the command becomes an argument, and only ever one, so that no input can bring an option with it.
    """
    env = {name: value for name, value in environ.items() if name != COMMAND_INPUT and name not in VARIABLES}
    for source, target in VARIABLES.items():
        value = environ.get(source, "").strip()
        if value and (target == KEY_VARIABLE or not env.get(target)):
            env[target] = value
    if COMMAND_INPUT not in environ:
        return [], env
    if env.get("TOOKEN_COMMENT", "").lower() not in TRUE:
        env.pop(COMMENT_TOKEN, None)  # the runner gives it by default; what is not needed is not kept
    env[STARTED_BY_RUNNER] = "1"
    return [environ[COMMAND_INPUT].strip() or DEFAULT_COMMAND], env


def afterwards(arguments: list[str]) -> list[str]:
    """The command that the post step runs after the one of the step itself; none where there is nothing to do."""
    return [WHEN_THE_JOB_ENDS[name] for name in arguments if name in WHEN_THE_JOB_ENDS]


def main() -> None:
    """Become the command: the runner's signals then reach it, and no ``INPUT_`` variable is left in the process."""
    arguments, env = translate(os.environ)
    if Path(sys.argv[0]).name == POST:
        arguments = afterwards(arguments)
        if not arguments:
            return
    command = Path(sys.executable).with_name("tooken-ci")
    os.execve(command, [command.name, *arguments, *sys.argv[1:]], env)  # nosec B606  # no shell is to take part


if __name__ == "__main__":
    main()
