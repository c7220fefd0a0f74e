"""The commands: read options, call, render, exit code.

A command imports what it uses where it uses it, so that ``--version`` and ``--help`` import next to nothing.
"""

from __future__ import annotations

import logging
import os
from typing import Any

import click

from tooken_ci import __version__
from tooken_ci.base.errors import ExitCode, UsageError
from tooken_ci.base.text import count, safe
from tooken_ci.cli.options import format_option, plan_options, spec_option
from tooken_ci.cli.reporting import LogHandler, reporting_on, say
from tooken_ci.cli.revoke import revoke
from tooken_ci.cli.session import confirm, keep_policy, load_spec, registry_for, survey_of, verdict_on


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="tooken-ci")
@click.option("--debug", is_flag=True, envvar="TOOKEN_DEBUG", help="Log more, and show tracebacks.")
def cli(*, debug: bool) -> None:
    """Tokens as code for Tooken: declare API tokens in YAML, and let CI create, deliver, renew and revoke them."""
    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.WARNING, force=True, handlers=[LogHandler()])
    logging.getLogger("tooken_ci").setLevel(logging.DEBUG if debug else logging.INFO)


@cli.command()
@spec_option
@format_option
def validate(*, specs: tuple[str, ...], form: str) -> None:
    """Check the spec, without asking the API."""
    with reporting_on(form) as reporting:
        spec = load_spec(specs, registry_for(reporting.host, *specs), reporting)
        keep_policy(spec)
        say(f"The spec is valid: {count(len(spec.entries), 'entry')} in {', '.join(map(safe, spec.files))}.")


@cli.command()
@plan_options
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 4 if changes are pending.")
def plan(*, detailed_exitcode: bool, form: str, **options: Any) -> None:
    """Show what apply would change. Changes nothing."""
    with reporting_on(form) as reporting:
        _, survey = survey_of(reporting, **options)
        verdict = verdict_on(survey)
        if verdict is not None:
            raise verdict
        if detailed_exitcode and survey.plan.actions:
            reporting.exit_code = ExitCode.PENDING


@cli.command()
@plan_options
@click.option("--yes", is_flag=True, help="Do not ask at a terminal.")
def apply(*, yes: bool, form: str, **options: Any) -> None:
    """Bring the workspace to the spec.

    Makes what is missing, replaces what differs, delivers each new secret and proves that it works, and revokes what is
    no longer needed, within the bounds of the policy.
    """
    from tooken_ci.apply.run import execute

    with reporting_on(form, applying=True) as reporting:
        run, survey = survey_of(reporting, **options)
        reporting.show_plan()
        if survey.plan.actions and not yes:
            confirm(reporting)
        reporting.changing = True
        with run.at_work():
            outcome = execute(run.context, survey)
        reporting.update(outcome=outcome)
        verdict = outcome.verdict()
        if verdict is not None:
            raise verdict


@cli.command()
@click.option("--plan", "of_plan", is_flag=True, help="The schema of what plan and apply print as JSON.")
def schema(*, of_plan: bool) -> None:
    """Print the JSON Schema of the spec."""
    import json
    from importlib import resources

    from tooken_ci.ci.host import detect
    from tooken_ci.spec.schema import schema as compose

    if of_plan:
        text = resources.files("tooken_ci.render").joinpath("plan.schema.json").read_text(encoding="utf-8")
        click.echo(text, nl=False)
    else:
        click.echo(json.dumps(compose(registry_for(detect(os.environ)).kinds), indent=2))


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=0, show_default=True, help="The port; 0 takes any that is free.")
@click.option("--db", default=":memory:", show_default=True, help="An SQLite file to keep the workspace in.")
@click.option("--api-key", envvar="TOOKEN_SANDBOX_API_KEY", help="The sandbox's API key; left out, a new one is made.")
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


cli.add_command(revoke)
