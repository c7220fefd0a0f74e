"""How a program of the user's is run: bounded in time and output, whatever it does."""

from __future__ import annotations

import base64
import os
import resource
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.destinations.exec_support import gone, script
from tests.destinations.support import OTHER, SECRET
from tooken_ci.base.children import children
from tooken_ci.base.secret import Secret
from tooken_ci.destinations.program import LARGEST, Ended, NotStartedError, run

if TYPE_CHECKING:
    from collections.abc import Callable

SHORT = 0.6
LONG = 20.0


def sh(text: str, *, given: bytes | None = None, seconds: float = LONG, **environment: str) -> Ended:
    return run(
        ["sh", "-c", text], given=given, environment={"PATH": os.environ["PATH"], **environment}, seconds=seconds
    )


@pytest.fixture
def quick() -> Callable[[], float]:
    """Gives a stopwatch."""
    start = time.monotonic()
    return lambda: time.monotonic() - start


def pids_in(path: Path) -> list[int]:
    return [int(line) for line in path.read_text(encoding="utf-8").split()]


def test_input_output_and_exit_code() -> None:
    """A program gets its input, and nothing else; what it prints and how it ends is known."""
    ended = sh("cat; printf err >&2; exit 3", given=b"in\0put")
    assert (ended.code, ended.out, ended.err) == (3, b"in\0put", b"err")
    assert ended.how == "ended with exit code 3: err"


def test_no_input_is_an_empty_one() -> None:
    """A program that is given nothing reads an empty input at once, not that of the command."""
    assert sh("cat").out == b""
    assert sh("cat", given=b"").out == b""


def test_arguments_are_no_shells() -> None:
    """No shell reads the arguments: they arrive as they are."""
    odd = ["$HOME", "a b", "", "*", "; exit 9", "ü", "`id`"]
    command = [sys.executable, "-I", "-S", "-c", "import sys; print(sys.argv[1:])", *odd]
    assert run(command, given=None, environment={}, seconds=LONG).out.decode().strip() == str(odd)


def test_the_environment_is_what_is_given() -> None:
    """A program has the environment that it is given, and no open file of ours."""
    code = "import os; print(dict(os.environ), sorted(os.listdir('/proc/self/fd')))"
    with Path("/dev/null").open("rb") as ours:
        os.set_inheritable(ours.fileno(), True)  # noqa: FBT003  # it takes no keyword
        command = [sys.executable, "-I", "-S", "-c", code]
        out = run(command, given=b"", environment={"LC_ALL": "C", "A": "1"}, seconds=LONG).out.decode()
    assert out.strip() == "{'LC_ALL': 'C', 'A': '1'} ['0', '1', '2', '3']"  # 3 is the folder that it lists


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("missing", None, "no such file or directory"),
        ("plain", "#!/bin/sh\n", "permission denied"),
        ("no-interpreter", "#!/no/such/program\n", "no such file or directory"),
        ("no-program", "\0\0\0\0", "exec format error"),
    ],
)
def test_what_cannot_be_started(tmp_path: Path, name: str, text: str | None, why: str) -> None:
    """A program that is missing, may not be executed or is none did nothing, and the reason is told."""
    path = tmp_path / name
    if text is not None:
        script(path, text).chmod(0o600 if name == "plain" else 0o700)
    with pytest.raises(NotStartedError, match=why):
        run([str(path)], given=b"x" * 10, environment={}, seconds=LONG)


def test_an_argument_that_none_can_be() -> None:
    """An argument that the system does not take is a program that was not started."""
    with pytest.raises(NotStartedError, match="character"):
        run(["sh", "a\0b"], given=None, environment={}, seconds=LONG)


@pytest.mark.parametrize("given", [b"secret", b"s" * 1_000_000])
def test_a_program_that_does_not_read(given: bytes, quick: Callable[[], float]) -> None:
    """A program may close its standard input unread, or end without a look at it."""
    assert sh("exec <&-; exit 0", given=given).code == 0
    assert sh("exec <&-; printf done", given=given).out == b"done"
    assert sh(":", given=given).code == 0
    assert quick() < LONG / 2


def test_much_input() -> None:
    """An input larger than a pipe arrives whole, also where the program prints it as it comes."""
    ended = sh("cat >/dev/null; printf read", given=b"s" * 3_000_000)
    assert ended.out == b"read"
    assert sh("cat", given=b"s" * 3_000_000).code == 0


