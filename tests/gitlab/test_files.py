"""The component and the examples for GitLab, as GitLab would check them before any job runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.gitlab.component import filled, halves, inputs, refuses, used
from tooken_ci import __version__
from tooken_ci.cli.options import DEFAULT_API_URL
from tooken_ci.spec.model import DEFAULT_WORKSPACE

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples" / "gitlab").glob("[!f]*.yml"))  # tests/examples has those of a fleet
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


def jobs(configuration: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The jobs of a file, with what they extend; the hidden ones too."""
    plain = {"include", "default", "workflow", "variables", "stages"}
    found = {name: job for name, job in configuration.items() if name not in plain}
    return {name: {**found.get(job.get("extends"), {}), **job} for name, job in found.items()}


def every_job() -> list[Any]:
    configurations = {"the component": filled({})}
    configurations |= {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in EXAMPLES}
    return [
        pytest.param(job, id=f"{where}: {name}")
        for where, configuration in configurations.items()
        for name, job in jobs(configuration).items()
        if not name.startswith(".")
    ]


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
    command = [str(program), "--builtin-schema", "vendor.gitlab-ci", *map(str, files)]
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


@pytest.mark.parametrize("name", sorted({*used([lines(job) for job in halves()[1].values()])}))
@pytest.mark.parametrize("value", HOSTILE)
def test_no_input_speaks_to_the_shell(name: str, value: str) -> None:
    """What is filled into a script is bound so that it stays one word of the command that it belongs to."""
    assert refuses(name, value if inputs()[name].get("type") != "boolean" else bool(value)) or name == "comment"


def test_values_of_another_type() -> None:
    """An input takes nothing but its type, and only what it lists."""
    assert refuses("comment", "true")
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
        assert job["artifacts"].get("access", "developer") in {"developer", "maintainer", "none"}
        assert "dotenv" not in job["artifacts"].get("reports", {})
    script = "\n".join(lines(job))
    assert subprocess.run(["sh", "-n"], input=script, text=True, check=False).returncode == 0
    if re.search(r"^tooken-ci (apply|rotate)\b", script, re.MULTILINE):
        assert job["interruptible"] is False
        assert job["resource_group"].startswith("tooken-")
        assert job["rules"]
    if "tooken-ci lease" in script:
        assert "tooken-ci release" in job["after_script"]


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
    for path in EXAMPLES:
        assert f"](../examples/gitlab/{path.name})" in text
