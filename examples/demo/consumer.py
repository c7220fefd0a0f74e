#!/usr/bin/env python3
"""What a program does with its token: read the delivered file, call the API with it. The secret is never shown."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import requests


def main() -> None:
    """Call the API with the secret in the file that is named on the command line, and say what it answers."""
    path = Path(sys.argv[1])
    response = requests.get(
        f"{os.environ['TOOKEN_API_URL']}/tokens",
        headers={"Authorization": f"Bearer {path.read_text(encoding='utf-8').strip()}"},
        timeout=10,
    )
    sys.stdout.write(f"The API answers the secret in {path} with {response.status_code} {response.reason}.\n")
    sys.exit(not response.ok)


if __name__ == "__main__":
    main()