def test_a_flood_is_cut() -> None:
    """A program that prints without measure is read to its end, and only so much is kept."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ended = sh("head -c 30000000 /dev/zero; head -c 30000000 /dev/zero >&2; exit 5")
    assert (ended.code, len(ended.out), len(ended.err)) == (5, LARGEST + 1, LARGEST + 1)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # KiB


def test_a_flood_without_end(quick: Callable[[], float]) -> None:
    """A program that prints for ever is stopped when its time is over."""
    ended = sh("yes", seconds=SHORT)
    assert ended.code is None
    assert quick() < SHORT + 5


def test_all_that_was_printed_is_kept() -> None:
    """What a program prints right before it ends is not lost, however it ends."""
    for _ in range(30):
        ended = sh("head -c 60000 /dev/zero; printf tail >&2; kill -KILL $$")
        assert (len(ended.out), ended.err, ended.code) == (60_000, b"tail", -9)
        assert ended.how == "was ended by SIGKILL: tail"


def test_closed_outputs_are_not_the_end() -> None:
    """A program that closes both outputs and works on is waited for."""
    assert sh("exec >&- 2>&-; sleep 0.2; exit 7").code == 7


def test_closed_outputs_do_not_lengthen_the_time(quick: Callable[[], float]) -> None:
    """A program that closes both outputs and hangs is stopped in time."""
    assert sh("exec >&- 2>&-; sleep 60", seconds=SHORT).code is None
    assert quick() < SHORT + 5


def test_hanging_with_its_children(tmp_path: Path, quick: Callable[[], float]) -> None:
    """A program that hangs is stopped with all that it started, though these hold its output open."""
    ended = sh(f"sleep 60 & echo $! $$ > {tmp_path}/pids; printf begun; printf why >&2; wait", seconds=SHORT)
    assert (ended.code, ended.out) == (None, b"begun")
    assert ended.how == "took too long and was stopped: why"
    assert SHORT <= quick() < SHORT + 5
    assert gone(pids_in(tmp_path / "pids"))


def test_deaf_to_sigterm(tmp_path: Path, quick: Callable[[], float]) -> None:
    """A program that does not heed SIGTERM, nor lets its children, is killed a second later."""
    ended = sh(f"trap '' TERM; sleep 60 & echo $! $$ > {tmp_path}/pids; while :; do sleep 60; done", seconds=SHORT)
    assert ended.code is None
    assert SHORT + 0.9 < quick() < SHORT + 6
    assert gone(pids_in(tmp_path / "pids"))


def test_time_to_tidy_up(tmp_path: Path) -> None:
    """A program whose time is over is asked to end first, and can tidy up."""
    (tmp_path / "left").touch()
    ended = sh(f"trap 'rm {tmp_path}/left; exit 0' TERM; sleep 60 & wait", seconds=SHORT)
    assert ended.code is None
    assert not (tmp_path / "left").exists()


def test_what_it_leaves_running_is_over_with_it(tmp_path: Path, quick: Callable[[], float]) -> None:
    """A program that ends is not waited for because of a child that holds its output; the child does not outlive it."""
    ended = sh(f"sleep 60 & echo $! > {tmp_path}/pids; printf done")
    assert (ended.code, ended.out) == (0, b"done")
    assert quick() < LONG / 2
    assert gone(pids_in(tmp_path / "pids"))


def test_the_end_of_the_run(tmp_path: Path) -> None:
    """When the run ends, what is under way is killed with all that it started, and nothing is started any more."""
    os.mkfifo(tmp_path / "begun")
    ended: list[Ended] = []
    text = f"trap '' TERM; sleep 60 & echo $! $$ > {tmp_path}/pids; : > {tmp_path}/begun; wait; printf after"
    running = threading.Thread(target=lambda: ended.append(sh(text)))
    running.start()
    (tmp_path / "begun").read_bytes()
    children.end()
    running.join()
    assert [(one.code, one.out) for one in ended] == [(-9, b"")]
    assert gone(pids_in(tmp_path / "pids"))
    with pytest.raises(NotStartedError, match="the run is over"):
        sh("exit 0")


def test_the_end_does_not_wait_for_a_start_that_hangs(quick: Callable[[], float]) -> None:
    """A program that hangs while it is being started, on a dead network drive perhaps, does not hold up the end."""
    hanging, begun = threading.Event(), threading.Event()

    def hang() -> None:
        begun.set()
        hanging.wait(LONG)
        raise OSError

    def start() -> None:
        with pytest.raises(OSError):  # noqa: PT011  # it has no text
            children.start(hang)  # type: ignore[arg-type]  # it starts nothing

    thread = threading.Thread(target=start)
    thread.start()
    assert begun.wait(LONG)
    children.end()
    assert thread.is_alive()
    hanging.set()
    thread.join()
    with pytest.raises(NotStartedError):
        sh("exit 0")


def test_what_has_ended_is_forgotten() -> None:
    """Of a program that has ended nothing is kept that could be killed later."""
    sh("exit 0")
    assert children._groups == set()


def test_no_pipe_stays_open() -> None:
    """Nothing of ours is left open, whatever the program did."""
    before = set(Path("/proc/self/fd").iterdir())
    sh("cat", given=b"x" * 100_000)
    sh("exec <&-", given=b"x" * 100_000)
    sh("sleep 60", seconds=SHORT, given=b"x" * 100_000)
    with pytest.raises(NotStartedError):
        run(["/no/such/program"], given=b"", environment={}, seconds=LONG)
    assert set(Path("/proc/self/fd").iterdir()) == before


@pytest.mark.parametrize(
    "said",
    [
        SECRET,
        f"token={SECRET}",
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(f"{SECRET}\n".encode()).decode(),
        base64.b64encode(f"user:{SECRET}".encode()).decode(),
        SECRET.encode().hex(),
    ],
)
@pytest.mark.parametrize("known", [True, False])
def test_a_secret_in_the_output(said: str, *, known: bool) -> None:
    """A secret on standard error is masked, in its encodings too, and even one that this process never saw."""
    if known:
        Secret(SECRET)
    ended = sh('printf "bad: %s, sorry\\n" "$SAID" >&2; exit 1', SAID=said)
    assert ended.how.startswith("ended with exit code 1: bad: ")
    assert "***" in ended.how
    assert SECRET[4:] not in ended.how
    assert said not in ended.how
    assert SECRET not in repr(ended)


def test_a_known_secret_that_looks_like_words() -> None:
    """A secret that was told is masked however harmless it looks."""
    Secret("open sesame")
    assert sh("echo it is open sesame >&2; exit 1").how == "ended with exit code 1: it is ***"


@pytest.mark.parametrize("word", ["abcdefghijKLMNOPqrst", "abcdefghij-lmnopqrs7"])
def test_a_long_word_that_could_be_a_secret(word: str) -> None:
    """A word of 20 characters in upper and lower case, or with a digit, is masked; a shorter one is shown."""
    assert sh('echo "$SAID" >&2; exit 1', SAID=word).how == "ended with exit code 1: ***"
    assert sh('echo "$SAID" >&2; exit 1', SAID=word[1:]).how == f"ended with exit code 1: {word[1:]}"


def test_the_time_is_counted_once(quick: Callable[[], float]) -> None:
    """A program that hangs with its output open gets the time that it was given, not twice that."""
    assert sh("sleep 60", seconds=1.5).code is None
    assert quick() < 2.7


def test_words_are_not_masked() -> None:
    """Ordinary words, paths and names are shown as they are."""
    text = 'secrets "tooken-ci-deploy-in-production" is forbidden: see /var/lib/kubelet/config.yaml, line 20'
    assert sh('printf %s "$SAID" >&2; exit 1', SAID=text).how == f"ended with exit code 1: {text}"


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        (r"\n\n  first \nsecond", ": first"),
        (r"::error::no", r": \\x3a:error::no"),
        (r"a\033[31mb", r": a\\x1b[31mb"),
        (r"\377\376", ": \ufffd\ufffd"),
        (r"ends.", ": ends"),
        (r"\n \n", ""),
        ("", ""),
    ],
)
def test_what_is_shown_of_standard_error(printed: str, shown: str) -> None:
    """Only the first line that says something is shown, and it can speak to no terminal and no runner."""
    how = sh(f"printf '{printed}' >&2; exit 1").how
    assert how == "ended with exit code 1" + shown.replace("\\\\", "\\")


def test_a_long_line_is_cut() -> None:
    """A line of any length takes no more than a few lines of the report."""
    assert len(sh("head -c 100000 /dev/zero | tr '\\0' '-' >&2; exit 1").how) < 400


def test_an_unknown_signal() -> None:
    """A signal without a name is told by its number."""
    assert Ended(code=-35, out=b"", err=OTHER.encode()).how.startswith("was ended by signal 35")
