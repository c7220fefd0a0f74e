"""The command ``matrix``: a fleet as a list of jobs."""

from __future__ import annotations

import os

import click

from tooken_ci.base.errors import RunnerError, TookenCIError
from tooken_ci.base.text import count, intact
from tooken_ci.ci import git, github, matrix
from tooken_ci.ci.host import HostKind, detect
from tooken_ci.cli.channels import annotate
from tooken_ci.cli.output import Output
from tooken_ci.cli.reporting import Reporting, say
from tooken_ci.cli.session import registry_for
from tooken_ci.plan.notices import Level, Notice
from tooken_ci.render.report import Report
from tooken_ci.spec.fleet import find_fleet


def matrix_of(folder: str, *, changed_since: str | None, part: tuple[int, int], form: str | None) -> None:
    """Print the list of a fleet's workspaces, and tell people how long it is.

    Args:
        folder: the specs stand under it.
        changed_since: names the commit that the specs must differ from; None = all are listed.
        part: which part of the list, from 1, and of how many.
        form: the system whose form the list has; None = that of the one it runs in.

    Raises:
        TookenCIError: there is no list that could be relied on; what is wrong has been annotated.
    """
    # no plan, so neither outputs nor a summary: of a report only the annotations
    reporting = Reporting(output=Output(), host=detect(os.environ), report=Report())
    try:
        system = matrix.SYSTEMS[form] if form else matrix.system_for(reporting.host.kind)
        _print_list(reporting, folder, changed_since=changed_since, part=part, system=system)
    except TookenCIError as error:
        reporting.fail(error)
        annotate(reporting, say)
        raise


def _print_list(
    reporting: Reporting, folder: str, *, changed_since: str | None, part: tuple[int, int], system: matrix.System
) -> None:
    registry = registry_for(reporting.host)
    fleet = find_fleet(folder, kinds=registry.kinds, others=registry.others)
    listed = list(fleet)
    if changed_since is not None:
        files = git.changed_since(changed_since, folder, os.environ)
        listed = listed if files is None else matrix.changed(listed, files)
    listed = list(matrix.part_of(listed, part))
    try:
        click.echo(intact(matrix.as_json(listed, system)))
    except OSError as error:
        raise RunnerError(f"The list could not be written: {error.strerror}.") from None
    say(f"{len(listed)} of {count(len(fleet), 'workspace')}.")
    warning = matrix.too_many(listed, part[1], system)
    if warning:
        say(f"Warning: {warning}")
        if reporting.host.kind is HostKind.GITHUB:
            for line in github.annotated([Notice(level=Level.WARNING, code="matrix", message=warning)]):
                say(line)
