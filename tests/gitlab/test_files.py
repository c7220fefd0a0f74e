"""The component and the examples for GitLab, as GitLab would check them before any job runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.gitlab.component import filled, halves, inputs, refuses, used
from tests.gitlab.files import jobs, read, runs
from tooken_ci import __version__
from tooken_ci.cli.options import DEFAULT_API_URL
from tooken_ci.spec.model import DEFAULT_WORKSPACE

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples" / "gitlab").glob("*.yml"))
HOSTILE = ['a"b', "$(id)", "${PATH}", "`id`", "a\nb", "a\\b", "a;b", "a'b", "a&&b", "a|b"]
OTHERS: dict[str, Any] = {
    "workspace": "staging 2",
    "spec": "tokens/",
    "image": "python:3.13-slim",
    "install": "tooken-ci[all]==0.1.0",
    "apply": "manual",
    "rotate": "never",
    "comment": True,
}


CONFIGURATIONS = {"the component": filled({}), **{path.stem: read(path) for path in EXAMPLES}}
"""Every file; that of the component as it is included without inputs."""


def every_job() -> list[Any]:
    """All jobs; those whose names begin with a dot too, from which a fleet makes its own."""
    return [
        pytest.param(job, id=f"{where}: {name}")
        for where, configuration in CONFIGURATIONS.items()
        for name, job in jobs(configuration).items()
    ]


def changes(job: dict[str, Any]) -> bool:
    """Whether it applies or rotates; a job of a fleet may."""
    return bool(re.search(r"^tooken-ci (apply\b|rotate\b|\"\$COMMAND\")", "\n".join(lines(job)), re.MULTILINE))


def lines(job: dict[str, Any]) -> list[str]:
    return [line for part in ("before_script", "script", "after_script") for line in job.get(part, [])]


def test_gitlabs_own_schema(tmp_path: Path) -> None:
    """Every file is valid by GitLab's schema, the component as the header and as what two sets of inputs make of it."""
    header, _ = halves()
    for name, data in {"header": header, "defaults": filled({}), "others": filled(OTHERS)}.items():
        (tmp_path / f"{name}.yml").write_text(yaml.safe_dump(data), encoding="utf-8")
    program = Path(sys.executable).parent / "check-jsonschema"
    files = [*tmp_path.glob("*.yml"), *EXAMPLES]
    assert len(files) >= 9
    options = ["--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"]
    command = [str(program), *options, *map(str, files)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_every_input_is_used() -> None:
    """What the configuration is filled with is what the header declares, each told what it is for, with a default."""
    _, configuration = halves()
    assert set(used(configuration)) == set(inputs())
    for name, rule in inputs().items():
        assert rule["description"].endswith("."), name
        assert refuses(name, rule["default"]) == "", name
        pattern = rule.get("regex", "^$")
        assert pattern.startswith("^"), name
        assert pattern.endswith("$"), name


def test_defaults_are_those_of_the_command() -> None:
    """Whoever leaves an input out gets what the command does by itself, in the image of this version."""
    defaults = {name: rule["default"] for name, rule in inputs().items()}
    assert defaults["workspace"] == DEFAULT_WORKSPACE
    assert defaults["api-url"] == DEFAULT_API_URL
    assert defaults["spec"] == "tooken.yml"
    assert defaults["deadline"] == "30m"
    assert defaults["image"].endswith(f":{__version__}")


TYPED = {name for name, rule in inputs().items() if rule.get("type") == "boolean"}
"""They take no text at all; ``test_values_of_another_type`` shows it."""


@pytest.mark.parametrize("name", sorted({*used([lines(job) for job in halves()[1].values()])} - TYPED))
@pytest.mark.parametrize("value", HOSTILE)
def test_no_input_speaks_to_the_shell(name: str, value: str) -> None:
    """What is filled into a script is bound so that it stays one word of the command that it belongs to."""
    assert refuses(name, value)


def test_values_of_another_type() -> None:
    """An input takes nothing but its type, and only what it lists."""
    assert TYPED
    assert all(refuses(name, value) for name in TYPED for value in ("true", *HOSTILE))
    assert refuses("spec", 5)
    assert refuses("apply", "always")


def test_a_comment_when_asked() -> None:
    """The plan is told whether to write a note, and with which token; a variable of GitLab's takes no boolean."""
    for wanted, told in ((True, "true"), (False, "false")):
        plan = filled({"comment": wanted, "comment-token": "NOTES"})["tooken-plan-default"]
        assert f'TOOKEN_COMMENT="{told}"' in plan["script"][0]
        assert '"${NOTES:-}"' in plan["script"][0]


@pytest.mark.parametrize("job", every_job())
def test_a_job(job: dict[str, Any]) -> None:
    """No secret stands in its variables, no artifact is public; what changes tokens is neither cut off nor doubled."""
    assert not {"only", "except"} & set(job)
    names = {name for name in job.get("variables", {}) if re.search(r"KEY|TOKEN|SECRET|PASSWORD", name)}
    assert not names
    if "artifacts" in job:
        assert job["artifacts"]["access"] in {"developer", "maintainer", "none"}  # without it, they may be public
        assert "dotenv" not in job["artifacts"].get("reports", {})
    script = "\n".join(lines(job))
    assert subprocess.run(["sh", "-n"], input=script, text=True, check=False).returncode == 0
    if changes(job):
        assert job["interruptible"] is False
        assert job["resource_group"].startswith("tooken-")
        assert job["rules"]
    if "tooken-ci lease" in script:
        assert "tooken-ci release" in job["after_script"]


def test_what_a_schedule_does() -> None:
    """One file alone rotates on a schedule beside others; the component and a fleet do it for those who use these."""
    pipeline = {"CI_PIPELINE_SOURCE": "schedule", "CI_COMMIT_BRANCH": "main", "CI_DEFAULT_BRANCH": "main"}
    acting = {
        (where, name)
        for where, configuration in CONFIGURATIONS.items()
        for name, job in jobs(configuration).items()
        if (changes(job) or "trigger" in job) and not name.startswith(".") and runs(job, pipeline)
    }
    meant = {("rotate-on-schedule", "rotate"), ("the component", "tooken-rotate-default"), ("fleet", "run")}
    assert acting == meant
    pipeline["CI_PIPELINE_SOURCE"] = "push"
    pushed = {where for where, found in CONFIGURATIONS.items() for job in jobs(found).values() if runs(job, pipeline)}
    assert pushed >= {"plan-and-apply", "rotate-before-deploy", "vault", "the component", "fleet"}
    assert "rotate-on-schedule" not in pushed


def test_pip_gets_no_key(tmp_path: Path) -> None:
    """What the component installs is run without any of the keys that the job has, whatever their names."""
    given = {"key": "WRITE_KEY", "plan-key": "READ_KEY", "comment-token": "NOTES", "install": "tooken-ci[all]==0.1.0"}
    (tmp_path / "python3").write_text('#!/bin/sh\necho "$@"\nenv\n', encoding="utf-8")
    (tmp_path / "python3").chmod(0o755)
    secrets = {given[name]: "tok_live_plainly_fake" for name in ("key", "plan-key", "comment-token")}
    script = "\n".join(filled(given)[".tooken-ci-default"]["before_script"])
    ended = subprocess.run(
        ["sh", "-e"],
        input=script,
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "KEPT": "kept", **secrets},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "tooken-ci[all]==0.1.0" in ended.stdout
    assert "KEPT=kept" in ended.stdout
    assert "tok_live_plainly_fake" not in ended.stdout


def test_the_artifacts_of_the_component() -> None:
    """Each job keeps its report for developers alone, and on failure too; a plan has both of GitLab's reports."""
    made = filled({"workspace": "production"})
    common = made[".tooken-ci-production"]["artifacts"]
    assert common["access"] == "developer"
    assert common["when"] == "always"
    assert set(made["tooken-plan-production"]["artifacts"]["reports"]) == {"terraform", "codequality"}
    for name in ("tooken-apply-production", "tooken-rotate-production"):
        assert set(made[name]["artifacts"]["reports"]) == {"codequality"}
        assert made[name]["resource_group"] == "tooken-production"


def test_one_workspace_beside_another() -> None:
    """The component can be included for several workspaces: no two of them share a name, hidden or not."""
    assert not set(filled({"workspace": "one"})) & set(filled({"workspace": "two"}))


def test_the_documents_show_the_include() -> None:
    """The six lines that README and docs/ci.md show are those of the example, which is run, and give inputs it has."""
    example = (ROOT / "examples" / "gitlab" / "component.yml").read_text(encoding="utf-8")
    shown = "".join(line for line in example.splitlines(keepends=True) if not line.startswith("#"))
    assert len(shown.splitlines()) == 6
    for document in ("README.md", "docs/ci.md"):
        assert f"```yaml\n{shown}```" in (ROOT / document).read_text(encoding="utf-8")
    (include,) = yaml.safe_load(shown)["include"]
    assert include["component"].endswith(f"/OWNER/tooken-ci/tooken-ci@v{__version__}")
    assert filled(include["inputs"])


def test_the_documents_name_every_input_and_example() -> None:
    """The table in docs/ci.md is that of the component, defaults included, and no example is left out."""
    text = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8").split("\n## At GitLab\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `([a-z-]+)` \| (?:`(.*?)`)? *\|", text, re.MULTILINE)
    assert dict(rows) == {
        name: str(rule["default"]).lower() if isinstance(rule["default"], bool) else rule["default"]
        for name, rule in inputs().items()
    }
    everything = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    for path in EXAMPLES:  # those of a fleet stand with the fleets
        assert f"](../examples/gitlab/{path.name})" in (everything if path.stem.startswith("fleet") else text)
