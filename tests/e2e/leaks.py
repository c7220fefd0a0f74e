"""Finds secrets where none may be; written apart from the product's own redactor, so that both can't err alike."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

_SHORTEST_LINE = 8
_LETTERS = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f"}
_MARKDOWN = "\\`*_{}[]()#+-.!|~:@$<>&\"'"
_AT = "&#64;<wbr>"
_ENTITIES = (
    {"&": "&amp;", "<": "&lt;", ">": "&gt;"},
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"},
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"},
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"},
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;"},
)


def ways(secret: str) -> dict[str, set[str]]:
    """The ways in which a secret could be written down, by name, each with its spellings."""
    raw = secret.encode()
    everywhere = [_percent(raw, kept) for kept in ("", "/", "!'()*")]
    return {
        "raw": {secret},
        "line": {line for line in secret.splitlines() if len(line) >= _SHORTEST_LINE},
        "base64": {text for shift in range(3) for text in _inside_base64(raw, shift)},
        "hex": {"".join(f"{byte:02x}" for byte in raw), "".join(f"{byte:02X}" for byte in raw)},
        "url": {
            spelling for text in everywhere for spelling in (text, re.sub("%[0-9A-F]{2}", lambda m: m[0].lower(), text))
        },
        "form": {"+".join(_percent(part, "") for part in raw.split(b" "))},
        "json": {_json(secret, lambda _: False, "x"), _json(secret, lambda char: ord(char) > 126, "x")}
        | {_json(secret, lambda char: ord(char) > 126, "X")},
        "unicode": {"".join(_utf16(char, case) for char in secret) for case in "xX"},
        "bytes": {"".join(f"\\x{byte:02x}" for byte in raw), "".join(f"\\x{byte:02X}" for byte in raw)},
        "shell": {secret.replace("'", "'\"'\"'")},
        "command": {
            "".join({"%": "%25", "\r": "%0D", "\n": "%0A"}.get(char, char) for char in secret),
            "".join({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"}.get(char, char) for char in secret),
        },
        "markdown": {
            "".join(f"&#{ord(char)};" if char in _MARKDOWN else char for char in secret).replace("&#64;", _AT)
        },
        "markup": {"".join(table.get(char, char) for char in secret) for table in _ENTITIES},
    }


def forms(secret: str) -> set[bytes]:
    """All spellings of all ways."""
    return {text.encode() for spellings in ways(secret).values() for text in spellings}


def _inside_base64(raw: bytes, shift: int) -> Iterator[str]:
    """What stands in the base64 of a longer text whatever the neighbours are: found by trying two that differ."""
    one, other = (base64.b64encode(byte * shift + raw + byte * 3).decode() for byte in (b"\x00", b"\xff"))
    inner = "".join(a if a == b else " " for a, b in zip(one, other, strict=True)).split(" ")
    longest = max(inner, key=len)
    yield longest
    yield longest.translate(str.maketrans("+/", "-_"))


def _percent(raw: bytes, kept: str) -> str:
    plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~" + kept
    return "".join(chr(byte) if chr(byte) in plain else f"%{byte:02X}" for byte in raw)


def _utf16(char: str, case: str) -> str:
    if ord(char) < 0x1_0000:
        return f"\\u{ord(char):04{case}}"
    high, low = divmod(ord(char) - 0x1_0000, 0x400)
    return f"\\u{0xD800 + high:04{case}}\\u{0xDC00 + low:04{case}}"


def _json(secret: str, escaped: Callable[[str], bool], case: str) -> str:
    written = []
    for char in secret:
        if char in '"\\':
            written.append(f"\\{char}")
        elif char in _LETTERS:
            written.append(f"\\{_LETTERS[char]}")
        else:
            written.append(_utf16(char, case) if char < " " or escaped(char) else char)
    return "".join(written)


def files_under(folder: Path) -> dict[str, bytes]:
    """Every file under a folder by its path from there, with what it holds."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def findings(secrets: Iterable[str], places: Mapping[str, bytes]) -> Iterator[str]:
    """The places that show a secret; the text tells where, never what."""
    wanted = [form for secret in secrets for form in forms(secret)]
    everything = b"\0".join(places.values())
    shown = [form for form in wanted if form in everything]
    for name, content in places.items():
        if any(form in content for form in shown):
            yield f"a secret shows in {name}"
