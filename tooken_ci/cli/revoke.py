"""``tooken-ci revoke``: for the day a token leaks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from tooken_ci.base.errors import UsageError
from tooken_ci.cli.options import DEFAULT_SPEC, api_options
from tooken_ci.cli.reporting import reporting_on
from tooken_ci.cli.session import at_terminal, begin, confirm, load_spec, registry_for

if TYPE_CHECKING:
    from tooken_ci.cli.reporting import Reporting
    from tooken_ci.destinations.registry import Registry
    from tooken_ci.spec.model import Spec

_NO_SPEC = (
    f"There is no spec ({DEFAULT_SPEC}) here, so it cannot be told which destinations hold these tokens, what breaks "
    "when they go, nor which generations belong together: each name means one token."
)


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@api_options
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def revoke(context: click.Context, /, *, names: tuple[str, ...], yes: bool, form: str, **options: Any) -> None:
    """Revoke tokens now, for the day one leaks.

    A NAME is that of an entry of the spec (then all of its active generations go) or exactly that of one token, such as
    ci-deploy.g2, or ci-deploy.g1 for the first generation alone. Tells what will break, and asks.
    """
    from tooken_ci.apply.by_hand import find
    from tooken_ci.apply.by_hand import revoke as execute

    given = context.get_parameter_source("specs") is not ParameterSource.DEFAULT
    with reporting_on(form, applying=True) as reporting:
        specs, key_file = options.pop("specs"), options["api_key_file"]
        registry = registry_for(reporting.host, *specs, *([key_file] if key_file else []))
        spec = _spec(specs, registry, reporting, given=given)
        run = begin(spec, registry, reporting, **options)
        try:
            with run.at_work():
                plan, price = find(run.context, names)
        finally:
            reporting.update(spent=run.context.client.sent)
        reporting.update(plan=plan, price=price)
        reporting.show_plan()
        if plan.actions and not yes:
            if not at_terminal():
                raise UsageError(
                    "Nothing was revoked: there is no terminal to ask at.", hint="Say --yes if all of these shall go."
                )
            confirm(reporting, "Revoke them now?")
        reporting.changing = True
        with run.at_work():
            outcome = execute(run.context, plan)
        reporting.update(outcome=outcome)
        verdict = outcome.verdict()
        if verdict is not None:
            raise verdict


def _spec(specs: tuple[str, ...], registry: Registry, reporting: Reporting, *, given: bool) -> Spec:
    from tooken_ci.spec.model import nothing

    if given or any(Path(path).exists() for path in specs):
        return load_spec(specs, registry, reporting)
    spec = nothing()
    reporting.update(workspace=spec.workspace, warnings=(_NO_SPEC,))
    return spec
