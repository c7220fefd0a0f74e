"""Runs the sandbox alone, as ``python -m tooken_ci.sandbox``."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from tooken_ci.sandbox.server import serve
from tooken_ci.sandbox.settings import API_KEY_VARIABLE, MEMORY, SandboxConfigError, SandboxSettings, generate_api_key

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the options and serves."""
    parser = argparse.ArgumentParser(prog="python -m tooken_ci.sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--db", default=MEMORY)
    parser.add_argument("--api-key", default=os.environ.get(API_KEY_VARIABLE) or generate_api_key())
    parser.add_argument("--limit", type=int, default=1000)
    parser.add_argument("--window", type=int, default=60)
    parser.add_argument("--revoked-names", choices=("reserved", "free"), default="reserved")
    parser.add_argument("--faults", type=Path)
    parser.add_argument("--latency-ms", type=int, default=0)
    parser.add_argument("--seed")
    try:
        serve(SandboxSettings(**vars(parser.parse_args(arguments))))
    except SandboxConfigError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
