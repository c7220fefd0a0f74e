"""Options that several commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

DEFAULT_SPEC = "tooken.yml"
DEFAULT_API_URL = "https://api.tooken.io/v1"
FORMATS = ("text", "markdown", "json")


class Paths(click.ParamType[str]):
    """A path; in a variable several stand one to a line, since a path may hold spaces and colons."""

    name = "path"

    def split_envvar_value(self, rv: str) -> list[str]:
        """One path a line."""
        return [line.strip() for line in rv.splitlines() if line.strip()]


spec_option = click.option(
    "--spec",
    "specs",
    type=Paths(),
    multiple=True,
    default=(DEFAULT_SPEC,),
    envvar="TOOKEN_SPEC",
    show_default=DEFAULT_SPEC,
    help="The spec: a file, or a folder of *.yml and *.yaml files. May be repeated; all are merged.",
)
format_option = click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="text",
    envvar="TOOKEN_FORMAT",
    show_default=True,
    help="Text goes to standard error; Markdown or one JSON object to standard output.",
)
_API_OPTIONS = (
    click.option(
        "--api-url", default=DEFAULT_API_URL, envvar="TOOKEN_API_URL", show_default=True, help="The Tooken API."
    ),
    click.option(
        "--api-key-file",
        envvar="TOOKEN_API_KEY_FILE",
        help="A file that holds the API key. Without it, the key comes from the variable TOOKEN_API_KEY.",
    ),
    click.option("--allow-empty", is_flag=True, help="Let a spec that declares no tokens prune."),
)


def api_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that asks the API."""
    for option in reversed((spec_option, format_option, *_API_OPTIONS)):
        command = option(command)
    return command
