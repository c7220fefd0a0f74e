"""Text from outside in each format, by that format's own rule; made safe first: one line, in which nothing hides."""

from __future__ import annotations

import html
import re

from tooken_ci.base.forms import MARKUP
from tooken_ci.base.text import safe

_LIMIT = 2000

_MENTION = re.compile(
    r"""(
      \b[a-z][a-z0-9+.-]*://[^\s<>]+         # an address: GitLab makes a link of it, or a reference
    | (?<!\w)@\w[\w/-]*                      # @somebody, @a/team
    | \[\w+:\S[^\[\]]*\] | \[\[[^\[\]]+\]\]   # [work_item:1], [vulnerability:a/b/1]; [[page of a wiki]]
    | (?:\b[\w./-]+)?(?:                     # and of another project, as owner/repository#1
        [#!$&]\d+ | \^alert\#\d+             # issue, merge request, snippet, epic; alert
      | ~(?:"[^"]+"|[\w?.&:-]+)              # label
      | %(?:"[^"]+"|[^\s"<]*\w)              # milestone, %{placeholder
      | \*iteration:(?:"[^"]+"|[\w-]+)
      | @[0-9a-f]{7,40}\b(?!\.)              # commit; with a dot behind it, it may be an address of e-mail
      )
    | \b[\w.-]+(?:/[\w.-]+)+>               # project
    | \b[0-9a-f]{7,40}\b                    # commit
    | \bG[HL]-\d+ | \b(?-i:[A-Z][A-Z0-9_]+-\d+)   # GH-1; PROJECT-1, an issue of Jira's
    )""",
    re.IGNORECASE | re.VERBOSE,
)
"""What GitHub or GitLab makes a mention or a reference.

https://docs.gitlab.com/user/markdown/#gitlab-specific-references: there these are not only links, since what they name
is told that it was mentioned.
"""

_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")
"""What a spreadsheet takes for the beginning of a formula, in the wide forms of East Asia too."""


_PLAIN = frozenset("-_./ ")
"""What may stand in a label of Mermaid's beside letters and digits."""


def markdown(text: str, *, limit: int = _LIMIT) -> str:
    """Text in which nothing is markup, and nobody is mentioned.

    GitHub and GitLab look for mentions and references once the entities are characters again, but never in code.
    """
    parts = _MENTION.split(safe(text, limit=limit))
    return "".join(markdown_code(part) if _MENTION.fullmatch(part) else part.translate(MARKUP) for part in parts)


def markdown_code(text: str) -> str:
    """A name: as code, so that it is no mention and no link either."""
    return f"<code>{safe(text, limit=_LIMIT).translate(MARKUP)}</code>"


def mermaid_text(text: str, *, limit: int) -> str:
    """A part of a label in a diagram: letters, digits and a few signs that mean nothing to Mermaid; the rest is ``_``.

    Mermaid has no escape that all its versions know, and takes a word at the beginning of a line for a keyword; so a
    label begins with a word of ours. Never empty, and never two ``_`` side by side: ``__proto__`` is a word to it, too.
    """
    plain = "".join(char if char.isalnum() or char in _PLAIN else "_" for char in safe(text, limit=_LIMIT))
    shown = re.sub("_+", "_", plain).strip() or "_"
    head, tail = limit // 2, limit - limit // 2 - 1
    return f"{shown[:head]}…{shown[-tail:]}" if len(shown) > limit else shown


def html_text(text: str) -> str:
    """Text inside of an element, or of a value in quotation marks."""
    return html.escape(safe(text, limit=_LIMIT))


def csv_cell(text: str) -> str:
    """Text as a cell that no spreadsheet takes for a formula, and of one line; ``csv`` puts it in quotation marks."""
    shown = safe(text, limit=_LIMIT)
    return f"'{shown}" if _FORMULA.match(shown) else shown
