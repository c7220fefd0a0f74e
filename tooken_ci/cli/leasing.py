"""What ``lease`` and ``release`` do: find out which job this is, and make or revoke its tokens."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from tooken_ci.apply.bounded import bounded
from tooken_ci.apply.failure import EntryError
from tooken_ci.base import naming
from tooken_ci.base.errors import IncompleteError, PartialError, TookenCIError, UsageError
from tooken_ci.base.text import LONGEST_LINE, count, quoted, safe
from tooken_ci.ci import github
from tooken_ci.ci.job import job_of, nobodys_job
from tooken_ci.cli.masking import mask_for
from tooken_ci.cli.reporting import say
from tooken_ci.cli.session import begin, keep_policy, load_spec, registry_for
from tooken_ci.plan.leases import LeaseResult, LeaseStatus
from tooken_ci.spec.model import Policy, Spec
from tooken_ci.spec.shown import suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tooken_ci.apply.context import Context
    from tooken_ci.base.secret import Secret
    from tooken_ci.ci.host import Host
    from tooken_ci.cli.reporting import Reporting
    from tooken_ci.plan.leases import Job
    from tooken_ci.spec.model import Entry

_STATE = "leases"


def lease_all(
    reporting: Reporting, names: Sequence[str], *, specs: tuple[str, ...], api_key_file: str | None, **limits: Any
) -> None:
    """Make a lease of each entry for this job.

    Raises:
        UsageError: the spec has no such ephemeral entry.
        TookenCIError: a lease could not be made, or not be handed over.
    """
    from tooken_ci.apply.lease import Runner, lease

    registry = registry_for(
        reporting.host, *specs, *reporting.paths, *filter(None, (api_key_file, limits["ca_bundle"]))
    )
    spec = load_spec(specs, registry, reporting)
    keep_policy(spec)
    entries = _ephemeral(spec, names)
    job = job_of(os.environ) or nobodys_job()
    state = _StepState(reporting.host)
    run = begin(spec, registry, reporting, api_key_file=api_key_file, **limits)
    to_runner = mask_for(reporting.host)

    def mask(secret: Secret) -> None:
        try:
            to_runner(secret)
        except OSError as error:
            told = f"The runner could not be told to mask the secret, so it was handed to nobody: {error.strerror}."
            raise EntryError(told, changed=True) from None

    def each() -> Iterator[LeaseResult]:
        run.context.client.probe_write()
        run.context.client.probe_revoke()  # what cannot be handed over must be taken back
        for entry in entries:
            run.context.clock.check()
            runner = Runner(announce=state.slot(), mask=mask)
            yield lease(run.context, entry, job, runner)

    do_each(reporting, run.context, each, unclear=lambda: state.told)


def release_all(
    reporting: Reporting, names: Sequence[str], *, specs: tuple[str, ...], api_key_file: str | None, **limits: Any
) -> None:
    """Revoke the leases of this job.

    Raises:
        UsageError: it cannot be told which they are.
        TookenCIError: one could not be revoked.
    """
    from tooken_ci.apply.release import Open, release

    registry = registry_for(
        reporting.host, *specs, *reporting.paths, *filter(None, (api_key_file, limits["ca_bundle"]))
    )
    left = _state(os.environ.get(f"STATE_{_STATE}", ""))
    if left:
        wanted = left
    else:
        entries = names or [entry.name for entry in load_spec(specs, registry, reporting).leases]
        wanted = [_full_name(name, job_of(os.environ)) for name in entries]
    waiting = Open(wanted)
    if left:  # they were made, whatever keeps this run from beginning
        reporting.update(leases=waiting.unsettled("The release did not begin."))
    run = begin(_NO_SPEC, registry, reporting, api_key_file=api_key_file, **limits)
    do_each(
        reporting,
        run.context,
        lambda: release(run.context, waiting, exact=bool(left)),
        unclear=lambda: bool(waiting.changing),
        unsettled=waiting.unsettled,
    )
    if not reporting.report.leases:
        say("There is nothing to release.")


def do_each(
    reporting: Reporting,
    context: Context,
    work: Callable[[], Iterator[LeaseResult]],
    *,
    unclear: Callable[[], bool],
    unsettled: Callable[[str], Iterable[LeaseResult]] = lambda _: (),
) -> None:
    """Do the work on each lease, tell of each, and fail if one failed.

    Args:
        reporting: hears what became of each.
        context: of the run.
        work: gives a result as it comes.
        unclear: whether a request under way may change something.
        unsettled: gives, for a reason why the work ended, a result of each lease that it was to come to.

    Raises:
        TookenCIError: not all could be done.
    """
    done: list[LeaseResult] = []
    reporting.update(leases=())

    def all_of_it() -> None:
        for result in work():
            done.append(result)
            say(_line(result))

    def hangs() -> None:
        if not unclear():
            context.clock.check()  # raises why the run had to end: nothing was under way but a question
        raise PartialError(
            "The run had to end while a request was under way.",
            hint="Whether that was done is not known; a lease that is not released dies by its expiry.",
        )

    error: TookenCIError | None = None
    try:
        bounded(all_of_it, context.clock, hangs)
    except TookenCIError as raised:
        error = raised
    finally:
        told = {result.token: result for result in tuple(done)}
        for result in unsettled("The release ended before." if error is None else error.message):
            if result.token not in told:
                told[result.token] = result
                say(_line(result))
        reporting.update(leases=tuple(told.values()), spent=context.client.sent)
    _fail(error, list(told.values()))


def _fail(error: TookenCIError | None, told: Sequence[LeaseResult]) -> None:
    """Fail if one of them did, with what that means for the others."""
    failed = sum(result.status is LeaseStatus.FAILED for result in told)
    if error is None and not failed:
        return
    why = str(error) if error is not None else f"{count(failed, 'lease')} could not be released."
    if getattr(error, "changed", False) or failed < len(told):
        raise PartialError(why, hint="Nothing else was done; a lease that is not released dies by its expiry.")
    if isinstance(error, EntryError):
        raise IncompleteError(error.message, hint=error.hint or "Nothing was changed.")
    if error is not None:
        raise error
    raise IncompleteError(why, hint="It dies by its expiry; run 'tooken-ci release' again to have it gone now.")


def _ephemeral(spec: Spec, names: Sequence[str]) -> list[Entry]:
    leases = {entry.name: entry for entry in spec.leases}
    for name in names:
        if name not in leases:
            lasting = any(entry.name == name for entry in spec.entries)
            why = "is not ephemeral; apply makes and delivers it" if lasting else "is not in the spec"
            hint = "Say 'ephemeral: true'." if lasting else suggestion(name, leases, what="Its ephemeral entries")
            raise UsageError(f"There is no lease of {quoted(name)}: it {why}.", hint=hint)
    found = [leases[name] for name in dict.fromkeys(names)]
    taken: dict[str, str] = {}
    for entry in found:
        for target in entry.deliver:
            if target.place in taken:
                both = f"{quoted(taken[target.place])} and {quoted(entry.name)}"
                raise UsageError(f"{both} both go to {quoted(target.place)}.", hint="Lease them in two jobs.")
            taken[target.place] = entry.name
    return found


def _full_name(name: str, job: Job | None) -> str:
    if naming.is_lease(name):
        return name
    if job is None:
        raise UsageError(
            f"Outside of a CI job nothing tells which lease of {quoted(name)} is meant.",
            hint="Give its full name, as 'tooken-ci lease' printed it.",
        )
    return job.lease_of(name)


class _StepState:
    """What the step leaves to its post step: the names of its leases, each before anything is made under it."""

    def __init__(self, host: Host) -> None:
        self._file = host.state_file
        self._names: dict[object, str] = {}

    @property
    def told(self) -> bool:
        """Whether there is a name under which something may have been made."""
        return bool(self._names)

    def slot(self) -> Callable[[str], None]:
        """The place of one lease; a name that is put there takes the place of the one before, which is another's."""
        mine = object()

        def announce(name: str) -> None:
            self._names[mine] = name
            if self._file is None:
                return
            try:
                github.write_state(self._file, _STATE, json.dumps(list(self._names.values())))
            except OSError as error:
                raise UsageError(f"The step's state could not be written: {error.strerror}.") from None

        return announce


def _state(text: str) -> list[str]:
    """The names that the step left; none where it left nothing that can be read."""
    try:
        names = json.loads(text or "[]")
    except ValueError:
        return []
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def _line(result: LeaseResult) -> str:
    ends = result.expires_at if result.status is LeaseStatus.LEASED else None
    until = "" if ends is None else f", which ends at {ends:%Y-%m-%dT%H:%M:%SZ}"
    why = f": {result.error}" if result.error else ""
    return safe(f"  {result.status:8} {quoted(result.token)}{until}{why}", limit=LONGEST_LINE)


_NO_SPEC = Spec(workspace="", entries=(), policy=Policy(), absent=(), prune=(), warnings=(), files=())
