"""What the programs of an ``exec`` destination are given, and what their ends mean."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from tests.destinations.exec_support import Store, deliver, script
from tests.destinations.support import OTHER, SECRET, TOKEN_ID, held, mark, record
from tooken_ci.base.errors import DestinationError
from tooken_ci.base.record import State
from tooken_ci.base.redact import redactor
from tooken_ci.base.secret import Secret
from tooken_ci.destinations import timing

if TYPE_CHECKING:
    from pathlib import Path

    from tooken_ci.destinations.exec_store import ExecDestination


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Gives an empty store."""
    return Store(tmp_path / "store")


def write(destination: ExecDestination) -> DestinationError:
    """Writes the secret, which must fail."""
    with pytest.raises(DestinationError) as caught:
        destination.write(Secret(SECRET))
    assert SECRET not in str(caught.value)
    return caught.value


def patience(lines: tuple[str, ...]) -> float:
    """Little time for a program that hangs, all that it wants for any other."""
    return 0.6 if any("sleep" in line for line in lines) else 30.0


def test_where_the_secret_goes(store: Store) -> None:
    """The secret is on standard input alone: no program's environment or arguments show it, and no file but its own."""
    deliver(store.open())
    assert store.value.read_bytes() == SECRET.encode()
    for path in store.folder.iterdir():
        assert path == store.value or SECRET.encode() not in path.read_bytes(), path.name


def test_what_a_write_is_told(store: Store) -> None:
    """A write is told by its environment which token of which entry it stores, for whom, and by which run."""
    destination = store.open()
    destination.write_record(record(workspace="prod", marks=(mark("other"), mark())))
    destination.write(Secret(SECRET), held())
    told = {name: value for name, value in store.told("write").items() if name.startswith("TOOKEN")}
    assert told == {
        "TOOKEN_CI_STEP": "write",
        "TOOKEN_CI_DESTINATION": "shop",
        "TOOKEN_CI_WORKSPACE": "prod",
        "TOOKEN_CI_RUN": "run-1",
        "TOOKEN_CI_TOKEN": "ci-deploy.g2",
        "TOOKEN_CI_ENTRY": "ci-deploy",
        "TOOKEN_CI_GENERATION": "2",
        "TOOKEN_CI_ID": TOKEN_ID,
    }


def test_what_a_record_is_told(store: Store) -> None:
    """The programs of a record are told of the token that the record is about; of an older one nothing."""
    destination = store.open()
    destination.write_record(record(of=held(), marks=(mark(),)))
    told = store.told("record-write")
    assert (told["TOOKEN_CI_TOKEN"], told["TOOKEN_CI_RUN"]) == ("ci-deploy.g2", "run-1")
    assert "TOOKEN_CI_ID" not in told
    destination.write_record(record(of=held()))
    told = store.told("record-write")
    assert (told["TOOKEN_CI_TOKEN"], told["TOOKEN_CI_GENERATION"]) == ("ci-deploy", "1")
    assert (told["TOOKEN_CI_ID"], told["TOOKEN_CI_RUN"]) == (TOKEN_ID, "run-1")
    destination.write_record(record(of=held(), marks=(mark(),)))
    assert "TOOKEN_CI_ID" not in store.told("record-write")


def test_what_the_write_of_a_lease_is_told(store: Store) -> None:
    """Without a mark before it a write is told whose lease it is, and no record program is asked for."""
    destination = store.open(record=())
    destination.check()
    destination.tell(workspace="prod", entry="preview", token="preview.e-1-1-x", token_id=TOKEN_ID)
    destination.write(Secret(SECRET))
    told = {name: value for name, value in store.told("write").items() if name.startswith("TOOKEN")}
    assert told == {
        "TOOKEN_CI_STEP": "write",
        "TOOKEN_CI_DESTINATION": "shop",
        "TOOKEN_CI_WORKSPACE": "prod",
        "TOOKEN_CI_ENTRY": "preview",
        "TOOKEN_CI_TOKEN": "preview.e-1-1-x",
        "TOOKEN_CI_ID": TOKEN_ID,
    }
    assert destination.holds(Secret(SECRET)) is True
    assert list(store.folder.glob("env-record*")) == []


