"""What git knows of a checkout: which files changed since a commit."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from tooken_ci.base.children import RunOverError, children
from tooken_ci.base.errors import RunnerError, UsageError
from tooken_ci.base.text import quoted, safe

if TYPE_CHECKING:
    from collections.abc import Mapping

SECONDS = 60.0
"""How long one call may take: none of them asks the network, unless the clone is one that fetches as it goes."""

_NO_COMMIT = re.compile(r"(0{40}|0{64})?")
"""What GitHub and GitLab give as the commit before where there is none, such as for a new branch or a schedule."""

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")

_PASSED_ON = ("PATH", "HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_")
"""What git gets of the environment, by the beginnings of names: no key, and nothing that names another repository."""

_DEPTH = "A shallow clone lacks it: set 'fetch-depth: 0' for actions/checkout, or GIT_DEPTH: \"0\" in GitLab."


def changed_since(ref: str, folder: str, environ: Mapping[str, str]) -> frozenset[str] | None:
    """The files that differ between HEAD and where it parted from a commit, as real, absolute paths.

    A file that was moved counts at both places. What is not committed is not looked at.

    Args:
        ref: names the commit; it may come from a stranger.
        folder: lies in the checkout.
        environ: of the process.

    Returns:
        The files; None where the name stands for no commit at all, so that everything is new.

    Raises:
        UsageError: git does not know the commit, or what it has to do with HEAD, or the folder is in no checkout.
        RunnerError: git could not be run.
    """
    if _NO_COMMIT.fullmatch(ref):
        return None
    if ref.startswith("-") or not ref.isprintable():
        raise UsageError(f"{quoted(ref)} names no commit.", hint="Give --changed-since a branch, a tag or a commit.")
    git = _Git(folder, environ)
    top = git.line("rev-parse", "--show-toplevel")
    if top is None:
        raise UsageError(f"--changed-since needs a checkout of git at {quoted(folder)}: {git.complaint}")
    commit = git.line("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
    if commit is None or not _COMMIT.fullmatch(commit):  # such as ^main: all but what main has
        raise UsageError(f"git does not know the commit {quoted(ref)}.", hint=_DEPTH)
    base = git.line("merge-base", commit, "HEAD")
    if base is None:
        raise UsageError(f"git knows no common past of HEAD and {quoted(ref)}.", hint=_DEPTH)
    # what is meant for programs: neither the user's settings nor the repository's change what it prints
    listed = git.run("diff-tree", "-r", "-z", "--name-only", "--no-renames", base, "HEAD")
    if listed is None:
        raise RunnerError(f"git could not compare {quoted(ref)} with HEAD: {git.complaint}")
    return frozenset(os.path.join(top, os.fsdecode(name)) for name in listed.split(b"\0") if name)  # noqa: PTH118


class _Git:
    """Runs git in a folder.

    Attributes:
        complaint: what the last call said, where it failed.
    """

    def __init__(self, folder: str, environ: Mapping[str, str]) -> None:
        self._folder = folder
        kept = {name: value for name, value in environ.items() if name.startswith(_PASSED_ON)}
        self._environment = {**kept, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}
        self.complaint = ""

    def line(self, *arguments: str) -> str | None:
        """The one line that a call prints; None where it fails."""
        printed = self.run(*arguments)
        return None if printed is None else os.fsdecode(printed.removesuffix(b"\n"))

    def run(self, *arguments: str) -> bytes | None:
        """What a call prints; None where it fails."""
        try:
            process = children.start(lambda: self._begin(arguments))
        except (OSError, RunOverError) as error:
            raise RunnerError(
                f"git could not be started: {getattr(error, 'strerror', None) or error}.",
                hint="--changed-since needs git, and a checkout; without the option all workspaces are listed.",
            ) from None
        with process:
            try:
                out, err = process.communicate(timeout=SECONDS)
            except subprocess.TimeoutExpired:
                raise RunnerError(f"git took longer than {SECONDS:.0f} s and was stopped.") from None
            finally:
                with contextlib.suppress(ProcessLookupError, PermissionError):  # it has ended, with all that it started
                    os.killpg(process.pid, signal.SIGKILL)
                children.ended(process)
        said = err.decode(errors="replace").strip().splitlines()
        self.complaint = safe(said[0]) if said else f"it ended with exit code {process.returncode}."
        return out if process.returncode == 0 else None

    def _begin(self, arguments: tuple[str, ...]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603  # nosec B603, B607  # git alone, without a shell, of the user's PATH
            ["git", *arguments],  # noqa: S607
            cwd=Path(self._folder),
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
