"""The recipes of the document work with the tools as those document themselves, and no process sees the secret."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml

from tests.destinations.exec_support import deliver, script
from tests.destinations.support import HERE, OTHER, SECRET, held, mark, record
from tests.support import standins
from tooken_ci.base.errors import DestinationError
from tooken_ci.base.record import State
from tooken_ci.base.secret import Secret
from tooken_ci.destinations.exec import ExecKind

if TYPE_CHECKING:
    from tooken_ci.destinations.exec_store import ExecDestination

TEXT = (Path(__file__).parents[2] / "docs" / "destinations.md").read_text(encoding="utf-8")
SECTION = TEXT.split("\n## `exec`: recipes\n")[1].split("\n## ")[0]
RECIPES = dict(re.findall(r"\n### `([a-z]+)`\n.*?```sh\n(.*?)```", SECTION, re.DOTALL))
RECORD_OF_THREE_MARKS = record(of=held(), marks=(mark("run-1"), mark("run-2"), mark("run-3")))


class Store:
    """A store behind a recipe and a stand-in for its tool."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.state = folder / "state"
        standins.install(name, folder, self.state)
        self.program = script(folder / "store.sh", RECIPES[name])

    def open(self) -> ExecDestination:
        ((settings),) = yaml.safe_load(SECTION.split("```yaml\n")[1].split("```")[0])["deliver"]
        jsonschema.validate(settings["exec"], ExecKind().schema)
        commands = {key: [str(self.program)] for key in ("check", "record", "write", "read")}
        assert settings["exec"].keys() == {"name", *commands}
        kind = ExecKind()
        return kind.open(kind.parse({**settings["exec"], **commands}, HERE))

    def seen(self) -> list[dict[str, Any]]:
        """Every call of the tool, and how all processes were started at that moment."""
        path = self.state / "seen"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []

    def kept(self) -> str:
        """All that the store keeps."""
        path = self.state / "state.json"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def change(self, change: dict[str, Any]) -> None:
        (self.state / "state.json").write_text(json.dumps(change), encoding="utf-8")

    def break_down(self, command: str) -> None:
        (self.state / "failing").write_text(command, encoding="utf-8")

    def mend(self) -> None:
        (self.state / "failing").unlink(missing_ok=True)


@pytest.fixture(params=standins.NAMES)
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Gives an empty store of each kind."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return Store(request.param, folder)


def test_every_recipe_is_tried() -> None:
    """Each recipe of the document has its stand-in, and the other way round."""
    assert sorted(RECIPES) == sorted(standins.NAMES)


def test_the_life_of_a_delivery(store: Store) -> None:
    """A recipe checks, marks, stores, shows and records, and a mark or a record never touches the secret."""
    destination = store.open()
    destination.check()
    assert destination.look().empty
    deliver(destination)
    look = destination.look()
    assert (look.state, look.held, look.marks, look.readable) == (State.HOLDS, held(), (), True)
    assert destination.holds(Secret(SECRET)) is True
    assert destination.holds(Secret(OTHER)) is False

    destination.write_record(RECORD_OF_THREE_MARKS)
    look = destination.look()
    assert (look.state, look.record) == (State.HOLDS, RECORD_OF_THREE_MARKS)

    destination.write(Secret(OTHER))
    look = destination.look()
    assert (look.state, look.reason) == (State.ABSENT, "its value is not the one that was delivered")
    destination.write_record(record(of=held("tok_next", OTHER)))
    assert destination.look().held == held("tok_next", OTHER)
    found = destination.fetch(held("tok_next", OTHER))
    assert found is not None
    assert found.reveal() == OTHER


def test_no_secret_on_any_command_line(store: Store) -> None:
    """While a secret is stored and read, no process on the machine has it among its arguments."""
    destination = store.open()
    deliver(destination)
    destination.look()
    assert len(store.seen()) >= 5
    assert SECRET not in json.dumps(store.seen())
    assert SECRET in store.kept() or store.name == "kubectl"  # which keeps it in base64


def test_a_secret_of_odd_characters(store: Store) -> None:
    """A secret is stored as it is, whatever a shell or JSON would make of it."""
    odd = "tok $HOME `id` \"q\" 'q' \\n \\\\ %s é * ?"
    destination = store.open()
    deliver(destination, secret=odd)
    assert destination.holds(Secret(odd)) is True
    assert destination.look().state is State.HOLDS


def calls_of(store: Store, step: Any) -> list[str]:
    """The commands of the tool that a step needs."""
    before = len(store.seen())
    step(store.open())
    words = [" ".join(call["arguments"]) for call in store.seen()[before:]]
    module = __import__(f"tests.support.standins.{store.name}", fromlist=["COMMANDS"])
    known = sorted(module.COMMANDS, key=len, reverse=True)
    return list(dict.fromkeys(next(one for one in known if word.startswith(one)) for word in words))


STEPS: dict[str, Any] = {
    "check": lambda destination: destination.check(),
    "record-write": lambda destination: destination.write_record(record(of=held())),
    "write": lambda destination: destination.write(Secret(OTHER)),
    "read": lambda destination: destination.holds(Secret(SECRET)),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_tool_that_fails(store: Store, step: str) -> None:
    """Whichever call of the tool fails, the step fails, and what it would have stored is as it was."""
    deliver(store.open())
    commands = calls_of(store, STEPS[step])
    assert commands
    deliver(store.open())
    before = store.kept()
    for command in commands:
        store.break_down(command)
        with pytest.raises(DestinationError) as caught:
            STEPS[step](store.open())
        assert not caught.value.surely_refused
        assert "not available" in caught.value.message
        store.mend()
    if step != "record-write":
        assert store.kept() == before


def test_a_store_that_cannot_be_asked(store: Store) -> None:
    """Where the tool fails a look knows nothing, and never takes the store for an empty one."""
    deliver(store.open())
    for command in calls_of(store, lambda destination: destination.look()):
        store.break_down(command)
        assert store.open().look().state is State.UNKNOWN
        store.mend()
    assert store.open().look().state is State.HOLDS


GONE: dict[str, dict[str, Any]] = {
    "kubectl": {"allowed": False, "objects": {}},
    "gcloud": {"secrets": {}},
    "az": {"vaults": {}},
    "op": {"vaults": {"CI": {}}},
}


def test_a_check_before_anything_is_made(store: Store) -> None:
    """A check fails where there is no such place, or nothing may be written there."""
    store.change(GONE[store.name])
    with pytest.raises(DestinationError, match="its 'check' program"):
        store.open().check()


@pytest.mark.parametrize("shell", ["sh", "bash --posix"])
def test_any_shell_will_do(store: Store, shell: str) -> None:
    """The scripts keep to what every POSIX shell understands."""
    done = subprocess.run([*shell.split(), "-n", store.program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "arguments",
    ["", "nonsense", "{command} --unknown", "{command} --unknown=1", "{command} --quiet=1", "{command} a b c d"],
)
def test_the_stand_ins_are_strict(store: Store, arguments: str) -> None:
    """A stand-in refuses a command, an option or an argument that its tool does not document."""
    command = {"kubectl": "get", "gcloud": "secrets describe", "az": "keyvault secret show", "op": "item get"}
    asked = arguments.format(command=command[store.name]).split()
    done = subprocess.run([store.name, *asked], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert store.kept() == ""


def test_an_assignment_would_be_refused(tmp_path: Path) -> None:
    """The stand-in for ``op`` takes no value as an argument, where others could read it."""
    standins.install("op", tmp_path, tmp_path / "state")
    done = subprocess.run(
        [tmp_path / "op", "item", "edit", "x", "credential=y"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