def test_what_is_not_inherited(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key, our options and inputs, and whatever holds a known secret stay with us; the rest is inherited."""
    Secret(OTHER)
    kept = {"KUBECONFIG": "/etc/k", "MY_TOOKEN_THING": "1"}
    for name in ("TOOKEN_API_KEY", "TOOKEN_TOKEN", "TOOKEN_CI_ACTION", "TOOKEN_CI_STEP", "INPUT_API-KEY", "input_x"):
        monkeypatch.setenv(name, "value-of-ours")
    monkeypatch.setenv("NETRC", f"password {OTHER}")
    monkeypatch.setenv(f"X_{OTHER}", "1")
    monkeypatch.setenv("QUOTED", "dG9rX3NlY3JldF85ODc2NTQzMjEw")
    for name, value in kept.items():
        monkeypatch.setenv(name, value)
    store.open().look()
    told = store.told("record-read")
    assert kept.items() <= told.items()
    assert "value-of-ours" not in told.values()
    assert not {"NETRC", "QUOTED", f"X_{OTHER}"} & set(told)
    assert OTHER not in str(told)


def test_programs_run_where_we_run(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path starts at the working directory, a bare name is looked up on the PATH."""
    monkeypatch.chdir(tmp_path)
    store.open(record=("./store/store.sh",)).check()
    monkeypatch.setenv("PATH", f"{store.folder}:{os.environ['PATH']}")
    store.open(record=("store.sh",)).check()
    here = store.sh("here", f"pwd > {store.folder}/pwd")
    store.open(record=here).look()
    assert (store.folder / "pwd").read_text(encoding="utf-8").strip() == str(tmp_path)


@pytest.mark.parametrize("key", ["write", "record", "read", "check"])
@pytest.mark.parametrize("program", ["./missing.sh", "no-such-program-anywhere", "/usr", "plain"])
def test_a_check_finds_what_cannot_be_run(store: Store, key: str, program: str) -> None:
    """A program that is missing or may not be executed is found by the check, which says which and what to do."""
    (store.folder / "plain").touch()
    program = str(store.folder / program) if program == "plain" else program
    with pytest.raises(DestinationError, match=f"'{key}' program .* was not found, or may not be executed") as caught:
        store.open(**{key: (program,)}).check()
    assert "PATH" in caught.value.hint
    assert list(store.folder.glob("env-*")) == []


def test_a_check_asks_the_check_program(store: Store) -> None:
    """A check program that agrees is all that a check needs beside the record; one that does not is quoted."""
    store.open(check=(str(store.program),)).check()
    assert store.told("check")["TOOKEN_CI_STEP"] == "check"
    assert not list(store.folder.glob("env-*write")) + list(store.folder.glob("env-read"))
    no = store.sh("no", "echo 'not logged in' >&2", "exit 4")
    with pytest.raises(DestinationError, match="'check' program ended with exit code 4: not logged in") as caught:
        store.open(check=no).check()
    assert "TOOKEN_CI_STEP=check" in caught.value.hint


def test_a_check_reads_the_record(store: Store) -> None:
    """A record that cannot be read is found by the check."""
    with pytest.raises(DestinationError, match="'record' program ended with exit code 9"):
        store.open(record=store.sh("no", "exit 9")).check()


@pytest.mark.parametrize("key", ["record", "read"])
@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (("echo 'no route' >&2", "exit 2"), "ended with exit code 2: no route"),
        (("kill -SEGV $$",), "was ended by SIGSEGV"),
        (("sleep 60",), "took too long and was stopped"),
    ],
)
def test_a_look_that_fails(store: Store, key: str, lines: tuple[str, ...], reason: str) -> None:
    """A program that fails in reading makes the place unknown, with the reason."""
    deliver(store.open())
    look = store.open(**{key: store.sh("no", *lines)}, timeout=patience(lines)).look()
    assert look.state is State.UNKNOWN
    assert look.reason.startswith(f"its '{key}' program {reason}. ")


def test_a_look_with_a_program_that_is_missing(store: Store) -> None:
    """A program that cannot be started makes the place unknown, with its name."""
    look = store.open(record=("./missing",)).look()
    assert look.state is State.UNKNOWN
    assert look.reason.startswith("its 'record' program './missing' could not be started: no such file or directory. ")


def test_an_older_secret_in_a_reading_programs_words(store: Store) -> None:
    """A secret that only the program knows is not shown by a look that fails, even if the program shows it."""
    deliver(store.open())
    redactor.__dict__ = type(redactor)().__dict__  # a later run, to which the secret is new
    look = store.open(read=store.sh("traced", "set -x", f"echo $(cat {store.value})", "exit 1")).look()
    assert look.state is State.UNKNOWN
    assert SECRET not in look.reason
    assert "***" in look.reason


