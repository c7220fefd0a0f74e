"""A kind of destination that another package brings: the one of the document, installed and run."""

from __future__ import annotations

import importlib
import re
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.project import entry, names, spec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.e2e.project import Project

TEXT = (Path(__file__).parents[2] / "docs" / "destinations.md").read_text(encoding="utf-8")
SECTION = TEXT.split("\n## Kinds of your own\n")[1]


def block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", SECTION, re.DOTALL)
    return str(found)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Installs the package of the document, and gives the variable by which the command finds it."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("installed")
    (source / "pyproject.toml").write_text(block("toml"), encoding="utf-8")
    (source / "tooken_ci_sqlite.py").write_text(block("python"), encoding="utf-8")
    options = ("--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--no-build-isolation")
    command = [sys.executable, "-m", "pip", "install", *options, "--target", str(target), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)
    assert done.returncode == 0, done.stderr
    return {"PYTHONPATH": str(target)}


def declare(project: Project, *deliver: Mapping[str, Any], **more: Any) -> None:
    project.write(spec({"ci": {**entry(**more), "deliver": list(deliver)}}))


def to_database(name: str = "ci") -> dict[str, Any]:
    return {"sqlite": {"database": "../shop.db", "name": name}}


def stored(project: Project) -> str:
    """The secret in the database, which lives."""
    with sqlite3.connect(project.folder.parent / "shop.db") as database:
        ((value,),) = database.execute("SELECT value FROM secrets WHERE name = 'ci'").fetchall()
    database.close()
    project.secrets.add(value)
    assert project.sandbox.authenticates(value)
    return str(value)


def test_the_life_of_a_delivery(project: Project, installed: dict[str, str]) -> None:
    """A token is validated, delivered, left alone, copied and replaced at a kind that is not one of ours."""
    declare(project, to_database())
    project.run("validate", env=installed)
    project.run("apply", env=installed)
    first = stored(project)
    project.run("plan", "--detailed-exitcode", env=installed)

    declare(project, to_database(), {"file": {"path": "out/ci"}})
    project.run("apply", env=installed)
    assert project.secret("out/ci") == first

    declare(project, to_database(), {"file": {"path": "out/ci"}}, scopes=["audit:read"])
    project.run("apply", env=installed)
    assert stored(project) == project.secret("out/ci") != first
    assert names(project.sandbox) == ["ci.g2"]
    project.run("plan", "--detailed-exitcode", env=installed)


def test_a_value_that_was_removed(project: Project, installed: dict[str, str]) -> None:
    """A secret that somebody took out of the database is replaced."""
    declare(project, to_database())
    project.run("apply", env=installed)
    with sqlite3.connect(project.folder.parent / "shop.db") as database:
        database.execute("UPDATE secrets SET value = NULL")
    database.close()
    project.run("apply", env=installed)
    stored(project)
    assert names(project.sandbox) == ["ci.g2"]


def test_a_store_that_cannot_be_used(project: Project, installed: dict[str, str]) -> None:
    """A database that is none fails its entry before a token is made, and the error names the place."""
    (project.folder.parent / "shop.db").write_text("this is no database", encoding="utf-8")
    declare(project, to_database())
    with project.unchanged():
        project.run("apply", env=installed, code=1).says("sqlite ../shop.db ci", "the database cannot be used")


def test_what_is_wrong_has_its_place(project: Project, installed: dict[str, str]) -> None:
    """Faults that the schema and the class of another package find are told with line and column, like ours."""
    project.write(
        "version: 1\ntokens:\n  ci:\n    scopes: [tokens:read]\n    deliver:\n"
        "      - sqlite: {database: a}\n      - sqlite: {database: a, name: b/c}\n      - sqlit: {}\n"
    )
    ended = project.run("validate", env=installed, code=2)
    ended.says(":6:9: ", "lacks 'name'", ":7:37: ", "A name has no '/'.", ":8:9: ", "Perhaps you meant 'sqlite'?")


def test_a_plug_in_that_breaks(project: Project, installed: dict[str, str], tmp_path: Path) -> None:
    """What a plug-in raises while it writes fails its entry alone, and counts as a write that may have happened."""
    text = (Path(installed["PYTHONPATH"]) / "tooken_ci_sqlite.py").read_text(encoding="utf-8")
    broken = text.replace('self._put("value", secret.reveal())', 'raise LookupError(f"no {secret.reveal()}")')
    assert broken != text
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "tooken_ci_sqlite.py").write_text(broken, encoding="utf-8")
    path = f"{tmp_path / 'broken'}:{installed['PYTHONPATH']}"
    one, other = {**entry(), "deliver": [to_database()]}, entry("out/other")
    project.write(spec({"ci": one, "other": other}))

    ended = project.run("apply", env={"PYTHONPATH": path}, code=3)

    ended.says("package 'tooken-ci-sqlite 1.0' (entry point", "failed in 'write': LookupError: no ***")
    assert "Traceback" not in ended.err
    assert names(project.sandbox) == ["ci", "other"]
    assert project.sandbox.authenticates(project.secret("out/other"))


def test_without_the_package(project: Project) -> None:
    """Where the package is not installed, its kind is unknown."""
    declare(project, to_database())
    project.run("validate", code=2).says("no kind of destination named 'sqlite'", "Known kinds: file, exec, job")


def test_the_schema_has_it(project: Project, installed: dict[str, str]) -> None:
    """The schema that is printed for editors has the settings of installed kinds."""
    assert '"sqlite"' in project.run("schema", env=installed).out
    assert '"sqlite"' not in project.run("schema").out


def test_the_names_to_rely_on() -> None:
    """Every public name that the document lists is there, and its example needs no other."""
    rows = re.findall(r"^\| `(tooken_ci[a-z_.]+)` \| (.*) \|$", SECTION, re.MULTILINE)
    public = {module: re.findall(r"`([A-Za-z_]+)`", cell) for module, cell in rows}
    assert len(public) > 5
    for module, listed in public.items():
        assert [name for name in listed if not hasattr(importlib.import_module(module), name)] == []
    used = re.findall(r"^from (tooken_ci\S+) import (.*)$", block("python"), re.MULTILINE)
    assert used
    for module, listed in used:
        assert set(listed.split(", ")) <= set(public[module])
