"""The commands: read options, call, render, exit code.

A command imports what it uses where it uses it, so that ``--version`` and ``--help`` import next to nothing.
"""

from __future__ import annotations

from typing import Any

import click

from tooken_ci import __version__
from tooken_ci.cli.options import (
    Lines,
    Overlap,
    Part,
    api_options,
    plan_options,
    planning_options,
    spec_option,
    yes_option,
)
from tooken_ci.cli.output import Output, output_options


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="tooken-ci")
@click.option("--debug", is_flag=True, envvar="TOOKEN_DEBUG", show_envvar=True, help="Log more, and show tracebacks.")
@click.pass_context
def cli(context: click.Context, /, *, debug: bool) -> None:
    """Tokens as code for Tooken: declare API tokens in YAML, and let CI create, deliver, renew and revoke them."""
    import logging
    import os

    from tooken_ci.cli.reporting import LogHandler
    from tooken_ci.tooken.key import mask_variables

    if context.invoked_subcommand != "sandbox":  # which prints a key of its own, maybe the same
        mask_variables(os.environ)

    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.WARNING, force=True, handlers=[LogHandler()])
    logging.getLogger("tooken_ci").setLevel(logging.DEBUG if debug else logging.INFO)


@cli.command()
@spec_option
@output_options
def validate(*, specs: tuple[str, ...], output: Output) -> None:
    """Check the spec, without asking the API."""
    from tooken_ci.base.text import count, safe
    from tooken_ci.cli.reporting import reporting_on, say
    from tooken_ci.cli.session import keep_policy, load_spec, registry_for

    with reporting_on(output, reads=specs) as reporting:
        spec = load_spec(specs, registry_for(reporting.host, *specs, *reporting.paths), reporting)
        keep_policy(spec)
        say(f"The spec is valid: {count(len(spec.entries), 'entry')} in {', '.join(map(safe, spec.files))}.")


@cli.command()
@click.option("--changed-since", metavar="REF", help="Only those whose spec differs from where HEAD parted from REF.")
@click.option("--part", type=Part(), default="1/1", show_default=True, help="One part of the list, such as 2/3.")
@click.option(
    "--for",
    "system",
    type=click.Choice(["github", "gitlab"]),
    help="Whose form the list has; left out, that of the system it runs in, and GitHub's elsewhere.",
)
@click.argument("folder", metavar="DIR")
def matrix(*, folder: str, changed_since: str | None, part: tuple[int, int], system: str | None) -> None:
    """Print the workspaces under a folder, as a matrix of CI jobs.

    Each file of a spec in DIR is a workspace, and each folder below it that holds such files. The list is JSON, for
    GitHub's 'strategy.matrix' or GitLab's 'parallel: matrix', one job a workspace. All of the specs must be valid.
    """
    from tooken_ci.cli.fleet import matrix_of

    matrix_of(folder, changed_since=changed_since, part=part, form=system)


@cli.command()
@plan_options
@click.option(
    "--detailed-exitcode",
    is_flag=True,
    envvar="TOOKEN_DETAILED_EXITCODE",
    show_envvar=True,
    help="Exit with 4 if changes are pending.",
)
@click.option(
    "--out", metavar="FILE", envvar="TOOKEN_PLAN_FILE", show_envvar=True, help="Save the plan, for 'apply FILE'."
)
def plan(*, detailed_exitcode: bool, out: str | None, output: Output, **options: Any) -> None:
    """Show what apply would change. Changes nothing."""
    from tooken_ci.base.errors import ChangesError, ExitCode
    from tooken_ci.cli.outfiles import own_files, refuse_over
    from tooken_ci.cli.reporting import reporting_on
    from tooken_ci.cli.session import survey_of
    from tooken_ci.plan.result import verdict_on

    with reporting_on(output, reads=own_files({"out": out, **options})) as reporting:
        if out is not None:
            refuse_over(out, reporting.host, own_files(options), what="The plan", option="--out")
        run, survey = survey_of(reporting, plan_file=out, **options)
        if out is not None:
            from tooken_ci.cli.saved import keep_plan

            keep_plan(out, reporting, run, survey, options)
        verdict = verdict_on(survey.plan)
        if verdict is not None:
            raise verdict
        if detailed_exitcode and survey.plan.actions:
            if reporting.host.masks:  # in the action nobody sees an exit code: the step fails, and is to say why
                raise ChangesError(
                    "There are changes, and fail-on-changes is true.", hint="Apply them, or see who made them."
                )
            reporting.exit_code = ExitCode.PENDING