def test_what_is_read_is_a_secret_at_once(store: Store) -> None:
    """Whatever a read program prints is masked from then on, also where it fails or is not what was delivered."""
    store.open(read=store.sh("read", "printf word-one; exit 1")).look()
    store.open(read=store.sh("read", "echo word-two")).look()
    assert redactor.clean("word-one and word-two") == "*** and ***"


@pytest.mark.parametrize("end", ["", "\\n", "\\r\\n"])
def test_a_line_end_after_the_secret(store: Store, end: str) -> None:
    """The line end that a shell adds to the secret is passed over; a second one is not."""
    deliver(store.open())
    destination = store.open(read=store.sh("read", f"printf '{SECRET}{end}'"))
    assert destination.look().state is State.HOLDS
    assert destination.holds(Secret(SECRET)) is True
    assert destination.fetch(held()) is not None
    assert store.open(read=store.sh("read", f"printf '{SECRET}\\n\\n'")).holds(Secret(SECRET)) is False


@pytest.mark.parametrize("printed", ["head -c 100000 /dev/zero", "printf '\\377\\376 not text'", "printf short"])
def test_a_value_that_is_no_secret(store: Store, printed: str) -> None:
    """A value that can be no secret of ours is not the delivered one, and nothing breaks."""
    deliver(store.open())
    destination = store.open(read=store.sh("read", printed))
    assert destination.look().reason == "its value is not the one that was delivered"
    assert destination.holds(Secret(SECRET)) is False
    assert destination.fetch(held()) is None


def test_a_value_that_begins_with_the_secret(store: Store) -> None:
    """What was cut because it is too long is not taken for what it begins with."""
    long = "s" * 65_536
    store.value.write_text(long + "tail", encoding="utf-8")
    assert store.open().holds(Secret(long)) is False


def test_without_read_the_record_tells(store: Store) -> None:
    """A store that cannot be read holds what its record names; nothing can be read back or copied from it."""
    destination = store.open(read=())
    deliver(destination)
    look = destination.look()
    assert (look.state, look.held, look.reason) == (State.HOLDS, held(), "")
    assert not look.readable
    assert not look.value_newer
    assert not look.empty
    assert destination.holds(Secret(OTHER)) is None
    assert destination.fetch(held()) is None
    assert not (store.folder / "env-read").exists()


def test_without_read_nothing_is_sure(store: Store) -> None:
    """Without a record, or beside an open mark, nobody knows what stands in a store that cannot be read."""
    destination = store.open(read=())
    look = destination.look()
    assert (look.state, look.reason, look.empty) == (State.ABSENT, "it has no delivery record", False)
    assert look.value_newer
    destination.write_record(record(of=held(), marks=(mark(),)))
    look = destination.look()
    assert (look.state, look.recorded, look.value_newer) == (State.ABSENT, held(), True)
    assert look.reason == "an unfinished run left its mark, and the value cannot be read"
    destination.write_record(record())
    look = destination.look()
    assert (look.state, look.reason, look.empty) == (State.ABSENT, "nothing was delivered yet", False)


@pytest.mark.parametrize("agreed", [75, None], ids=["agreed", "not-agreed"])
@pytest.mark.parametrize(
    ("lines", "told", "refused"),
    [
        (("exit 1",), "ended with exit code 1", False),
        (("exit 75",), "ended with exit code 75", True),
        (("exit 74",), "ended with exit code 74", False),
        (("exit 127",), "ended with exit code 127", False),
        (("kill -KILL $$",), "was ended by SIGKILL", False),
        (("sleep 60",), "took too long and was stopped", False),
        (("trap 'exit 75' TERM", "sleep 60 & wait"), "took too long and was stopped", False),
        (("cat >&2", "exit 75"), "ended with exit code 75: ***", True),
        (("base64 >&2", "exit 1"), "ended with exit code 1: ***", False),
    ],
)
def test_a_write_that_fails(
    store: Store, lines: tuple[str, ...], told: str, agreed: int | None, *, refused: bool
) -> None:
    """A write that fails may have happened, unless the spec names its exit code as one that says that it has not."""
    error = write(store.open(write=store.sh("no", *lines), timeout=patience(lines), refused=agreed))
    assert error.message == f"its 'write' program {told}."
    assert error.surely_refused is (refused and agreed is not None)
    assert error.hint


