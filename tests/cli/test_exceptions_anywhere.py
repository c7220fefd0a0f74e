"""An exception that nobody foresaw, thrown anywhere: a short message with a hint, and never a secret."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from typing import TYPE_CHECKING

import pytest
import requests

from tests.cli.breaking import Breaking
from tooken_ci import render
from tooken_ci.destinations.file_store import FileDestination

if TYPE_CHECKING:
    from types import FunctionType

    from tests.cli.breaking import Stage

METHODS = ("look", "check", "write_record", "write", "holds", "fetch")
PLAN, APPLY, MARKDOWN = ("plan",), ("apply",), ("--format", "markdown")
WAYS: dict[str, list[tuple[str, ...]]] = {
    "text": [PLAN, APPLY],
    "judging": [PLAN, APPLY],
    "blocks": [(*PLAN, *MARKDOWN)],
    "escaping": [(*PLAN, *MARKDOWN)],
    "fit": [(*PLAN, *MARKDOWN)],
    "gantt": [(*PLAN, *MARKDOWN)],
    "markdown": [(*PLAN, *MARKDOWN)],
    "when": [(*PLAN, *MARKDOWN)],
    "tables": [(*PLAN, *MARKDOWN), (*APPLY, *MARKDOWN), ("lease", "lease", *MARKDOWN)],
    "told": [(*PLAN, *MARKDOWN), (*PLAN, "--spec", "nowhere.yml", *MARKDOWN)],
    "report": [(*PLAN, "--format", "json"), (*APPLY, "--format", "json"), ("lease", "lease", "--format", "json")],
}
"""What is run to have the functions of a module of ``render`` called."""

NOT_YET = {"html_text", "csv_cell", "as_comment", "_by_day"}
"""Rules of formats that nothing is rendered in so far; and what only a comment takes, which is cut as a summary is."""

PARTS_OF_A_PAGE = ("blocks", "gantt", "tables", "told")
"""Modules of which only the functions that others call are tried: what their own throw comes through those."""


def _renderers() -> list[FunctionType]:
    """Every function there is in ``render``."""
    names = [found.name for found in pkgutil.iter_modules(render.__path__, "tooken_ci.render.")]
    return [
        function
        for module in map(importlib.import_module, names)
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
        and name not in NOT_YET
        and not (name.startswith("_") and module.__name__.endswith(PARTS_OF_A_PAGE))
    ]


RENDERERS = _renderers()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_each_call_into_requests(stage: Stage, *, after: bool) -> None:
    """Whichever request throws what nobody foresaw, before it is sent or after, it is told shortly and masked."""
    calls = stage.calls(requests.Session, "request")
    assert calls >= 6
    for at in range(1, calls + 1):
        stage.break_at(requests.Session, "request", at=at, after=after)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("command", ["lease", "release"])
def test_each_request_for_a_lease(stage: Stage, command: str, *, after: bool) -> None:
    """Whichever request for a lease throws, or for its end, exit code 1 is for those after which nothing changed."""
    stage.command, stage.leased = ("lease", "lease"), command == "release"
    stage.break_each(requests.Session, "request", least=2, after=after)


@pytest.mark.parametrize("name", METHODS)
def test_each_method_of_a_destination(stage: Stage, name: str) -> None:
    """Whichever call of a destination throws what nobody foresaw, it is told shortly and masked."""
    stage.mended = name == "fetch"
    calls = stage.calls(FileDestination, name)
    assert calls >= 1
    for at in range(1, calls + 1):
        stage.break_at(FileDestination, name, at=at)


@pytest.mark.parametrize("function", RENDERERS, ids=lambda function: f"{function.__module__}.{function.__name__}")
def test_each_renderer(stage: Stage, function: FunctionType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever function that renders throws what nobody foresaw, it is told shortly and masked."""
    users = [
        (module, known)
        for name, module in list(sys.modules.items())
        if name.startswith("tooken_ci.")
        for known, value in list(vars(module).items())
        if value is function
    ]
    for way in WAYS[function.__module__.rpartition(".")[2]]:
        if way[-2:] == MARKDOWN:  # a step's summary is such a page, too
            monkeypatch.setenv("GITHUB_ACTIONS", "true")
            monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(stage.project.folder.parent / "summary.md"))
        for debug in ((), ("--debug",)):
            stage.prepare()
            breaking = Breaking(function, stage.secret, at=1)
            if stage.comes_to_harm(users, breaking, *debug, *way) and debug:
                return
    pytest.fail("nothing calls it")