@cli.command()
@plan_options
@yes_option
@click.argument("file", required=False, envvar="TOOKEN_PLAN_FILE")
def apply(*, yes: bool, file: str | None, output: Output, **options: Any) -> None:
    """Bring the workspace to the spec.

    Makes what is missing, replaces what differs, delivers each new secret and proves that it works, and revokes what is
    no longer needed, within the bounds of the policy.

    With FILE, a plan that 'plan --out FILE' saved: it is applied if it still fits, without a question; otherwise
    nothing is changed.
    """
    from tooken_ci.cli.outfiles import own_files
    from tooken_ci.cli.reporting import reporting_on
    from tooken_ci.cli.session import carry_out

    with reporting_on(output, reads=own_files({"file": file, **options}), applying=True) as reporting:
        saved = None
        if file is not None:
            from tooken_ci.cli.saved import saved_plan

            saved, options = saved_plan(file, options)
        carry_out(reporting, yes=yes, plan_file=file, saved=saved, **options)


@cli.command()
@planning_options
@click.option(
    "--overlap",
    type=Overlap(),
    envvar="TOOKEN_OVERLAP",
    show_envvar=True,
    help="How long the old secrets live on, such as 24h; 0 after a leak.",
)
@click.option(
    "--strategy", type=click.Choice(["replace", "in_place"]), help="How to rotate, instead of as the spec says."
)
@yes_option
@click.argument("names", nargs=-1, metavar="[NAME]...", type=Lines(), envvar="TOOKEN_NAMES")
def rotate(
    *, yes: bool, output: Output, names: tuple[str, ...], overlap: Any, strategy: str | None, **options: Any
) -> None:
    """Rotate what is due, or the entries named, now.

    Without a name it does what of apply is due or unfinished, and leaves for apply what else the spec asks for. An
    entry that is named is rotated whatever its age.
    """
    from tooken_ci.cli.outfiles import own_files
    from tooken_ci.cli.reporting import reporting_on
    from tooken_ci.cli.session import carry_out
    from tooken_ci.plan import focus

    in_place = None if strategy is None else strategy == "in_place"
    with reporting_on(output, reads=own_files(options), applying=True) as reporting:
        carry_out(
            reporting,
            yes=yes,
            aim=lambda spec: focus.rotation(spec, names, overlap=overlap, in_place=in_place),
            **options,
        )


@cli.command()
@api_options
@yes_option
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.pass_context
def revoke(context: click.Context, /, *, names: tuple[str, ...], output: Output, **options: Any) -> None:
    """Revoke tokens now, for the day one leaks.

    A NAME... is that of an entry of the spec (then all of its active generations go) or exactly that of one token, such
    as deploy.g2, or deploy.g1 for the first generation alone. Tells what will break, and asks.
    """
    from click.core import ParameterSource

    from tooken_ci.cli.outfiles import own_files
    from tooken_ci.cli.reporting import reporting_on
    from tooken_ci.cli.revoke import revoke_named

    given = context.get_parameter_source("specs") is not ParameterSource.DEFAULT
    with reporting_on(output, reads=own_files(options), applying=True) as reporting:
        revoke_named(reporting, names, given=given, **options)


