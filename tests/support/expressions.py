"""GitHub's expressions, as far as the workflows here use them: contexts, literals, operators, status functions.

https://docs.github.com/actions/reference/workflows-and-actions/expressions. Comparisons of values of different types
and the functions that are not named below are refused rather than guessed.
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<sign>==|!=|&&|\|\||[!()])|(?P<name>[\w.-]+))")
_WHOLE = re.compile(r"\s*\$\{\{(.*?)\}\}\s*", re.DOTALL)
_PART = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_WORDS = {"true": True, "false": False, "null": None}
STATUS = ("success", "failure", "always", "cancelled")


def evaluate(expression: str, contexts: Mapping[str, Any]) -> Any:
    """The value of what stands between ``${{`` and ``}}``.

    Args:
        expression: that text.
        contexts: ``github``, ``steps`` and so on, as nested mappings; ``status`` tells what the status functions give.
    """
    reader = _Reader(_tokens(expression), contexts)
    value = reader.either()
    assert not reader.tokens, f"{expression!r}: what does {reader.tokens} mean?"
    return value


def filled(text: str, contexts: Mapping[str, Any]) -> str:
    """A text with every expression in it replaced by its value."""
    return _PART.sub(lambda match: shown(evaluate(match[1], contexts)), text)


def holds(condition: str | None, contexts: Mapping[str, Any]) -> bool:
    """Whether an ``if:`` holds; where it asks for no status, it also asks for success."""
    text = condition or "success()"
    whole = _WHOLE.fullmatch(text)
    inner = whole[1] if whole else text
    asks = any(f"{name}()" in inner for name in STATUS)
    return bool(evaluate(inner, contexts)) and (asks or bool(contexts["status"]["success"]))


def shown(value: Any) -> str:
    """A value as it is put into a text."""
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _tokens(text: str) -> list[str]:
    found, position = [], 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        assert match, f"{text!r}: what stands at {text[position:]!r}?"
        found.append(match[0].strip())
        position = match.end()
    return found


@dataclasses.dataclass
class _Reader:
    """Reads from the left, the operator that binds least first."""

    tokens: list[str]
    contexts: Mapping[str, Any]

    def either(self) -> Any:
        value = self._both()
        while self._skip("||"):
            other = self._both()
            value = value or other
        return value

    def _both(self) -> Any:
        value = self._equal()
        while self._skip("&&"):
            other = self._equal()
            value = value and other
        return value

    def _equal(self) -> Any:
        value = self._one()
        while self.tokens and self.tokens[0] in {"==", "!="}:
            wanted = self.tokens.pop(0) == "=="
            value = _same(value, self._one()) is wanted
        return value

    def _one(self) -> Any:
        token = self.tokens.pop(0)
        if token == "!":
            return not self._one()
        if token == "(":
            value = self.either()
            assert self._skip(")")
            return value
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if self._skip("("):
            assert self._skip(")"), f"{token}() takes nothing here"
            assert token in STATUS, f"{token}() is not known here"
            return self.contexts["status"][token]
        return _WORDS[token] if token in _WORDS else _found(token, self.contexts)

    def _skip(self, sign: str) -> bool:
        if self.tokens[:1] != [sign]:
            return False
        self.tokens.pop(0)
        return True


def _same(one: Any, other: Any) -> bool:
    """As GitHub compares texts, whatever their case; a value that is missing is equal to the empty text alone."""
    one, other = ("" if value is None else value for value in (one, other))
    assert type(one) is type(other), f"{one!r} and {other!r} are of two types"
    return bool(one.lower() == other.lower() if isinstance(one, str) else one == other)


def _found(path: str, contexts: Mapping[str, Any]) -> Any:
    """What a context holds under a path; of one that is known what is missing is nothing."""
    first, *rest = path.split(".")
    value: Any = contexts[first]
    for name in rest:
        value = value.get(name) if isinstance(value, dict) else None
    return value
