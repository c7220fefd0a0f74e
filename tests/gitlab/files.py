"""What GitLab makes of a file before any job runs: jobs with what they extend, and whether a pipeline has them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_PLAIN = {"include", "default", "workflow", "variables", "stages"}
_INHERITED = ("image", "before_script", "after_script", "artifacts", "interruptible")
_CLAUSE = re.compile(r"""\$(\w+)\s*(==|=~)\s*(?:\$(\w+)|"([^"]*)"|/(.*)/)""")


class _Reference(tuple[str, ...]):
    """What stands behind ``!reference``."""

    __slots__ = ()


class _Loader(yaml.SafeLoader):
    """Knows the one tag that GitLab has."""


def _reference(loader: yaml.SafeLoader, node: yaml.Node) -> _Reference:
    assert isinstance(node, yaml.SequenceNode)
    return _Reference(loader.construct_sequence(node))


_Loader.add_constructor("!reference", _reference)


def read(path: Path) -> dict[str, Any]:
    """A file, in which each reference is what it names."""
    data: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506  # a safe one and a tag
    resolved: dict[str, Any] = _resolved(data, data)
    return resolved


def _resolved(node: Any, top: Any) -> Any:
    if isinstance(node, _Reference):
        found = top
        for part in node:
            found = found[part]
        return found
    if isinstance(node, dict):
        return {key: _resolved(value, top) for key, value in node.items()}
    return [_resolved(one, top) for one in node] if isinstance(node, list) else node


def jobs(configuration: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The jobs of a file, with what they extend and what is the default for all; the hidden ones too."""
    found = {name: job for name, job in configuration.items() if name not in _PLAIN}
    default = {key: value for key, value in configuration.get("default", {}).items() if key in _INHERITED}
    # a job's own value replaces a default as a whole; what it extends is merged at any depth
    return {name: {**default, **_extended(job, found)} for name, job in found.items()}


def _extended(job: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    bases = job.get("extends", [])
    made: dict[str, Any] = {}
    for base in [bases] if isinstance(bases, str) else bases:
        made = _merged(made, _extended(found[base], found))
    return _merged(made, job)


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    both = {key: _merged(below[key], value) for key, value in above.items() if _are_maps(below.get(key), value)}
    return {**below, **above, **both}


def _are_maps(*values: Any) -> bool:
    return all(isinstance(value, dict) for value in values)


def runs(job: Mapping[str, Any], pipeline: Mapping[str, str]) -> bool:
    """Whether a pipeline with these variables has the job, by its rules."""
    if "rules" not in job:
        return True
    fits = (rule for rule in job["rules"] if _holds(rule["if"], pipeline))
    return next(fits, {"when": "never"}).get("when") != "never"


def _holds(condition: str, pipeline: Mapping[str, str]) -> bool:
    clauses = [_CLAUSE.fullmatch(part.strip()) for part in condition.split("&&")]
    return all(_true(clause, condition, pipeline) for clause in clauses)


def _true(clause: re.Match[str] | None, condition: str, pipeline: Mapping[str, str]) -> bool:
    assert clause is not None, condition
    name, operator, other, text, pattern = clause.groups()
    value = pipeline.get(name, "")
    if operator == "=~":
        return re.search(pattern, value) is not None
    return value == (pipeline.get(other, "") if other else text)
