"""What the matrix, and the search for secrets and for words that speak, came to, as a page of the documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.crash.stage import Harmed
from tests.crash.store import Harm

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.crash.campaign import Tally
    from tests.crash.words import Words

_PAGE = """# What was tried, and what came of it

## Killed anywhere

Written by `make crash`, which runs the real command against the sandbox and harms it:

- for every request of a run, each of {requests};
- for every write to a destination, each of {writes};
- by chance, several requests of a run with eight workers;
- the same for every write to a real store: OpenBao, a server that stands for GitHub, and moto behind a gate that is as
  strict as AWS;
- two runs at once, of which one is held at each of its requests in turn.

Then it runs the command again, without harm, until nothing is left to do. All of that on a server where the names of
revoked tokens are reserved, and on one where they are free.

After every request and every write, from the sandbox's own database and from the destinations:

- **No dead secret**: none that stands in a destination was revoked, or rotated away, by tooken-ci; in place, the
  destination says that a new one is to come.
- **Nothing foreign touched**: neither tokens that nobody declared nor other jobs' leases.
- **Never more than 4** living generations of an entry.

After every run: **no secret** in any output or file but its destination, no fault of the program, and exit code 1 only
where nothing was changed. In the end: after **at most 2 further runs an empty plan**, each entry has exactly one living
generation once its overlap has passed, every destination holds it, and a lease that was never released is dead by its
expiry. Where a destination fails for ever, whatever is stuck is freed by the `revoke` command that the message names.

| scenario | cases | runs | killed | otherwise harmed | looks | violations |
| --- | --: | --: | --: | --: | --: | --: |
{rows}
| all | {total.cases:,} | {total.runs:,} | {total.kills:,} | {total.faults:,} | {total.checks:,} | {violations} |

One thing no client can prevent: a rotation *in place* that the API does minutes after it was sent kills what another
run has delivered meanwhile. The run that sent it notices, leaves its mark at the destinations, and the next run rotates
again. `replace` has no such moment.

## No secret leaks, no text speaks

Then every command is run in every format at debug level among planted secrets: keys, credentials of stores and proxies,
values that stood in a file before; in the names of tokens, in what an API or a store answers, in headers, in options.
All that was printed and every file but the destinations is searched, in another way than the product masks. And names
that attack a runner, a terminal, a page, a table or data are shown in every format: what is looked for are commands
that a runner would take, marks that fold a log, characters that steer a terminal, markup, and data that cannot be read.

| tried | so many | found |
| --- | --- | --: |
| secrets in any form | {searched} | {leaks} |
| texts that attack | {words.texts:,} texts in {words.formats} formats | {effects} |

`make test` does the same, and has gitleaks and detect-secrets search too.
"""


def written(tallies: Mapping[str, Tally], total: Tally, words: Words) -> str:
    """The page."""
    rows = "\n".join(
        f"| {name} | {tally.cases:,} | {tally.runs:,} | {tally.kills:,} | {tally.faults:,} | {tally.checks:,} | "
        f"{len(tally.violations)} |"
        for name, tally in tallies.items()
    )
    return _PAGE.format(
        rows=rows,
        total=total,
        violations=len(total.violations),
        requests=_listed(Harmed),
        writes=_listed(Harm),
        words=words,
        searched=f"{words.forms:,} forms of {words.secrets:,} secrets, in {words.places:,} outputs and files of "
        f"{words.runs:,} runs",
        leaks=len(words.leaks),
        effects=len(words.effects),
    )


def _listed(kinds: type[Harmed | Harm]) -> str:
    return ", ".join(f"*{kind}*" for kind in kinds)
