"""The action's metadata, its entry point and its image say the same as the code."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

import entrypoint
from tooken_ci import __version__
from tooken_ci.cli import cli
from tooken_ci.destinations.interface import Surroundings
from tooken_ci.destinations.registry import Registry
from tooken_ci.plan.model import ActionKind

ROOT = Path(__file__).resolve().parents[1]
KEY = "tok_live_plainly_not_a_real_key"
OF_THE_ACTION = {"command", "api-key", "github-token"}
"""Inputs that are no option of the command, since no option may hold a secret."""

RENAMED = {"fail-on-changes"}
"""Inputs that say what users of an action look for, and are called otherwise on the command line."""


def _metadata() -> dict[str, Any]:
    metadata: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    return metadata


def _variable(input_name: str) -> str:
    return f"INPUT_{input_name.replace(' ', '_').upper()}"


def test_every_input_is_translated() -> None:
    """The inputs of action.yml are exactly those that the entry point knows."""
    assert {_variable(name) for name in _metadata()["inputs"]} == {entrypoint.COMMAND_INPUT, *entrypoint.VARIABLES}


def test_every_input_is_an_option() -> None:
    """Each input but the key, the command and what only the action has sets an option's variable, of the same name."""
    params = [param for command in cli.commands.values() for param in command.params]
    variables = {param.envvar: param for param in params if isinstance(param.envvar, str)}
    for name in _metadata()["inputs"]:
        variable = entrypoint.VARIABLES.get(_variable(name))
        if name in OF_THE_ACTION:
            continue
        assert variable in variables, name
        if name not in RENAMED:
            assert variable == f"TOOKEN_{name.upper().replace('-', '_')}"


def test_defaults_of_inputs_are_those_of_the_options() -> None:
    """Whoever leaves an input out gets what the command does by itself."""
    params = [param for command in cli.commands.values() for param in command.params]
    defaults = {
        param.envvar: False if getattr(param, "is_flag", False) else param.default
        for param in params
        if isinstance(param.envvar, str)
    }
    for name, given in _metadata()["inputs"].items():
        if name in OF_THE_ACTION or "default" not in given:
            continue
        default = defaults[entrypoint.VARIABLES[_variable(name)]]
        default = default[0] if isinstance(default, tuple) else default
        assert given["default"] == (str(default).lower() if isinstance(default, bool) else default), name


def test_defaults() -> None:
    """The defaults of action.yml are those of the command, and the key is required."""
    inputs = _metadata()["inputs"]
    assert inputs["command"]["default"] == entrypoint.DEFAULT_COMMAND
    assert inputs["spec"]["default"] == "tooken.yml"
    assert inputs["format"]["default"] == "text"
    assert "default" not in inputs["api-url"]
    assert inputs["api-key"]["required"] is True


def test_outputs() -> None:
    """A Docker action only describes its outputs; their values come from the command."""
    outputs = _metadata()["outputs"]
    kinds = set(map(str, ActionKind))
    assert set(outputs) == {"has-changes", *kinds, "blocked-by", "failure-reason", "plan-file", "report-file"}
    assert all(set(output) == {"description"} for output in outputs.values())


def test_no_secret_on_a_command_line() -> None:
    """The action passes no arguments, which the runner would print, and no variables of its own."""
    runs = _metadata()["runs"]
    assert set(runs) == {"using", "image", "post-entrypoint", "post-if"}
    assert (runs["using"], runs["image"]) == ("docker", "Dockerfile")


