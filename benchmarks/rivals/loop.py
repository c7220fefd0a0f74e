"""Makes the tokens that names.txt lists and that are missing, with requests, one call after another.

With --dry-run it only tells which are missing.
"""

from __future__ import annotations

import datetime as dt
import os
import sys
from pathlib import Path

import requests

TIMEOUT = 30
LIFE = dt.timedelta(days=90)


def main() -> None:
    """Lists, compares, creates."""
    url = os.environ["TOOKEN_API_URL"] + "/tokens"
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {os.environ['TOOKEN_API_KEY']}"
    active = listed(session, url)
    missing = [name for name in Path("names.txt").read_text(encoding="utf-8").splitlines() if name not in active]
    if "--dry-run" in sys.argv:
        sys.stdout.writelines(f"{name}\n" for name in missing)
        return
    os.umask(0o077)
    folder = Path("secrets")
    folder.mkdir(exist_ok=True)
    expires_at = (dt.datetime.now(dt.UTC) + LIFE).isoformat(timespec="seconds")
    for name in missing:
        wanted = {"name": name, "scopes": ["tokens:read"], "expires_at": expires_at}
        reply = session.post(url, json=wanted, timeout=TIMEOUT)
        reply.raise_for_status()
        (folder / name).write_text(reply.json()["token"], encoding="utf-8")


def listed(session: requests.Session, url: str) -> set[str]:
    """The names of all active tokens, page after page."""
    names: set[str] = set()
    page, pages = 1, 1
    while page <= pages:
        query: dict[str, str | int] = {"status": "active", "per_page": 100, "page": page}
        reply = session.get(url, params=query, timeout=TIMEOUT)
        reply.raise_for_status()
        listing = reply.json()
        names.update(token["name"] for token in listing["data"])
        pages = -(-listing["meta"]["total"] // 100)
        page += 1
    return names


if __name__ == "__main__":
    main()
