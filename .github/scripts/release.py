#!/usr/bin/env python3
"""Tags a release; .github/workflows/release.yml runs it, with nothing but the runner's own Python and git.

release.py version            prints the version, if it may be released
release.py notes              prints what the changelog says of it
release.py tag IMAGE@DIGEST   makes the tags, and prints them as git push takes them

The commit that a release's tag names is main's with two lines changed, one of action.yml and one of GitLab's component:
users start the image that was built and attested, by its digest, instead of building one, or of looking for OWNER's. No
branch has that commit. It is made of the same parts each time, so that a job that is run again comes to the same one.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

IMAGE = re.compile(r"ghcr\.io/[a-z0-9][a-z0-9._/-]*@sha256:[0-9a-f]{64}")
BUILT = "\n  image: Dockerfile\n"
COMPONENT = "templates/tooken-ci.yml"
WHO = "github-actions[bot]"
MAIL = "41898282+github-actions[bot]@users.noreply.github.com"


def git(*arguments: str, text: str | None = None, env: dict[str, str] | None = None) -> str:
    """What a git command prints."""
    whole = {**os.environ, **(env or {})}
    ended = subprocess.run(["git", *arguments], input=text, env=whole, stdout=subprocess.PIPE, text=True, check=True)
    return ended.stdout.strip()


def version() -> str:
    """The version that the package says it has: three numbers."""
    text = Path("tooken_ci/__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "([0-9]+\.[0-9]+\.[0-9]+)"$', text, re.MULTILINE)
    return found[1] if found else sys.exit("tooken_ci/__init__.py names no version such as 1.2.3.")


def notes() -> str:
    """The part of the changelog that tells of this version."""
    text = Path("CHANGELOG.md").read_text(encoding="utf-8")
    found = re.search(rf"^## \[{re.escape(version())}\][^\n]*\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    told = found[1].strip() if found else ""
    return told or sys.exit(f"CHANGELOG.md tells nothing of {version()}: move there what stands under Unreleased.")


def pinned(image: str) -> str:
    """The commit of the release."""
    if not IMAGE.fullmatch(image):
        sys.exit(f"{image!r} is no image at ghcr.io with its digest.")
    action = git("show", "HEAD:action.yml") + "\n"
    if action.count(BUILT) != 1:
        sys.exit("action.yml does not build its image from the Dockerfile, so there is nothing to pin.")
    component = git("show", f"HEAD:{COMPONENT}") + "\n"
    default = f"\n      default: ghcr.io/OWNER/tooken-ci:{version()}\n"
    if component.count(default) != 1 or component.count("OWNER") != 1:
        sys.exit(f"{COMPONENT} names another default image than OWNER's {version()}, or names it elsewhere too.")
    changed = {
        "action.yml": action.replace(BUILT, f"\n  image: docker://{image}\n"),
        COMPONENT: component.replace(default, f"\n      default: {image}\n"),
    }
    with tempfile.TemporaryDirectory() as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder, "index"))}
        git("read-tree", "HEAD", env=index)
        for name, text in changed.items():
            blob = git("hash-object", "-w", "--stdin", text=text)
            git("update-index", "--cacheinfo", f"100644,{blob},{name}", env=index)
        tree = git("write-tree", env=index)
    date = git("show", "--no-patch", "--format=%cI", "HEAD")
    who = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER")
           for what, value in (("NAME", WHO), ("EMAIL", MAIL), ("DATE", date))}  # fmt: skip
    return git("commit-tree", tree, "-p", "HEAD", "-m", f"release: {version()}", env=who)


def tag(image: str) -> list[str]:
    """Make the tags: the release's own, which never moves, and the major version's, which names the newest release."""
    commit, own = pinned(image), f"v{version()}"
    known = set(git("tag", "--list", "v*").split())
    if own in known and git("rev-parse", f"{own}^{{commit}}") != commit:
        sys.exit(f"{own} is another commit already: raise the version.")
    git("tag", "--force", own, commit)
    major = own.partition(".")[0]
    newest = max([own, *(name for name in known if _numbers(name)[:1] == _numbers(own)[:1])], key=_numbers)
    if newest != own:
        return [f"refs/tags/{own}"]
    git("tag", "--force", major, commit)
    return [f"refs/tags/{own}", f"+refs/tags/{major}"]


def _numbers(name: str) -> tuple[int, ...]:
    """The three numbers of a release's tag; of any other nothing."""
    found = re.fullmatch(r"v([0-9]+)\.([0-9]+)\.([0-9]+)", name)
    return tuple(map(int, found.groups())) if found else ()


def main(arguments: list[str]) -> None:
    """Do what the arguments say."""
    match arguments:
        case ["version"]:
            notes()
            lines = [version()]
        case ["notes"]:
            lines = [notes()]
        case ["tag", image]:
            lines = tag(image)
        case _:
            sys.exit(__doc__)
    sys.stdout.write("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    main(sys.argv[1:])