@pytest.mark.parametrize(("agreed", "words"), [(None, "'refused' can name"), (9, "with exit code 9")])
def test_how_a_write_could_say_that_it_wrote_nothing(store: Store, agreed: int | None, words: str) -> None:
    """The hint of a write that may have happened tells how one that has not could say so."""
    assert words in write(store.open(write=store.sh("no", "exit 75"), refused=agreed)).hint


def test_only_a_write_refuses(store: Store) -> None:
    """The exit code that is named counts for a write alone: a record that ends with it may have been stored."""
    only_reads = store.sh("no", 'test "$TOOKEN_CI_STEP" = record-read || exit 75')
    with pytest.raises(DestinationError) as caught:
        store.open(record=only_reads, refused=75).write_record(record())
    assert not caught.value.surely_refused


def test_a_write_that_was_not_started(store: Store) -> None:
    """A program that could not be started surely wrote nothing."""
    for program in ("./missing", str(script(store.folder / "odd", "#!/no/such/shell\n"))):
        error = write(store.open(write=(program,)))
        assert error.surely_refused
        assert "could not be started: no such file or directory" in error.message


def test_a_write_that_does_not_look(store: Store) -> None:
    """A write that ends well counts as done, whatever it did with its input; reading back tells."""
    destination = store.open(write=store.sh("lazy", "exec <&-"))
    destination.write(Secret(SECRET))
    assert destination.holds(Secret(SECRET)) is False


def test_reading_back_that_fails(store: Store) -> None:
    """Where reading back fails, or cannot even begin, the secret may well stand there, and the error says so."""
    for read in (store.sh("no", "exit 75"), ("./missing",)):
        destination = store.open(read=read, refused=75)
        destination.write(Secret(SECRET))
        with pytest.raises(DestinationError, match="'read' program") as caught:
            destination.holds(Secret(SECRET))
        assert not caught.value.surely_refused
        assert destination.fetch(held()) is None


@pytest.mark.parametrize(
    "lines",
    [
        ("cat > /dev/null",),
        ("cat; echo",),
        ("case $TOOKEN_CI_STEP in record-read) echo tooken-ci/1 workspace=default;; esac",),
    ],
)
def test_a_record_that_is_not_kept(store: Store, lines: tuple[str, ...]) -> None:
    """A record program that does not give back what it was given is found with the first mark, before any secret."""
    with pytest.raises(DestinationError, match="is not the one that it was given") as caught:
        store.open(record=store.sh("lossy", *lines)).write_record(record(marks=(mark(),)))
    assert "TOOKEN_CI_STEP=record-write" in caught.value.hint
    assert not caught.value.surely_refused


def test_a_record_that_cannot_be_stored(store: Store) -> None:
    """A record program that fails in storing is told, and may have stored."""
    only_reads = store.sh("no", 'test "$TOOKEN_CI_STEP" = record-read || { echo read-only >&2; exit 8; }')
    with pytest.raises(DestinationError, match="'record' program ended with exit code 8: read-only") as caught:
        store.open(record=only_reads).write_record(record())
    assert not caught.value.surely_refused


@pytest.mark.parametrize("printed", ["head -c 100000 /dev/zero", "yes | head -c 200000", "printf '\\377'", "echo {}"])
def test_a_record_that_is_garbage(store: Store, printed: str) -> None:
    """A record program that prints something else has no record to tell of."""
    look = store.open(record=store.sh("odd", printed)).look()
    assert (look.state, look.reason, look.record) == (State.ABSENT, "its delivery record is damaged", None)


def test_a_delivery_has_one_time_limit(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write, read-back and record together may take no longer than one delivery; what is left bounds the next."""
    monkeypatch.setattr(timing, "LONGEST_WRITE", 0.5)
    destination = store.open(read=store.sh("slow", "sleep 60"), timeout=1.0)
    destination.write(Secret(SECRET))
    start = time.monotonic()
    with pytest.raises(DestinationError, match="took too long"):
        destination.holds(Secret(SECRET))
    assert time.monotonic() - start < 3
    with pytest.raises(DestinationError, match="'record' program was not started") as caught:
        destination.write_record(record(of=held()))
    assert not caught.value.surely_refused
    assert "took too long" in destination.look().reason  # that delivery is over, so the look had its own time


def test_a_delivery_that_is_over_limits_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes after a delivery, or after a write that failed, has its own time."""
    monkeypatch.setattr(timing, "LONGEST_WRITE", 0.0)
    destination = store.open()
    with pytest.raises(DestinationError, match="'write' program was not started"):
        destination.write(Secret(SECRET))
    destination.write_record(record())
    assert destination.look().state is State.ABSENT