def test_the_post_step() -> None:
    """It runs whatever became of the job, from a file of the image, and does something only after a lease."""
    runs = _metadata()["runs"]
    assert runs["post-if"] == "always()"
    assert runs["post-entrypoint"] == f"/opt/tooken-ci/{entrypoint.POST}"
    assert f"ln -s entrypoint.py /opt/tooken-ci/{entrypoint.POST}" in (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert (ROOT / "entrypoint.py").stat().st_mode & 0o111
    assert entrypoint.afterwards(["lease"]) == ["release"]
    for name in ("plan", "apply", "rotate", "release", "lease --yes", ""):
        assert entrypoint.afterwards([name]) == []


def test_inputs_become_variables() -> None:
    """Each input becomes the variable of its option, the command alone an argument."""
    environ = {
        "INPUT_COMMAND": "apply",
        "INPUT_SPEC": "a.yml\nb.yml",
        "INPUT_API-KEY": KEY,
        "INPUT_API-URL": "https://tooken.example/v1",
        "INPUT_FORMAT": "json",
        "INPUT_PLAN-FILE": "tokens.plan",
        "INPUT_NAMES": "one\ntwo",
        "HOME": "/github/home",
    }
    arguments, env = entrypoint.translate(environ)
    assert arguments == ["apply"]
    assert env == {
        "TOOKEN_SPEC": "a.yml\nb.yml",
        "TOOKEN_API_KEY": KEY,
        "TOOKEN_API_URL": "https://tooken.example/v1",
        "TOOKEN_FORMAT": "json",
        "TOOKEN_PLAN_FILE": "tokens.plan",
        "TOOKEN_NAMES": "one\ntwo",
        "TOOKEN_CI_ACTION": "1",
        "HOME": "/github/home",
    }


def test_the_key_is_never_an_argument() -> None:
    """The key leaves its input variable for the child's environment and shows in no argument."""
    arguments, env = entrypoint.translate({"INPUT_COMMAND": "plan", "INPUT_API-KEY": f" {KEY}\n"})
    assert not any(KEY in argument for argument in arguments)
    assert [name for name, value in env.items() if KEY in value] == ["TOOKEN_API_KEY"]
    assert env["TOOKEN_API_KEY"] == KEY


def test_empty_inputs_are_not_given() -> None:
    """An empty input sets nothing and hides nothing, and an empty command is the default one."""
    environ = dict.fromkeys([entrypoint.COMMAND_INPUT, *entrypoint.VARIABLES], " ")
    assert entrypoint.translate(environ) == (["plan"], {"TOOKEN_CI_ACTION": "1"})
    assert entrypoint.translate({**environ, "TOOKEN_API_KEY": KEY})[1]["TOOKEN_API_KEY"] == KEY


@pytest.mark.parametrize("name", ["SPEC", "API-URL", "FORMAT", "PLAN-FILE"])
def test_variables_win_over_inputs(name: str) -> None:
    """A TOOKEN_ variable of the workflow goes before the input of the same option."""
    variable = entrypoint.VARIABLES[f"INPUT_{name}"]
    environ = {"INPUT_COMMAND": "plan", f"INPUT_{name}": "from the input", variable: "from the variable"}
    assert entrypoint.translate(environ)[1][variable] == "from the variable"


def test_the_key_of_the_input_wins() -> None:
    """The key is the exception: the input goes before the variable."""
    environ = {"INPUT_COMMAND": "plan", "INPUT_API-KEY": KEY, "TOOKEN_API_KEY": "tok_live_of_another_workspace"}
    assert entrypoint.translate(environ)[1]["TOOKEN_API_KEY"] == KEY


@pytest.mark.parametrize("text", ["plan --api-url http://127.0.0.1:9", "plan\n--yes", "plan; id", "$(id)"])
def test_the_command_brings_no_options(text: str) -> None:
    """Whatever the command input holds stays one argument, which the command line then refuses."""
    assert entrypoint.translate({"INPUT_COMMAND": text})[0] == [text]


def test_outside_the_runner() -> None:
    """Without inputs, as under `docker run`, nothing is added and the runner is not claimed."""
    assert entrypoint.translate({"TOOKEN_API_KEY": KEY}) == ([], {"TOOKEN_API_KEY": KEY})


def test_the_process_becomes_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """The entry point replaces itself by the command beside its interpreter, whatever stands in PATH."""
    calls: list[tuple[Path, list[str], dict[str, str]]] = []
    monkeypatch.setattr("os.environ", {"INPUT_COMMAND": "plan", "PATH": "/elsewhere"})
    monkeypatch.setattr("os.execve", lambda *call: calls.append(call))
    monkeypatch.setattr("sys.argv", ["entrypoint.py"])
    monkeypatch.setattr("sys.executable", "/opt/tooken-ci/bin/python")
    entrypoint.main()
    expected = Path("/opt/tooken-ci/bin/tooken-ci")
    assert calls == [(expected, ["tooken-ci", "plan"], {"TOOKEN_CI_ACTION": "1", "PATH": "/elsewhere"})]


def test_the_image_tells_its_version() -> None:
    """The image's version label is the package's version."""
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert f'org.opencontainers.image.version="{__version__}"' in dockerfile


def test_the_image_runs_as_root() -> None:
    """GitHub's runner gives the workspace to root alone, so the image names no user and no folder."""
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert not re.search(r"^\s*(USER|WORKDIR)\b", dockerfile, re.MULTILINE)


def test_locked_requirements() -> None:
    """Each direct dependency is pinned for the image, by hash, and no file names an index or a path."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {re.split(r"[<>=~!\[ ]", line, maxsplit=1)[0].lower() for line in project["dependencies"]}
    runtime = (ROOT / "requirements" / "runtime.txt").read_text(encoding="utf-8")
    assert wanted <= set(re.findall(r"^([a-z0-9-]+)==", runtime, re.MULTILINE))
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"://|^--|@ ", text, re.MULTILINE), path.name
        pins = re.findall(r"^[a-z0-9-]+==.*$", text, re.MULTILINE)
        assert pins, path.name
        assert all(pin.endswith("\\") for pin in pins), path.name


def test_the_image_has_the_libraries_of_every_kind() -> None:
    """What the image installs has every requirement of the extras that the kinds of destination name."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    needed = {kind.extra.name for kind in Registry(Surroundings()).kinds if kind.extra is not None}
    libraries = {re.split(r"[<>=\[]", line)[0].lower() for extra in needed for line in extras[extra]}
    pinned = re.findall(
        r"^([a-z0-9-]+)==", (ROOT / "requirements" / "runtime.txt").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert libraries == {"pygithub", "python-gitlab", "hvac", "boto3"}
    assert libraries <= set(pinned)
