"""The commands: read options, call, render, exit code.

A command imports what it uses where it uses it, so that ``--version`` and ``--help`` import next to nothing.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import sys
import traceback
from typing import TYPE_CHECKING, Any, NoReturn

import click

from tooken_ci import __version__
from tooken_ci.base.errors import DeclinedError, ExitCode, PolicyError, SpecError, TookenCIError, UsageError
from tooken_ci.base.redact import RedactingStream
from tooken_ci.base.text import count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tooken_ci.apply.context import Context
    from tooken_ci.apply.survey import Survey
    from tooken_ci.ci.host import Host
    from tooken_ci.destinations.registry import Registry
    from tooken_ci.render.report import Report
    from tooken_ci.spec.model import Spec

DEFAULT_SPEC = "tooken.yml"
DEFAULT_API_URL = "https://api.tooken.io/v1"
FORMATS = ("text", "markdown", "json")


class _Paths(click.ParamType[str]):
    """A path; in a variable several stand one to a line, since a path may hold spaces and colons."""

    name = "path"

    def split_envvar_value(self, rv: str) -> list[str]:
        return [line.strip() for line in rv.splitlines() if line.strip()]


_spec = click.option(
    "--spec",
    "specs",
    type=_Paths(),
    multiple=True,
    default=(DEFAULT_SPEC,),
    envvar="TOOKEN_SPEC",
    show_default=DEFAULT_SPEC,
    help="The spec: a file, or a folder of *.yml and *.yaml files. May be repeated; all are merged.",
)
_format = click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="text",
    envvar="TOOKEN_FORMAT",
    show_default=True,
    help="Text goes to standard error; Markdown or one JSON object to standard output.",
)
_api = (
    click.option(
        "--api-url", default=DEFAULT_API_URL, envvar="TOOKEN_API_URL", show_default=True, help="The Tooken API."
    ),
    click.option(
        "--api-key-file",
        type=click.Path(),
        envvar="TOOKEN_API_KEY_FILE",
        help="A file that holds the API key. Without it, the key comes from the variable TOOKEN_API_KEY.",
    ),
    click.option("--allow-empty", is_flag=True, help="Let a spec that declares no tokens prune."),
)


def _with_api(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed((_spec, _format, *_api)):
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="tooken-ci")
@click.option("--debug", is_flag=True, envvar="TOOKEN_DEBUG", help="Log more, and show tracebacks.")
def cli(*, debug: bool) -> None:
    """Tokens as code for Tooken: declare API tokens in YAML, and let CI create, deliver, renew and revoke them."""
    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.WARNING, force=True)
    logging.getLogger("tooken_ci").setLevel(logging.DEBUG if debug else logging.INFO)


@cli.command()
@_spec
@_format
def validate(*, specs: tuple[str, ...], form: str) -> None:
    """Check the spec, without asking the API."""
    with _reporting(form) as reporting:
        spec = _load(specs, _registry(reporting.host), reporting)
        _keep_policy(spec)
        _say(f"The spec is valid: {count(len(spec.entries), 'entry')} in {', '.join(spec.files)}.")


@cli.command()
@_with_api
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 4 if changes are pending.")
def plan(*, detailed_exitcode: bool, form: str, **options: Any) -> None:
    """Show what apply would change. Changes nothing."""
    with _reporting(form) as reporting:
        _, survey = _survey(reporting, **options)
        verdict = _verdict(survey)
        if verdict is not None:
            raise verdict
        if detailed_exitcode and survey.plan.actions:
            reporting.exit_code = ExitCode.PENDING


@cli.command()
@_with_api
@click.option("--yes", is_flag=True, help="Do not ask at a terminal.")
def apply(*, yes: bool, form: str, **options: Any) -> None:
    """Bring the workspace to what the spec says, and deliver each new secret."""
    from tooken_ci.apply.run import execute

    with _reporting(form, applying=True) as reporting:
        context, survey = _survey(reporting, **options)
        reporting.show_plan()
        if survey.plan.actions and not yes:
            _confirm(reporting)
        outcome = execute(context, survey)
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
        click.echo(json.dumps(compose(_registry(detect(os.environ)).kinds), indent=2))


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
    """Serve the Tooken API v1 on this machine, to try and to test against. Needs the extra tooken-ci[sandbox]."""
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


@dataclasses.dataclass(kw_only=True)
class _Reporting:
    """Gathers what a command has to tell, and tells it once, whether it ends well or not."""

    form: str
    host: Host
    report: Report
    exit_code: ExitCode = ExitCode.OK
    warned: Sequence[Any] = ()
    shown: bool = False

    def update(self, **news: Any) -> None:
        self.report = dataclasses.replace(self.report, **news)

    def show_plan(self, *, to_person: bool = False) -> None:
        """The plan as text on standard error; people want to see it before anything is done."""
        from tooken_ci.render.text import as_text

        if (self.form == "text" or to_person) and not self.shown:
            _say(as_text(self.report), end="")
            self.shown = True

    def finish(self) -> None:
        from tooken_ci.render.markdown import as_markdown
        from tooken_ci.render.report import as_json
        from tooken_ci.render.text import outcome_line

        self.show_plan()
        if self.report.outcome is not None and self.form == "text":
            _say(outcome_line(self.report.outcome))
        if self.form == "json":
            click.echo(as_json(self.report), nl=False)
        elif self.form == "markdown":
            click.echo(as_markdown(self.report))
        self._tell_runner()
        if self.report.error is not None:
            _say_error(self.report.error)

    def _tell_runner(self) -> None:
        from tooken_ci.ci import github
        from tooken_ci.ci.host import HostKind
        from tooken_ci.render.report import summary

        if self.host.kind is not HostKind.GITHUB:
            return
        for line in github.warning_annotations(self.warned):
            _say(line)
        for line in github.run_annotations(self.report.plan, self.report.outcome, self.report.error):
            _say(line)
        plan = self.report.plan
        if self.host.output_file is not None and plan is not None:
            counts = {kind: summary(plan)[kind] for kind in ("create", "replace", "revoke")}
            github.write_outputs(self.host.output_file, {"has-changes": bool(plan.actions), **counts})


@contextlib.contextmanager
def _reporting(form: str, *, applying: bool = False) -> Iterator[_Reporting]:
    """Report at the end of a command, also where it fails, and exit with its code."""
    from tooken_ci.ci.host import detect
    from tooken_ci.render.report import Report

    reporting = _Reporting(form=form, host=detect(os.environ), report=Report(applying=applying))
    try:
        yield reporting
    except TookenCIError as error:
        reporting.update(error=error)
        reporting.exit_code = error.exit_code
    reporting.finish()
    raise click.exceptions.Exit(reporting.exit_code)


def _registry(host: Host) -> Registry:
    from tooken_ci.destinations.interface import Surroundings
    from tooken_ci.destinations.registry import Registry

    return Registry(Surroundings(in_ci=host.in_ci, confined_to=host.workspace))


def _load(specs: Sequence[str], registry: Registry, reporting: _Reporting) -> Spec:
    from tooken_ci.spec.load import load

    spec = load(specs, kinds=registry.kinds)
    reporting.warned = spec.warnings
    reporting.update(workspace=spec.workspace, warnings=tuple(map(str, spec.warnings)))
    return spec


def _keep_policy(spec: Spec) -> None:
    from tooken_ci.spec.policy import breaches

    found = breaches(spec)
    if found:
        raise PolicyError([breach.fault for breach in found])


def _survey(
    reporting: _Reporting,
    *,
    specs: tuple[str, ...],
    api_url: str,
    api_key_file: str | None,
    allow_empty: bool,
) -> tuple[Context, Survey]:
    """Load the spec, read the workspace and the destinations, and plan."""
    from tooken_ci.apply.context import Context, new_run
    from tooken_ci.apply.survey import survey
    from tooken_ci.base.times import SystemClock
    from tooken_ci.render.text import result_line
    from tooken_ci.tooken.client import Client
    from tooken_ci.tooken.key import read_key

    registry = _registry(reporting.host)
    spec = _load(specs, registry, reporting)
    clock = SystemClock()
    client = Client(base_url=api_url, key=read_key(os.environ, api_key_file), clock=clock)
    context = Context(
        spec=spec,
        client=client,
        open=registry.open,
        clock=clock,
        run=new_run(),
        tell=lambda result: _say(result_line(result)),
    )
    try:
        found = survey(context, allow_empty=allow_empty)
    finally:
        reporting.update(spent=client.sent)
    reporting.update(plan=found.plan, price=found.price)
    return context, found


def _verdict(survey: Survey) -> TookenCIError | None:
    """What is wrong with a plan that is only shown."""
    from tooken_ci.plan.result import Outcome

    return Outcome(plan=survey.plan, results=(), changed=False).verdict()


def _confirm(reporting: _Reporting) -> None:
    """Ask the person at the terminal, who has seen the plan; where there is none, nobody is asked."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return
    reporting.show_plan(to_person=True)
    try:
        agreed = click.confirm("Apply this plan?", default=False, err=True)
    except click.Abort:  # Ctrl-C, or the end of the input: an answer too
        _say("")
        agreed = False
    if not agreed:
        raise DeclinedError("Nothing was changed, as you wished.")


