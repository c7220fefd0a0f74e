"""``tooken-ci revoke``: for the day a token leaks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tooken_ci.apply.by_hand import find, revoke
from tooken_ci.base.errors import UsageError
from tooken_ci.cli.options import DEFAULT_SPEC
from tooken_ci.cli.session import at_terminal, begin, conclude, confirm, load_spec, registry_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tooken_ci.cli.reporting import Reporting
    from tooken_ci.destinations.registry import Registry
    from tooken_ci.spec.model import Spec

_NO_SPEC = (
    f"There is no spec ({DEFAULT_SPEC}) here, so it cannot be told which destinations hold these tokens, what breaks "
    "when they go, nor which generations belong together: each name means one token."
)


def revoke_named(
    reporting: Reporting, names: Sequence[str], *, yes: bool, given: bool, specs: tuple[str, ...], **options: Any
) -> None:
    """Find what is named, show what breaks, ask, and revoke it.

    Args:
        reporting: hears what there is to tell.
        names: of entries, or of single tokens.
        yes: nobody is asked.
        given: the spec was asked for, so it must be there.
        specs: the paths of the spec.
        options: of the run.

    Raises:
        UsageError: there is nobody to ask.
        TookenCIError: not all could be revoked.
    """
    registry = registry_for(
        reporting.host, *specs, *reporting.paths, *filter(None, (options["api_key_file"], options["ca_bundle"]))
    )
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
        outcome = revoke(run.context, plan)
    conclude(reporting, outcome)


def _spec(specs: tuple[str, ...], registry: Registry, reporting: Reporting, *, given: bool) -> Spec:
    from tooken_ci.spec.model import nothing

    if given or any(Path(path).exists() for path in specs):
        return load_spec(specs, registry, reporting)
    spec = nothing()
    reporting.update(workspace=spec.workspace, warnings=(_NO_SPEC,))
    return spec
