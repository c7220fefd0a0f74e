"""A secret shows nothing of itself, however it is looked at."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import io
import json
import logging
import marshal
import operator
import pickle
import pprint
import re
import reprlib
import string
import sys
import traceback
import types
from typing import TYPE_CHECKING, Any

import pytest
import rich.console
import rich.pretty
import rich.traceback
import yaml

from tooken_ci.base.redact import MASK, redactor
from tooken_ci.base.secret import Secret, SecretTooShortError, fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable

VALUE = "tok_0123456789abcdef"


@dataclasses.dataclass(frozen=True)
class Holder:
    secret: Secret


@pytest.mark.parametrize(
    "shown",
    [
        repr(Secret(VALUE)),
        str(Secret(VALUE)),
        f"{Secret(VALUE)}",
        f"{Secret(VALUE)!r}",
        f"{Secret(VALUE):>30}",
        str.format("{}", Secret(VALUE)),
        operator.mod("%s", Secret(VALUE)),
        format(Secret(VALUE), "s"),
    ],
)
def test_shows_a_mask(shown: str) -> None:
    """Every way to make text of it gives the mask alone."""
    assert shown == MASK


def test_hides_inside_others() -> None:
    """Lists, data classes and exceptions that hold it show the mask."""
    assert repr([Secret(VALUE)]) == f"[{MASK}]"
    assert repr(Holder(Secret(VALUE))) == f"Holder(secret={MASK})"
    assert str(ValueError(Secret(VALUE))) == MASK


def test_logging(caplog: pytest.LogCaptureFixture) -> None:
    """A log record that was given it as an argument shows the mask."""
    caplog.set_level(logging.DEBUG)
    logging.getLogger("test").debug("the key is %s, %r", Secret(VALUE), Secret(VALUE))
    assert caplog.messages == [f"the key is {MASK}, {MASK}"]


def test_json_refuses_it() -> None:
    """It cannot slip into JSON, and the refusal does not show it."""
    with pytest.raises(TypeError) as caught:
        json.dumps({"token": Secret(VALUE)})
    assert VALUE not in str(caught.value)


@pytest.mark.parametrize("way", [pickle.dumps, copy.copy, copy.deepcopy], ids=["pickle", "copy", "deepcopy"])
def test_is_never_copied(way: object) -> None:
    """Neither pickle nor copy takes it."""
    assert callable(way)
    with pytest.raises(TypeError, match="never pickled or copied"):
        way(Secret(VALUE))
    with pytest.raises(TypeError, match="never pickled or copied"):
        dataclasses.asdict(Holder(Secret(VALUE)))


def test_has_no_attributes_to_look_into() -> None:
    """It has no ``__dict__`` that a debugger or a serializer would walk through."""
    assert not hasattr(Secret(VALUE), "__dict__")
    with pytest.raises(TypeError):
        vars(Secret(VALUE))


def _walked(thing: object) -> str:
    """All that can be got at through the attributes of a thing, as a serializer or a debugger would."""
    names = {name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())} | set(dir(thing))
    return " ".join(repr(getattr(thing, name, None)) for name in sorted(names))


def test_nothing_in_its_attributes() -> None:
    """Whoever goes through its attributes, slots included, finds no text of it."""
    assert VALUE not in _walked(Secret(VALUE))


@pytest.mark.parametrize(
    "look",
    [
        pprint.pformat,
        lambda secret: rich.pretty.pretty_repr({"key": secret}),
        lambda secret: reprlib.repr([secret]),
        lambda secret: json.dumps({"key": secret}, default=str),
        lambda secret: json.dumps({"key": secret}, default=repr),
        lambda secret: yaml.dump({"key": str(secret)}),
        lambda secret: f"{secret=}",
        lambda secret: string.Template("$key").substitute(key=secret),
        lambda secret: " ".join(map(str, [secret])),
        lambda secret: str({"key": secret}) + str((secret,)) + str(types.SimpleNamespace(key=secret)),
        lambda secret: str(sys.getsizeof(secret) == sys.getsizeof(Secret(VALUE * 9))),
    ],
)
def test_however_it_is_looked_at(look: Callable[[Secret], str]) -> None:
    """Pretty printers, serializers and templates get the mask, and its size tells nothing."""
    shown = look(Secret(VALUE))
    assert VALUE not in shown
    assert MASK in shown or shown == "True"


def test_rich_inspects_it() -> None:
    """Not even an inspection of everything private shows it."""
    below = io.StringIO()
    console = rich.console.Console(file=below, width=300)
    rich.inspect(Secret(VALUE), console=console, private=True, dunder=True, all=True)
    assert VALUE not in below.getvalue()


@pytest.mark.parametrize(
    "take",
    [
        lambda secret: secret.__getstate__(),
        lambda secret: secret.__reduce_ex__(4),
        marshal.dumps,
        json.dumps,
        lambda secret: "".join(iter([secret])),
        bytes,
        list,
        lambda secret: "key " + secret,
        lambda secret: operator.mod("%d", secret),
        lambda secret: yaml.safe_dump({"key": secret}),
        lambda secret: yaml.dump({"key": secret}),
    ],
)
def test_whatever_takes_it_for_text_fails(take: Callable[[Any], object]) -> None:
    """What would copy it or add it to a text fails, and the error does not show it."""
    with pytest.raises((TypeError, ValueError, yaml.YAMLError)) as caught:
        take(Secret(VALUE))
    assert VALUE not in "".join(traceback.format_exception(caught.value))


def test_tracebacks_with_locals() -> None:
    """An exception with a secret in its arguments and among the locals of its frames shows the mask for it."""

    def fails(secret: Secret) -> None:
        holder = Holder(secret)
        raise ValueError(secret, holder)

    with pytest.raises(ValueError, match=re.escape(MASK)) as caught:
        fails(Secret(VALUE))
    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    shown = "".join(told.format())
    assert f"secret = {MASK}" in shown
    assert f"holder = Holder(secret={MASK})" in shown
    console = rich.console.Console(file=io.StringIO(), width=200, record=True)
    with_locals = rich.traceback.Traceback.from_exception(ValueError, caught.value, caught.tb, show_locals=True)
    console.print(with_locals)
    assert VALUE not in shown + console.export_text()


def test_equality() -> None:
    """Two secrets are equal by value; a secret is never equal to plain text, and cannot be a key of a dict."""
    assert Secret(VALUE) == Secret(VALUE)
    assert Secret(VALUE) != Secret(VALUE + "0")
    assert Secret(VALUE) != VALUE
    assert Secret("ünïcödé!") == Secret("ünïcödé!")
    with pytest.raises(TypeError):
        hash(Secret(VALUE))


def test_reveal() -> None:
    """Only ``reveal`` gives it away."""
    assert Secret(VALUE).reveal() == VALUE


@pytest.mark.parametrize("value", ["", "1234567"])
def test_too_short(value: str) -> None:
    """A value of fewer than eight characters is refused, before the redactor would eat words with it."""
    with pytest.raises(SecretTooShortError, match="at least 8"):
        Secret(value)
    assert redactor.clean(f"<{value}>") == f"<{value}>"
    assert Secret("12345678").reveal() == "12345678"


def test_redactor_knows_it() -> None:
    """From its first moment no form of it passes the redactor."""
    Secret("s3cr3t/+ü value")
    assert redactor.clean("a s3cr3t/+ü value b s3cr3t%2F%2B%C3%BC%20value") == f"a {MASK} b {MASK}"


def test_fingerprint() -> None:
    """The fingerprint is 16 hex digits of SHA-256 over the token's id and the secret, parted by a zero byte."""
    expected = hashlib.sha256(b"tok_1\0" + VALUE.encode()).hexdigest()[:16]
    assert fingerprint("tok_1", VALUE) == Secret(VALUE).fingerprint("tok_1") == expected
    assert len({fingerprint("tok_1", VALUE), fingerprint("tok_2", VALUE), fingerprint("tok_", "1" + VALUE)}) == 3