@cli.command()
@api_options
@click.argument("names", nargs=-1, required=True, metavar="NAME...", type=Lines(), envvar="TOOKEN_NAMES")
def lease(*, output: Output, names: tuple[str, ...], **options: Any) -> None:
    """Make a token of each ephemeral entry named, for this job alone.

    NAME... are entries of the spec that say 'ephemeral: true'. Their secrets are handed to the later steps of the job;
    'release' revokes them when it ends, in the action the post step.
    """
    from tooken_ci.cli.leasing import lease_all
    from tooken_ci.cli.outfiles import own_files
    from tooken_ci.cli.reporting import reporting_on

    with reporting_on(output, reads=own_files(options)) as reporting:
        lease_all(reporting, names, **options)


@cli.command()
@api_options
@click.argument("names", nargs=-1, metavar="[NAME]...", type=Lines(), envvar="TOOKEN_NAMES")
def release(*, output: Output, names: tuple[str, ...], **options: Any) -> None:
    """Revoke the leases of this job.

    [NAME]... are entries, or full names of leases; without any, all of this job's are meant. It never touches the lease
    of another job, run or attempt.
    """
    from tooken_ci.cli.leasing import release_all
    from tooken_ci.cli.outfiles import own_files
    from tooken_ci.cli.reporting import reporting_on

    with reporting_on(output, reads=own_files(options)) as reporting:
        release_all(reporting, names, **options)


@cli.command()
@click.option("--plan", "of_plan", is_flag=True, help="The schema of what plan and apply print as JSON.")
def schema(*, of_plan: bool) -> None:
    """Print the JSON Schema of the spec."""
    import json
    import os
    from importlib import resources

    from tooken_ci.ci.host import detect
    from tooken_ci.cli.session import registry_for
    from tooken_ci.spec.schema import schema as compose

    if of_plan:
        text = resources.files("tooken_ci.render").joinpath("plan.schema.json").read_text(encoding="utf-8")
        click.echo(text, nl=False)
    else:
        click.echo(json.dumps(compose(registry_for(detect(os.environ)).every()), indent=2))


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=0, show_default=True, help="The port; 0 takes any that is free.")
@click.option("--db", default=":memory:", show_default=True, help="An SQLite file to keep the workspace in.")
@click.option(
    "--api-key",
    envvar="TOOKEN_SANDBOX_API_KEY",
    show_envvar=True,
    help="The sandbox's API key; left out, a new one is made.",
)
@click.option("--limit", default=1000, show_default=True, help="Requests a window.")
@click.option("--window", default=60, show_default=True, help="Seconds a window lasts.")
@click.option("--latency-ms", default=0, show_default=True, help="The least time that a request takes.")
@click.option("--seed", help="A number of tokens to make, or a YAML or JSON file that lists them.")
@click.option(
    "--revoked-names",
    type=click.Choice(["reserved", "free"]),
    default="reserved",
    show_default=True,
    help="Whether the name of a revoked or expired token can be used again.",
)
@click.option("--faults", type=click.Path(), help="A YAML or JSON file with faults to inject.")
def sandbox(*, api_key: str | None, faults: str | None, **options: Any) -> None:
    """Serve the API on this machine, to try.

    A server that speaks the Tooken API v1, on loopback. When it listens it prints its address and its key as one line
    of JSON. Needs the extra 'sandbox'.
    """
    from pathlib import Path

    from tooken_ci.base.errors import UsageError

    try:
        from tooken_ci.sandbox.server import serve
        from tooken_ci.sandbox.settings import SandboxConfigError, SandboxSettings
    except ImportError as error:
        raise UsageError(
            f"The sandbox needs {error.name}, which is not installed.",
            hint="Install it with: pip install 'tooken-ci[sandbox]'.",
        ) from None
    if api_key is not None:
        options["api_key"] = api_key
    try:
        serve(SandboxSettings(faults=Path(faults) if faults else None, **options))
    except SandboxConfigError as error:
        raise UsageError(f"The sandbox cannot start: {error}.") from None
