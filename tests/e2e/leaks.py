"""Finds secrets where none may be; written apart from the product's own redactor, so that both can't err alike."""

from __future__ import annotations

import base64
import urllib.parse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path


def forms(secret: str) -> set[bytes]:
    """The ways in which a secret could be written down: raw, URL-quoted, base64 at any place of a longer text."""
    raw = secret.encode()
    found = {raw, urllib.parse.quote(secret, safe="").encode(), raw.hex().encode()}
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw)
        inner = encoded[(0, 2, 3)[shift] : len(raw) // 3 * 4]  # what does not depend on the neighbours
        found |= {inner, inner.replace(b"+", b"-").replace(b"/", b"_")}
    return found


def files_under(folder: Path) -> dict[str, bytes]:
    """Every file under a folder by its path from there, with what it holds."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def findings(secrets: Iterable[str], places: Mapping[str, bytes]) -> Iterator[str]:
    """The places that show a secret; the text tells where, never what."""
    wanted = [form for secret in secrets for form in forms(secret)]
    for name, content in places.items():
        if any(form in content for form in wanted):
            yield f"a secret shows in {name}"
