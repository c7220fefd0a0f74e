"""Whatever writes while the command runs, no secret passes; and where the redactor breaks, the run finds it out."""

from __future__ import annotations

import dataclasses
import html
from typing import TYPE_CHECKING

import pytest

from tests.e2e.leaks import findings
from tests.e2e.project import TIMEOUT, command, entry, spec
from tests.support.zygote import COMMAND, usual_environment, zygote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.e2e.project import Project

_START = """
{preparation}
from tooken_ci.cli import main
main()
"""

_NOISY = """
import base64, http.client, json, logging, os, pprint, sys, threading, traceback, urllib.parse, warnings
import click, requests, rich
from tooken_ci.tooken.client import Client

class Falling:
    def __del__(self):
        raise ValueError("falling with " + key)

def boom():
    raise ValueError("boom with " + key)

def noise():
    {noise}

key = os.environ["TOOKEN_API_KEY"]
active = Client.active
def noisy(self, *args, **kwargs):
    noise()
    return active(self, *args, **kwargs)
Client.active = noisy
"""

_BROKEN = """
from tooken_ci.base.redact import Redactor
Redactor.clean = Redactor.finished = lambda self, text, covered=0: text
Redactor.split = lambda self, text, covered=0: (text, "", 0)
"""

NOISES = {
    "print": "print(key)",
    "in pieces": "[sys.stdout.write(char) for char in key]; sys.stdout.flush()",
    "standard error": "sys.stderr.write(base64.b64encode(key.encode()).decode())",
    "click": "click.echo(key, err=True)",
    "rich": "rich.print({'key': key}); rich.inspect(requests.Request('GET', 'http://x', headers={'a': key}))",
    "pprint": "pprint.pprint([key, key.encode().hex()])",
    "logging": "logging.getLogger('other').warning('the key is %s', key)",
    "urllib3": "logging.getLogger('urllib3').setLevel(10); logging.getLogger('urllib3').debug('Bearer %s', key)",
    "warnings": "warnings.simplefilter('always'); warnings.warn('the key is ' + key)",
    "a thread": "thread = threading.Thread(target=boom); thread.start(); thread.join()",
    "a finalizer": "Falling()",
    "a traceback": "\n    try: boom()\n    except ValueError: traceback.print_exc()",
    "an error": "boom()",
    "http.client": "http.client.HTTPConnection.debuglevel = 1",
    "JSON": "print(json.dumps({'key': key + chr(34)}), urllib.parse.quote(key, safe=''))",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Shown:
    code: int
    out: str
    err: str


def _run(project: Project, preparation: str, *arguments: str, env: Mapping[str, str] | None = None) -> _Shown:
    """Runs the command in a process where something else was done before; nothing is searched yet."""
    running = zygote(*COMMAND, environment=usual_environment()).start(
        [*command(), *arguments],
        call="builtins:exec",
        given=[_START.format(preparation=preparation), {"__name__": "__main__"}],
        folder=project.folder,
        environment=project.environment(env),
    )
    out, err = running.communicate(timeout=TIMEOUT)
    return _Shown(code=running.wait(), out=out, err=err)


def _search(project: Project, shown: _Shown) -> None:
    project.scan({"standard output": shown.out.encode(), "standard error": shown.err.encode()})


@pytest.mark.parametrize("debug", [False, True], ids=["plain", "debug"])
@pytest.mark.parametrize("noise", NOISES.values(), ids=NOISES)
def test_whatever_writes(project: Project, noise: str, *, debug: bool) -> None:
    """The key does not show, however a library, a thread or a traceback writes it, at debug level too."""
    project.write(spec({"a": entry("out/a")}))
    arguments = ["--debug", "plan"] if debug else ["plan"]
    shown = _run(project, _NOISY.format(noise=noise), *arguments)
    _search(project, shown)
    assert shown.code == (1 if noise == "boom()" else 0), shown.err
    assert "***" in shown.out + shown.err or (not debug and noise in {"boom()", "Falling()", NOISES["a thread"]})
    assert debug or noise == NOISES["a traceback"] or "Traceback" not in shown.err


def _telling(project: Project) -> None:
    """Writes a spec that names the key, so that all that shows the plan would show it."""
    assert project.key is not None
    project.write(spec({"a": entry(f"out/{project.key}")}))


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        (["plan"], "standard error"),
        (["plan", "--format", "json"], "standard output"),
        (["plan", "--format", "markdown"], "standard output"),
        (["plan", "--out", "saved.plan", "--format", "json"], "saved.plan"),
    ],
    ids=["text", "json", "markdown", "a saved plan"],
)
def test_a_redactor_that_lets_everything_pass(project: Project, arguments: list[str], place: str) -> None:
    """Where the redactor is broken the run fails with 3 and names where the secret shows, but not the secret."""
    _telling(project)
    shown = _run(project, _BROKEN, *arguments, env={"GITHUB_ACTIONS": "true"})
    assert shown.code == 3
    told = shown.err[shown.err.index("Error: The leak check") :]
    assert place in told
    assert "::error title=tooken-ci::The leak check" in told
    assert str(project.key) not in told


