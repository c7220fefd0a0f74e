"""The redacting stream: a secret split over writes does not pass, and no more is held back than must be."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tooken_ci.base.redact import MASK, RedactingStream, Redactor, redactor
from tooken_ci.base.secret import Secret

SECRET = "tok_0123456789abcdef"


class Terminal(io.StringIO):
    """A stream that a person reads, and that counts how often it is flushed."""

    flushes = 0

    def isatty(self) -> bool:
        return True

    def flush(self) -> None:
        self.flushes += 1


def written(cleaner: Redactor, *parts: str) -> tuple[str, str]:
    """What has passed after the last write, and what has in the end."""
    below = io.StringIO()
    stream = RedactingStream(below, cleaner)
    for part in parts:
        assert stream.write(part) == len(part)
    passed = below.getvalue()
    stream.finish()
    return passed, below.getvalue()


@pytest.fixture
def cleaner() -> Redactor:
    made = Redactor()
    made.add(SECRET)
    return made


@pytest.mark.parametrize("cut", range(len(SECRET) + 1))
def test_split_in_two(cleaner: Redactor, cut: int) -> None:
    """A secret that two writes share is masked, wherever it is split, and nothing of it is shown before."""
    passed, whole = written(cleaner, f"a {SECRET[:cut]}", f"{SECRET[cut:]} b\n")
    assert passed == whole == f"a {MASK} b\n"
    early, _ = written(cleaner, f"a {SECRET[:cut]}")
    assert early == ("a " if cut < len(SECRET) else f"a {MASK}")


def test_split_into_characters(cleaner: Redactor) -> None:
    """A secret that is written character by character is masked."""
    assert written(cleaner, *f"<{SECRET}{SECRET}>")[1] == f"<{MASK}{MASK}>"


@pytest.mark.parametrize(
    ("text", "passed"),
    [("plain\n", "plain\n"), ("plain t", "plain "), ("tok_01234", ""), ("tok_01235", "tok_01235"), ("ttok", "t")],
)
def test_holds_back_only_what_may_begin_a_secret(cleaner: Redactor, text: str, passed: str) -> None:
    """The tail is held back exactly as long as a form could begin with it, and shown in the end."""
    assert written(cleaner, text) == (passed, text)


def test_releases_what_cannot_match(cleaner: Redactor) -> None:
    """What was held back is shown as soon as the next character rules a secret out."""
    assert written(cleaner, "tok_0123", "x")[0] == "tok_0123x"
    assert written(cleaner, "tok_0123", "tok_")[0] == "tok_0123"


def test_beginning_of_a_longer_secret() -> None:
    """A whole secret that may be the beginning of a longer one waits, and is masked either way."""
    cleaner = Redactor()
    cleaner.add("abcdefgh")
    cleaner.add("abcdefghijkl")
    assert written(cleaner, "abcdefgh") == ("", MASK)
    assert written(cleaner, "abcdefgh", "ijkl")[1] == MASK
    assert written(cleaner, "abcdefgh", "ijx")[1] == f"{MASK}ijx"


def test_after_an_overlap() -> None:
    """Secrets that overlap are masked as one, also over writes, and what does not become one is shown."""
    cleaner = Redactor()
    cleaner.add("12345678")
    cleaner.add("678zz1234")
    assert written(cleaner, "12345678zz123") == (MASK, f"{MASK}zz123")
    assert written(cleaner, "12345678zz123", "!")[0] == f"{MASK}zz123!"
    assert written(cleaner, "12345678zz123", "4") == (MASK, MASK)
    assert written(cleaner, "12345678zz123", "45678") == (MASK, MASK)
    assert written(cleaner, "12345678zz123", "45678!")[0] == f"{MASK}!"


def test_overlapping_secrets() -> None:
    """A whole secret is masked at once, also where its end may begin another."""
    cleaner = Redactor()
    cleaner.add("12345678")
    cleaner.add("678abcdef")
    assert written(cleaner, "12345678") == (MASK, MASK)
    assert written(cleaner, "12345678678ab") == (MASK, f"{MASK}678ab")
    assert written(cleaner, "12345678678ab", "cdef") == (MASK * 2, MASK * 2)


@given(parts=st.lists(st.text("abAB_", max_size=12), max_size=8), two=st.booleans())
@settings(deadline=None, max_examples=400)
def test_splits_do_not_matter(parts: list[str], *, two: bool) -> None:
    """However a text is split into writes, the same comes out as when it is cleaned as a whole."""
    cleaner = Redactor()
    cleaner.add("abABab_a")
    if two:
        cleaner.add("ABab_abAB")
    assert written(cleaner, *parts)[1] == cleaner.clean("".join(parts))


def test_secret_of_the_process() -> None:
    """A secret is known to every stream of the process from the moment it exists, also amid a write."""
    below = io.StringIO()
    stream = RedactingStream(below)
    stream.write("first\n")
    Secret(SECRET)
    stream.write(f"then {SECRET}\n")
    assert below.getvalue() == f"first\nthen {MASK}\n"
    assert redactor.clean(SECRET) == MASK


def test_flush_does_not_release(cleaner: Redactor) -> None:
    """A flush reaches the stream below, but what is held back stays held back; the end releases it masked."""
    below = Terminal()
    stream = RedactingStream(below, cleaner)
    stream.write(f"a {SECRET[:9]}")
    stream.flush()
    assert (below.getvalue(), below.flushes) == ("a ", 1)
    stream.write(SECRET[9:])
    stream.finish()
    stream.finish()
    assert below.getvalue() == f"a {MASK}"
    assert not below.closed


def test_is_a_stream(cleaner: Redactor) -> None:
    """It tells of the stream below what writers ask, but never gives away its file, where a writer would pass it by."""
    stream = RedactingStream(Terminal(), cleaner)
    assert (stream.writable(), stream.isatty()) == (True, True)
    assert RedactingStream(io.StringIO(), cleaner).isatty() is False
    with pytest.raises(io.UnsupportedOperation):
        stream.fileno()
    below = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    assert RedactingStream(below, cleaner).encoding == "latin-1"


def test_writers_of_pieces(cleaner: Redactor) -> None:
    """What a library writes in several pieces is masked like anything else."""
    below = io.StringIO()
    json.dump({"key": SECRET, "n": [1, SECRET]}, RedactingStream(below, cleaner))
    assert below.getvalue() == f'{{"key": "{MASK}", "n": [1, "{MASK}"]}}'


class Full(io.StringIO):
    """A stream on a full disk."""

    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")

    def flush(self) -> None:
        raise OSError(28, "No space left on device")


def test_a_stream_below_that_is_full(cleaner: Redactor) -> None:
    """What a lossy stream cannot write is lost without an error, but not what the runner must hear, nor the end."""
    stream = RedactingStream(Full(), cleaner, lossy=True)
    assert stream.write("some words\n") == 11
    stream.flush()
    for failing in (stream.finish, lambda: stream.tell_runner("::add-mask::x"), RedactingStream(Full(), cleaner).flush):
        with pytest.raises(OSError, match="No space left"):
            failing()


def test_a_form_at_the_end_of_a_write_covers_nothing_of_the_next() -> None:
    """A form that ends a write, and might begin another one, is masked alone: what follows is shown."""
    cleaner, below = Redactor(), io.StringIO()
    cleaner.add('000""\\000&')
    stream = RedactingStream(below, cleaner)
    for piece in ('00000\\"\\"\\\\000&', "0"):
        stream.write(piece)
    stream.finish()
    assert below.getvalue() == "00***0"
