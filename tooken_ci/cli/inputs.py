"""Errors in the words of who uses the GitHub Action: who wrote inputs has seen neither options nor variables."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

import click

from tooken_ci.base.errors import NoKeyError
from tooken_ci.ci.inputs import INPUTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tooken_ci.base.errors import TookenCIError

_NAMED = re.compile(r"(?P<before>\A|\.\s|\bthis\s|)(?<![\w-])(?P<name>--[a-z-]+\b|TOOKEN_[A-Z_]+\b)")
_UNKNOWN = "No such command"
_NO_BOOLEAN = " is not a valid boolean"


def in_inputs(error: TookenCIError) -> None:
    """Have an error name the input wherever it names an option, or a variable, that is set by one."""
    if isinstance(error, NoKeyError):
        error.message = "There is no API key: the input 'api-key' is empty."
        error.hint = (
            "Set it to a secret of the repository. Runs for pull requests from forks get no secrets, and those that "
            "Dependabot starts get Dependabot's alone."
        )
    error.message = _NAMED.sub(_as_input, error.message)
    error.hint = _NAMED.sub(_as_input, error.hint)


def explained(error: click.ClickException, *, in_action: bool) -> click.ClickException:
    """What is wrong with a command line, to be shown; in the action with the input that it was made of.

    Args:
        error: click's.
        in_action: the action made the command line.
    """
    context = getattr(error, "ctx", None)
    if error.message.startswith(_UNKNOWN) and context is not None:
        told = f"{error.message} The commands are {', '.join(context.command.list_commands(context))}."
        return click.ClickException(f"The input 'command': {told}") if in_action else click.UsageError(told, context)
    return click.ClickException(_of_input(error, context)) if in_action else error


def _of_input(error: click.ClickException, context: click.Context | None) -> str:
    name = _input_of(getattr(error, "param", None))
    if not name or not isinstance(error, click.BadParameter):
        return error.format_message()
    if isinstance(error, click.MissingParameter):
        command = "the command" if context is None else context.info_name
        return f"The input '{name}' is empty: it tells what {command} sees to, one to a line."
    what, no_boolean, _ = error.message.partition(_NO_BOOLEAN)
    return f"The input '{name}': {f'{what} is neither true nor false.' if no_boolean else error.message}"


def _as_input(found: re.Match[str]) -> str:
    before, name = found["before"], found["name"]
    if name not in _inputs():
        return found[0]
    article = "" if before.startswith("this") else "the " if not before and found.start() else "The "
    return f"{before}{article}input '{_inputs()[name]}'"


@cache
def _inputs() -> Mapping[str, str]:
    """The input for each variable, and for each option that such a variable sets."""
    from tooken_ci.cli.commands import cli

    of_variables = {variable: name for name, variable in INPUTS.items()}
    params = [param for command in cli.commands.values() for param in command.params]
    of_options = {option: name for param in params if (name := _input_of(param)) for option in param.opts}
    return {**of_variables, **of_options}


def _input_of(param: click.Parameter | None) -> str:
    """The input that sets a parameter; empty where none does."""
    variable = param.envvar if param is not None else None
    return next((name for name, sets in INPUTS.items() if sets == variable), "")
