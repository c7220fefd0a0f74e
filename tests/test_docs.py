"""What the documents say is what the code does."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import click
import pytest
import yaml

from tests.base.test_errors import every_error
from tooken_ci.base.errors import CommentError, ExitCode
from tooken_ci.cli import cli
from tooken_ci.destinations.interface import Surroundings
from tooken_ci.destinations.registry import Registry
from tooken_ci.plan.model import FORBIDDING
from tooken_ci.spec.load import load
from tooken_ci.tooken.retry import TABLE, Again, CallKind

TOP = Path(__file__).parent.parent
README = (TOP / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [TOP / "README.md", *sorted((TOP / "docs").glob("*.md"))]


def _rows(section: str) -> list[list[str]]:
    """The cells of every table row in a section of the README, without heads and rules."""
    text = README.split(f"\n## {section}\n")[1].split("\n## ")[0]
    rows = [
        re.split(r"(?<!\\)\|", line.strip().strip("|"))
        for line in text.splitlines()
        if line.startswith(("| `", "| 0", "| 1"))
    ]
    rows += [line.strip("|").split("|") for line in text.splitlines() if re.match(r"\| [2-9] ", line)]
    return [[cell.strip() for cell in row] for row in rows]


def _specs() -> list[tuple[str, str]]:
    """Every spec that a document shows, with the document's name."""
    return [
        (document.name, block)
        for document in DOCUMENTS
        for block in re.findall(r"```yaml\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL)
        if block.startswith("version: 1")
    ]


def test_readme_names_every_command_and_each_has_a_help_text() -> None:
    """A command that exists is documented, and the other way round."""
    named = {
        cell.strip("`").partition(" ")[0] for row in _rows("Commands") for cell in row[:1] if not cell.startswith("`--")
    }
    assert {name for name in named if not name.isdigit()} == set(cli.commands)
    assert all(command.help for command in cli.commands.values())


def test_readme_names_every_option_of_the_commands_with_its_variable() -> None:
    """An option of a command that asks the API is documented with its variable, and the other way round."""
    documented = {
        match[1]: row[1] for row in _rows("Commands") if (match := re.match(r"`(--[a-z-]+)", row[0])) is not None
    }
    asking = [
        command.params for command in cli.commands.values() if any(one.name == "api_url" for one in command.params)
    ]
    params = [cli.params, *asking]
    options = {option.opts[0]: option for group in params for option in group if isinstance(option, click.Option)}
    options.pop("--version")
    assert set(documented) == set(options)
    for name, option in options.items():
        assert option.help, name
        if option.envvar is not None:
            assert f"`{option.envvar}`" in documented[name]


def test_readme_has_the_table_of_exit_codes() -> None:
    """Every exit code stands in the table, and no other."""
    codes = {int(row[0]) for row in _rows("Commands") if row[0].isdigit()}
    assert codes == {int(code) for code in ExitCode}


def test_readme_names_the_inputs_and_outputs_of_the_action() -> None:
    """The tables are those of action.yml, defaults included."""
    action = yaml.safe_load((TOP / "action.yml").read_text(encoding="utf-8"))
    rows = _rows("The action")
    inputs = {row[0].strip("`"): row[1].strip("`") for row in rows if len(row) == 3}
    outputs = {name.strip("` ") for row in rows if len(row) == 2 for name in row[0].split(",")}
    assert inputs == {name: str(given.get("default", "")) for name, given in action["inputs"].items()}
    assert outputs == set(action["outputs"])


def test_the_kinds_of_destination_are_listed_with_their_extras() -> None:
    """README and the document on destinations have one row for each kind; pyproject.toml has its extra, and 'all'."""
    kinds = {kind.name: kind.extra.name if kind.extra else "" for kind in Registry(Surroundings()).kinds}
    assert {row[0].strip("`"): row[2].strip("`") for row in _rows("Destinations")} == kinds
    table = (TOP / "docs" / "destinations.md").read_text(encoding="utf-8").split("\n## ")[0]
    rows = re.findall(r"^\| \[`([a-z_]+)`\]\(.*?\) \|.*?\| (?:`([a-z]+)`)? *\|", table, re.MULTILINE)
    assert dict(rows) == kinds
    extras = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert set(filter(None, kinds.values())) < set(extras)
    assert "all" in extras


def test_readme_shows_the_two_commands_and_a_workflow_at_once() -> None:
    """Within the first 40 lines stand a workflow, GitLab's include as its example has it, and the two commands."""
    head = "\n".join(README.splitlines()[:40])
    component = (TOP / "examples" / "gitlab" / "component.yml").read_text(encoding="utf-8")
    shown = "".join(line for line in component.splitlines(keepends=True) if not line.startswith("#"))
    assert f"```yaml\n{shown}```" in head
    assert len(shown.splitlines()) == 6
    assert "uses: OWNER/tooken-ci@" in head
    assert "$ make demo" in head
    assert "$ make test" in head


def test_every_reason_of_a_failure_is_documented() -> None:
    """The fixed list is that of the errors that a run can end with.

    A comment that cannot be written is a warning, and ends no run.
    """
    text = (TOP / "docs" / "ci.md").read_text(encoding="utf-8").split("\n## Why a step failed\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]*) \|", text, re.MULTILINE)
    named = [word for row in rows for word in re.findall(r"`([a-z_]+)`", row)]
    known = {error.code for error in every_error() if error.__module__ == "tooken_ci.base.errors"}
    assert sorted(named) == sorted(known - {CommentError.code})


def test_the_bounds_are_documented() -> None:
    """Each code that can block a plan is explained."""
    text = (TOP / "docs" / "spec.md").read_text(encoding="utf-8")
    for code in ["max_revocations", "max_changes", "empty_tokens", *map(str, FORBIDDING)]:
        assert f"| `{code}` |" in text, code


@pytest.mark.parametrize(("document", "block"), _specs())
def test_every_spec_in_the_documents_is_valid(document: str, block: str, tmp_path: Path) -> None:
    """What a document shows can be pasted into tooken.yml as it is."""
    path = tmp_path / "tooken.yml"
    path.write_text(block, encoding="utf-8")
    spec = load([str(path)], kinds=Registry(Surroundings()).kinds)
    assert spec.entries, document


@pytest.mark.parametrize("document", ["how-it-works.md", "lifecycle.md"])
def test_a_walk_names_only_what_exists(document: str) -> None:
    """Every function and module that the walks through a run and through a life name is there."""
    text = (TOP / "docs" / document).read_text(encoding="utf-8")
    names = re.findall(r"`((?:cli|spec|tooken|apply|plan|render|destinations|base)\.[A-Za-z_.]+)`", text)
    assert len(names) > 10
    for name in names:
        parts = name.split(".")
        path = TOP.joinpath("tooken_ci", *parts[:2])
        module = path.with_suffix(".py") if path.with_suffix(".py").exists() else TOP / "tooken_ci" / f"{parts[0]}.py"
        last = parts[-1]
        assert module.exists(), name
        if module.stem != last:
            assert re.search(rf"((def|class) |^){last}\b", module.read_text(encoding="utf-8"), re.MULTILINE), name


def test_the_table_of_retries_is_that_of_the_code() -> None:
    """What the document says of each fault and call is what the transport goes by."""
    words = {Again.FREELY: "again", Again.BY_NAME: "again, settled by name", Again.NEVER: "never"}
    rows = [
        f"| {fault.name.lower()} | {' | '.join(words[cells[kind]] for kind in CallKind)} |"
        for fault, cells in TABLE.items()
    ]
    assert "\n".join(rows) in (TOP / "docs" / "how-it-works.md").read_text(encoding="utf-8")
