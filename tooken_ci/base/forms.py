"""Every form in which a secret could be written down, as one set of texts: what the redactor looks for."""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterator

SHORTEST = 8
"""Characters of the shortest value, and of the shortest line of one, that is masked: less would eat ports and words."""

_PLAIN = re.compile(r"[\w.-]{8,}", re.ASCII)
_PERCENT = re.compile("%[0-9A-F]{2}")
_ESCAPE = re.compile(r"\\(?:x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})")
_NOT_FOR_SHELLS = re.compile(r"([^\w@%+=:,./\n-])", re.ASCII)
_SPECIAL_IN_QUOTES = re.compile(r'(["$`\\])')
MARKUP = {ord(char): f"&#{ord(char)};" for char in "\\`*_{}[]()#+-.!|~:@$<>&\"'"} | {ord("@"): "&#64;<wbr>"}
"""How ``render.escaping`` writes what means something in Markdown; for ``str.translate``.

GitHub and GitLab make a link of an address of e-mail once the entities are characters again, unless it is in pieces.
"""

_LAYER = re.compile(r"\\\\|\\u0023|%25|&amp;|&#92;")
_MEANT = {"\\\\": "\\", "\\u0023": "#", "%25": "%", "&amp;": "&", "&#92;": "\\"}
"""What comes of the characters that escapes begin with, where a text that has escapes in it is escaped once more."""

_FIRST_OF_BASE64 = (0, 2, 3)
"""The first character in which no byte before the text has a part, where it begins at 0, 1 or 2 bytes of three."""


def forms(value: str) -> frozenset[str]:
    """The secret, and each line of it that is long enough, in every form; none is shorter than the shortest value."""
    return frozenset(form for text in _texts(value) for way in (_as_written, _encoded) for form in way(text))


def forms_as_written(value: str) -> frozenset[str]:
    """The forms that a text takes when this program itself writes it somewhere: quoted or escaped, never encoded.

    They are few and cheap, as it takes for ten thousand values of which no library ever gets one.
    """
    if _PLAIN.fullmatch(value):
        return frozenset((value, _as_entities(value)))  # nothing else finds anything to quote in it
    return frozenset(form for text in _texts(value) for form in _as_written(text))


def undone(text: str) -> str:
    """The text as it was before it was escaped as a whole, as far as escapes that stood in it already are concerned."""
    return _LAYER.sub(lambda found: _MEANT[found[0]], text)


def as_bytes(value: str) -> bytes:
    """The bytes of a value, also of one that a program printed and that is no text."""
    try:
        return value.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return value.encode(errors="surrogatepass")


def _texts(value: str) -> Iterator[str]:
    """The value, and each line of it that is long enough."""
    yield value
    yield from (line for line in value.splitlines() if SHORTEST <= len(line) < len(value))


def _as_written(text: str) -> Iterator[str]:
    raw = as_bytes(text)
    yield text
    yield from _quoted_for_urls(raw)
    yield from _escaped(text, raw)
    yield from _for_shells(text)
    yield from _for_markup(text)
    yield from _in_commands(text)


def _encoded(text: str) -> Iterator[str]:
    raw = as_bytes(text)
    yield from _base64(raw)
    yield from (raw.hex(), raw.hex().upper())
    units = text.encode("utf-16-be", "surrogatepass")
    for separator, digits in (("\\u", units.hex("-", 2)), ("\\x", raw.hex("-"))):
        yield separator + digits.replace("-", separator)
        yield separator + digits.upper().replace("-", separator)


def _base64(raw: bytes) -> Iterator[str]:
    """At each alignment: what no neighbour has a part in, and the same up to the end, with and without padding."""
    for shift, first in enumerate(_FIRST_OF_BASE64):
        padded = base64.b64encode(b"\0" * shift + raw).decode()[first:]
        for text in (padded[: (shift + len(raw)) * 8 // 6 - first], padded.rstrip("="), padded):
            yield text
            if "+" in text or "/" in text:
                yield text.replace("+", "-").replace("/", "_")


def _quoted_for_urls(raw: bytes) -> Iterator[str]:
    """By all of Python's ways, and by JavaScript's ``encodeURIComponent``; with upper and lower case digits."""
    for text in {quote(raw, safe=""), quote(raw), quote(raw, safe="!'()*"), quote_plus(raw)}:
        yield text
        if "%" in text:
            yield _PERCENT.sub(lambda found: found[0].lower(), text)


def _escaped(text: str, raw: bytes) -> Iterator[str]:
    """As JSON of several writers, and as Python's ``repr``."""
    plain = json.dumps(text, ensure_ascii=False)[1:-1]
    ascii_only = json.dumps(text)[1:-1]
    for form in {
        plain,
        plain.replace("/", "\\/"),
        ascii_only,
        ascii_only.replace("/", "\\/"),
        re.sub("[<>&]", lambda found: f"\\u{ord(found[0]):04x}", plain),
        repr(text)[1:-1],
        ascii(text)[1:-1],
        repr(raw)[2:-1],
        text.encode("ascii", "backslashreplace").decode(),
    }:
        yield form
        if "\\" in form:
            yield _ESCAPE.sub(lambda found: found[0][:2] + found[0][2:].upper(), form)


def _for_shells(text: str) -> Iterator[str]:
    """Between single quotes, between double ones, and with backslashes; without the quotes around it."""
    quoted = shlex.quote(text)
    yield quoted if quoted == text else quoted[1:-1]
    yield _SPECIAL_IN_QUOTES.sub(r"\\\1", text)
    yield _NOT_FOR_SHELLS.sub(r"\\\1", text)


def _for_markup(text: str) -> Iterator[str]:
    """With and without entities for quotation marks, of which each has several, and with entities for all markup."""
    plain = html.escape(text, quote=False)
    for double in ('"', "&quot;", "&#34;") if '"' in text else ("",):
        for single in ("'", "&#x27;", "&#39;", "&apos;") if "'" in text else ("",):
            yield plain.replace('"', double).replace("'", single)
    yield _as_entities(text)


def _as_entities(text: str) -> str:
    return text.translate(MARKUP)


def _in_commands(text: str) -> Iterator[str]:
    """As data and as a property of a workflow command of the GitHub runner."""
    data = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    yield data
    yield data.replace(":", "%3A").replace(",", "%2C")
