"""What a hostile text has done to whoever reads the output that tells it: nothing, if all is well."""

from __future__ import annotations

import json
import re

from tests.support.runner import commands, sections, unprintable

_LEFT_ALONE = r"; (\d+ entr(y|ies) not planned \([a-z, ]+\), )?\d+ unchanged, \d+ unmanaged"
_TOTALS = rf"(nothing (else )?to do|\d+ to [a-z]+(, \d+ to [a-z]+)*)({_LEFT_ALONE})?"
_OURS = re.compile(
    r"::(warning|error|notice) (file=tooken\.yml,line=\d+,col=\d+,)?title=tooken-ci::"
    rf"|::group::(Workspace '.*': {_TOTALS}\.|Applying)$|::endgroup::$"
)
_MARKUP = re.compile(r"<(?!w?br>|/?(?:code|details|summary|sub)>)[^>]*>?|javascript:|!\[|\]\(|https?://|[`@]")
_FENCE = re.compile(r"^```(mermaid)?$", re.MULTILINE)


def effects(out: str, err: str, form: str = "text") -> list[str]:
    """All that steers a terminal, speaks to a runner or marks up a page, and is not ours; and data that is none."""
    found = [*commands(out)]
    for text in (out, err):
        found += [*map(repr, unprintable(text)), *sections(text)]
    ours = sum(_OURS.match(line) is not None for line in err.splitlines())
    found += commands(err)[: max(len(commands(err)) - ours, 0)]
    if form == "markdown":
        found += _MARKUP.findall(_FENCE.sub("", out))
    elif form == "json":
        found += _no_json(out)
    return found


def _no_json(text: str) -> list[str]:
    try:
        json.loads(text)
    except ValueError as error:
        return [f"no JSON: {error}"]
    return []
