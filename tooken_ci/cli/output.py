"""Where a command tells what it has to tell, as its options say."""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

FORMATS = ("text", "markdown", "json")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Output:
    """Where a command tells what it has to tell.

    Attributes:
        form: text for people on standard error; markdown or json on standard output.
        report_file: a file that is to hold the JSON whatever the form is; None = none.
        terraform_report, codequality_report: files that are to hold what GitLab reads under these names; None = none.
        comment: the plan is to stand in a comment on the pull request or merge request, too.
    """

    form: str = "text"
    report_file: str | None = None
    terraform_report: str | None = None
    codequality_report: str | None = None
    comment: bool = False

    @property
    def files(self) -> tuple[tuple[str, str], ...]:
        """The option and the path of each file that is to be written."""
        asked = {
            "--report-file": self.report_file,
            "--terraform-report": self.terraform_report,
            "--codequality-report": self.codequality_report,
        }
        return tuple((option, path) for option, path in asked.items() if path is not None)

    def without_files(self) -> Output:
        """The same, but no file is written."""
        return dataclasses.replace(self, report_file=None, terraform_report=None, codequality_report=None)


_OPTIONS = (
    click.option(
        "--format",
        "form",
        type=click.Choice(FORMATS),
        default="text",
        envvar="TOOKEN_FORMAT",
        show_envvar=True,
        show_default=True,
        help="Text goes to standard error; Markdown or one JSON object to standard output.",
    ),
    click.option(
        "--report-file",
        metavar="FILE",
        envvar="TOOKEN_REPORT_FILE",
        show_envvar=True,
        help="Write the JSON there too, whatever the format, also on failure.",
    ),
    click.option(
        "--terraform-report",
        metavar="FILE",
        envvar="TOOKEN_TERRAFORM_REPORT",
        show_envvar=True,
        help="Write the plan's counts there, for GitLab's report of the kind terraform, also on failure.",
    ),
    click.option(
        "--codequality-report",
        metavar="FILE",
        envvar="TOOKEN_CODEQUALITY_REPORT",
        show_envvar=True,
        help="Write what is wrong with the spec there, for GitLab's report of the kind codequality, also on failure.",
    ),
)

comment_option = click.option(
    "--comment",
    is_flag=True,
    envvar="TOOKEN_COMMENT",
    show_envvar=True,
    help="Keep one comment with the plan on the pull request or merge request, written with TOOKEN_COMMENT_TOKEN.",
)
"""For the commands that plan, above ``output_options``."""

_FIELDS = tuple(field.name for field in dataclasses.fields(Output))


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that reports; the command gets them as one ``output``."""

    @functools.wraps(command)
    def bundled(*args: Any, **options: Any) -> Any:
        output = Output(**{name: options.pop(name) for name in _FIELDS if name in options})
        return command(*args, output=output, **options)

    for option in reversed(_OPTIONS):
        option(bundled)
    return bundled