def _say(text: str, *, end: str = "\n") -> None:
    click.echo(text + end, err=True, nl=False)


def _say_error(error: TookenCIError) -> None:
    if isinstance(error, SpecError):
        _say(f"Error: {error.message}")
        for fault in error.faults:
            _say(f"  {fault}")
    else:
        _say(f"Error: {error.message}")
        if error.hint:
            _say(f"  {error.hint}")


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command and give its exit code; everything it prints passes the redactor.

    Args:
        arguments: the command line without the program's name; the process's own where left out.
    """
    out, err = RedactingStream(sys.stdout), RedactingStream(sys.stderr)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            return _guarded(arguments)
        finally:
            for stream in (out, err):
                with contextlib.suppress(BrokenPipeError):
                    stream.finish()


def _guarded(arguments: Sequence[str] | None) -> int:
    try:
        code = cli.main(
            args=None if arguments is None else list(arguments), prog_name="tooken-ci", standalone_mode=False
        )
    except TookenCIError as error:
        _say_error(error)
        return error.exit_code
    except click.ClickException as error:
        error.show(sys.stderr)
        return ExitCode.USAGE
    except (click.Abort, KeyboardInterrupt):
        _say("Interrupted; nothing was changed.")
        return ExitCode.FAILED
    except Exception as error:  # noqa: BLE001  # the last net: a short message, and a traceback only for who asks
        _say(f"Error: this is a fault of tooken-ci itself ({type(error).__name__}).")
        _say("  Run again with --debug and report what it prints; the next run mends what this one left half done.")
        if logging.getLogger("tooken_ci").level == logging.DEBUG:
            _say(traceback.format_exc())
        return ExitCode.PARTIAL
    return code if isinstance(code, int) else ExitCode.OK


def main() -> NoReturn:
    """The program."""
    sys.exit(run())
