"""GitHub's own command-line tool, as far as the workflows here use it: issues, labels and releases."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.standins import Command, refuse

if TYPE_CHECKING:
    from tests.support.standins import Call

WORKFLOWS = "app/github-actions"
"""Who writes with the token of a job, as the search knows it."""

MARKED = "[.[] | select(.body | startswith(env.MARK)) | .number] | min // empty"
"""The one expression that is understood."""

COMMANDS = {
    "auth setup-git": Command(),
    "issue list": Command(options=frozenset({"--label", "--author", "--state", "--limit", "--json", "--jq"})),
    "issue create": Command(options=frozenset({"--label", "--title", "--body-file"})),
    "issue edit": Command(positional=1, options=frozenset({"--body-file"})),
    "issue close": Command(positional=1, options=frozenset({"--comment"})),
    "label create": Command(positional=1, options=frozenset({"--description"}), switches=frozenset({"--force"})),
    # a tag, and two files
    "release create": Command(
        positional=3, options=frozenset({"--title", "--notes-file"}), switches=frozenset({"--draft", "--verify-tag"})
    ),
    "release edit": Command(positional=1, options=frozenset({"--draft"})),
}


def begin() -> dict[str, Any]:
    return {"issues": {}, "labels": [], "releases": {}}


def serve(call: Call) -> None:
    if not os.environ.get("GH_TOKEN"):
        refuse("To use GitHub CLI in a GitHub Actions workflow, set the GH_TOKEN environment variable.", 4)
    match call.command.split():
        case ["issue", what]:
            _issue(what, call)
        case ["label", _]:
            call.state["labels"].append(call.arguments[0])
        case ["release", "create"]:
            tag, *files = call.arguments
            notes = _text(call.options["--notes-file"])
            names = sorted(Path(name).name for name in files if Path(name).stat().st_size)
            call.state["releases"][tag] = {"draft": "--draft" in call.options, "notes": notes, "files": names}
        case ["release", "edit"]:
            call.wants("--draft", "false")
            call.state["releases"][call.arguments[0]]["draft"] = False


def _issue(what: str, call: Call) -> None:
    issues: dict[str, Any] = call.state["issues"]
    if what == "list":
        call.wants("--json", "number,body")
        call.wants("--jq", MARKED)
        call.wants("--state", "open")
        asked = (call.options.get("--label"), call.options.get("--author"))
        found = [number for number, one in issues.items() if one["open"] and asked == (one["label"], one["author"])]
        shown = found[::-1][: int(call.options["--limit"])]  # the newest first
        numbers = [int(number) for number in shown if issues[number]["body"].startswith(os.environ["MARK"])]
        sys.stdout.write(f"{min(numbers)}\n" if numbers else "")
    elif what == "create":
        if call.options["--label"] not in call.state["labels"]:
            refuse(f"could not add label: '{call.options['--label']}' not found", 1)
        body = _text(call.options["--body-file"])
        made = {"open": True, "label": call.options["--label"], "author": WORKFLOWS, "body": body, "comments": []}
        issues[str(len(issues) + 1)] = made
    elif what == "edit":
        issues[call.arguments[0]]["body"] = _text(call.options["--body-file"])
    else:
        issues[call.arguments[0]]["open"] = False
        issues[call.arguments[0]]["comments"].append(call.options["--comment"])


def _text(path: str) -> str:
    return Path(path).read_text(encoding="utf-8")