def test_a_search_that_fails(project: Project) -> None:
    """What could not be searched is not known to be clean: the run fails with 3, and shortly."""
    project.write(spec({"a": entry("out/a")}))
    shown = _run(project, "from tooken_ci.base import leaks\nleaks.findings = lambda _: 1 / 0", "plan")
    _search(project, shown)
    assert shown.code == 3
    assert "a fault of tooken-ci itself (ZeroDivisionError)" in shown.err
    assert "Traceback" not in shown.err


def test_a_record_that_names_a_secret(project: Project) -> None:
    """A secret in a delivery record is a finding; the same run's delivered secret, where it belongs, is none."""
    written = spec({"a": entry("out/a")}, workspace=str(project.key))
    project.write(written)
    shown = _run(project, "", "apply")
    assert shown.code == 3
    assert "out/a.tooken'" in shown.err
    assert "out/a'" not in shown.err.partition("leak check")[2]
    assert str(project.key) not in shown.out + shown.err


def test_what_the_redactor_masks_is_no_finding(project: Project) -> None:
    """The same plan, masked as it should be, is shown and ends well; the plan that would have to hold it is refused."""
    _telling(project)
    for form in ("text", "json", "markdown"):
        shown = _run(project, "", "plan", "--format", form)
        assert shown.code == 0
        assert list(findings(project.secrets, {"the output": (shown.out + shown.err).encode()})) == []
        assert "***" in html.unescape(shown.out + shown.err)
    shown = _run(project, "", "plan", "--out", "saved.plan")
    assert shown.code == 1
    assert "was not saved" in shown.err
    assert not (project.folder / "saved.plan").exists()


@pytest.mark.parametrize("runner", [{"GITHUB_ACTIONS": "true"}, {"GITLAB_CI": "true", "TOOKEN_CI_ACTION": "1"}])
def test_nothing_is_told_to_whom_did_not_start_it(project: Project, runner: dict[str, str]) -> None:
    """In a step of one's own ('tooken-ci … | tee log') and on GitLab no command that masks is printed."""
    kept = entry("out/a", deliver=[{"file": {"path": "out/a", "persistent": True}}])
    project.write(spec({"a": kept, "b": {"ephemeral": True, **entry("lease"), "expires_in": "1h"}}))
    for arguments in (["apply"], ["lease", "b"]):
        shown = _run(project, "", *arguments, env={**runner, "CI": "true"})
        _search(project, shown)
        assert "add-mask" not in shown.out + shown.err


def test_the_runner_masks_what_later_steps_can_read(project: Project) -> None:
    """In the action a file in the workspace can be read by later steps: its secret is masked before it is told of."""
    workspace = project.folder / "workspace"
    workspace.mkdir()
    project.write(spec({"a": entry("", deliver=[{"file": {"path": "workspace/a", "persistent": True}}])}))
    env = {"CI": "true", "GITHUB_ACTIONS": "true", "TOOKEN_CI_ACTION": "1", "GITHUB_WORKSPACE": str(workspace)}
    process = project.start("apply", env=env)
    ended = project.end(process)
    assert ended.code == 0, ended.err
    secret = project.secret("workspace/a")
    assert f"\n::add-mask::{secret}\n" in ended.err
    assert "add-mask" not in ended.out
    assert ended.err.index("::add-mask::") < ended.err.index("done    create")
