"""What the vendors' JSON Schemas, which check-jsonschema brings along, say of an example; nothing is fetched."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

from jsonschema import Draft7Validator


@cache
def _validator(vendor: str) -> Draft7Validator:
    text = resources.files("check_jsonschema").joinpath(f"builtin_schemas/vendor/{vendor}.json").read_text("utf-8")
    return Draft7Validator(json.loads(text))


def faults(vendor: str, data: Any) -> list[str]:
    """What is wrong with it, each with its place."""
    return [f"{error.json_path}: {error.message}" for error in _validator(vendor).iter_errors(data)]
