"""Options that several commands share."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from tooken_ci.cli.output import comment_option, output_options

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from tooken_ci.tooken.window import Reserve

    _Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

DEFAULT_SPEC = "tooken.yml"
DEFAULT_API_URL = "https://api.tooken.io/v1"
LONGEST_GRACE = 3600.0
"""Seconds. The two minutes that a run may take for an entry are far below; what is longer is a slip."""

_NUMBER = re.compile(r"[0-9]{1,9}")


class Lines(click.ParamType[str]):
    """A text; in a variable several stand one to a line, since a name or a path may hold spaces and colons."""

    name = "text"

    def split_envvar_value(self, rv: str) -> list[str]:
        """One text a line."""
        return [line.strip() for line in rv.splitlines() if line.strip()]


class Paths(Lines):
    """Paths."""

    name = "path"


class Kept(click.ParamType["Reserve"]):
    """A number of requests, or a share of them."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Reserve:
        """Read ``10%`` or ``100``."""
        from tooken_ci.spec.durations import parse_share
        from tooken_ci.tooken.window import Reserve

        if isinstance(value, Reserve):
            return value
        if _NUMBER.fullmatch(value):
            return Reserve(number=int(value))
        try:
            return Reserve(share=float(parse_share(value)))
        except ValueError:
            self.fail(f"{value!r} is neither a number of requests, such as 100, nor a share, such as 10%.", param, ctx)


class Part(click.ParamType[tuple[int, int]]):
    """One part of a list, and of how many."""

    name = "part"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Read ``2/3``."""
        if isinstance(value, tuple):
            return value
        number, slash, parts = value.partition("/")
        if slash and _NUMBER.fullmatch(number) and _NUMBER.fullmatch(parts) and 1 <= int(number) <= int(parts):
            return int(number), int(parts)
        return self.fail(f"{value!r} is no part, such as 2/3: the second of three.", param, ctx)


class Overlap(click.ParamType["dt.timedelta"]):
    """An overlap as the spec writes it."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dt.timedelta:
        """Read ``24h`` or ``0``."""
        from datetime import timedelta

        from tooken_ci.spec.durations import parse

        if isinstance(value, timedelta):
            return value
        try:
            return timedelta(0) if value == "0" else parse(value)
        except ValueError:
            self.fail(f"{value!r} is no duration, such as 24h or 30m, and not 0.", param, ctx)


class Duration(click.ParamType[float]):
    """A duration as the spec writes it, or in seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read ``30m`` or ``90s``, to seconds."""
        from tooken_ci.spec.durations import parse

        if isinstance(value, float):
            return value
        if value.endswith("s") and _NUMBER.fullmatch(value[:-1]) and int(value[:-1]):
            return float(value[:-1])
        try:
            return parse(value).total_seconds()
        except ValueError:
            self.fail(f"{value!r} is no duration, such as 90s, 30m or 2h.", param, ctx)


class Grace(Duration):
    """How old the traces of another run must be to be taken for those of one that died."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read as a duration, or ``0``, to seconds."""
        seconds = 0.0 if value == "0" else super().convert(value, param, ctx)
        if seconds > LONGEST_GRACE:
            self.fail(
                f"{value!r} is too long: no run needs more than a few minutes for an entry; at most 1h.", param, ctx
            )
        return seconds


def _mask_key(_: click.Context, __: click.Parameter, file: str | None) -> str | None:
    """Have the file's key masked before anything else is read: people give it where a name belongs, too."""
    from tooken_ci.tooken.key import mask_file

    if file is not None:
        mask_file(file)
    return file


spec_option = click.option(
    "--spec",
    "specs",
    type=Paths(),
    multiple=True,
    default=(DEFAULT_SPEC,),
    envvar="TOOKEN_SPEC",
    show_envvar=True,
    show_default=DEFAULT_SPEC,
    help="The spec: a file, or a folder of *.yml and *.yaml files. May be repeated; all are merged.",
)
_API_OPTIONS = (
    click.option(
        "--api-url",
        default=DEFAULT_API_URL,
        envvar="TOOKEN_API_URL",
        show_envvar=True,
        show_default=True,
        help="The Tooken API.",
    ),
    click.option(
        "--api-key-file",
        is_eager=True,
        callback=_mask_key,
        envvar="TOOKEN_API_KEY_FILE",
        show_envvar=True,
        help="A file that holds the API key. Without it, the key comes from the variable TOOKEN_API_KEY.",
    ),
    click.option(
        "--ca-bundle",
        metavar="FILE",
        envvar="TOOKEN_CA_BUNDLE",
        show_envvar=True,
        help="The certificates to trust at the API, in PEM format, instead of the usual ones.",
    ),
    click.option(
        "--workers",
        type=click.IntRange(1, 64),
        default=8,
        envvar="TOOKEN_WORKERS",
        show_envvar=True,
        show_default=True,
        help="How many requests, and entries, may be under way at once.",
    ),
    click.option(
        "--reserve",
        type=Kept(),
        default="10%",
        envvar="TOOKEN_RESERVE",
        show_envvar=True,
        show_default=True,
        help="What is left of the workspace's request allowance to others: a share or a number.",
    ),
    click.option(
        "--deadline",
        type=Duration(),
        default="30m",
        envvar="TOOKEN_DEADLINE",
        show_envvar=True,
        show_default=True,
        help="How long the run may take, such as 90s, 30m or 2h.",
    ),
)
_TERMS = (
    click.option(
        "--busy-grace",
        type=Grace(),
        default="3m",
        envvar="TOOKEN_BUSY_GRACE",
        show_envvar=True,
        show_default=True,
        help="How old another run's traces on an entry must be to be taken for those of one that died; apply waits "
        "for that. 0 = nothing counts as busy.",
    ),
    click.option(
        "--revoke-used", is_flag=True, help="Revoke older generations that are due although they are still used."
    ),
)
_PLAN_OPTIONS = (
    click.option(
        "--only",
        "only",
        type=Lines(),
        multiple=True,
        metavar="NAME",
        envvar="TOOKEN_ONLY",
        show_envvar=True,
        help="See to this entry alone. May be repeated.",
    ),
    click.option("--allow-empty", is_flag=True, help="Let a spec that declares no tokens prune."),
)
yes_option = click.option("--yes", is_flag=True, help="Do not ask at a terminal.")


def api_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that asks the API."""
    return _with(output_options(command), spec_option, *_API_OPTIONS)


def planning_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that plans."""
    return _with(api_options(command), *_TERMS, comment_option)


def plan_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of the commands that may see to all of the spec."""
    return _with(planning_options(command), *_PLAN_OPTIONS)


def _with(
    command: Callable[..., Any], *options: Callable[[Callable[..., Any]], Callable[..., Any]]
) -> Callable[..., Any]:
    for option in reversed(options):
        command = option(command)
    return command
