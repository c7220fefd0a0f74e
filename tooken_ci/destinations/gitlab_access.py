"""Where GitLab is, who we are there, and whom we trust to say so: all from the conventional variables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tooken_ci.base.address import unfit
from tooken_ci.base.errors import DestinationError
from tooken_ci.base.redact import MINIMUM
from tooken_ci.base.secret import Secret
from tooken_ci.base.text import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

WHICH_CREDENTIAL = (
    "Set GITLAB_TOKEN to a project access token with the scope api and the role Maintainer; for variables of a group, "
    "to a group access token with the role Owner; for those of an instance, to an administrator's."
)
WHICH_AUTHORITY = "Name the file of its certificate authority in CI_SERVER_TLS_CA_FILE or REQUESTS_CA_BUNDLE."
WHICH_ADDRESS = (
    "See whether GITLAB_URL or CI_SERVER_URL is the address of a GitLab, and whether it can be reached from here."
)


def token(environment: Mapping[str, str]) -> Secret:
    """The credential.

    Raises:
        DestinationError: there is none, or what there is cannot be one.
    """
    value = environment.get("GITLAB_TOKEN", "").strip()
    if not value:
        job = "CI_JOB_TOKEN" in environment
        limits = ", and the CI_JOB_TOKEN that each job has may neither read nor write variables" if job else ""
        raise DestinationError(f"GITLAB_TOKEN is not set{limits}.", hint=WHICH_CREDENTIAL)
    if len(value) < MINIMUM or not (value.isascii() and value.isprintable()) or " " in value:
        raise DestinationError(
            f"What GITLAB_TOKEN holds cannot be a token: {len(value)} characters, or some that no token has.",
            hint="Copy it again, as one line.",
        )
    return Secret(value)


def address(environment: Mapping[str, str]) -> str:
    """Where GitLab is.

    Raises:
        DestinationError: the variable does not hold an address to which a credential may be sent.
    """
    variable = next((name for name in ("GITLAB_URL", "CI_SERVER_URL") if environment.get(name)), "")
    if not variable:
        return "https://gitlab.com"
    url = environment[variable]
    if wrong := unfit(variable, url):
        hint = "Give the https address of a GitLab, such as https://gitlab.example.com; plain http is for this machine."
        raise DestinationError(wrong, hint=hint)
    return url.rstrip("/")


def authority(environment: Mapping[str, str]) -> bool | str:
    """The file of the certificate authority; True = those that the system trusts.

    Raises:
        DestinationError: there is no such file.
    """
    variables = ["REQUESTS_CA_BUNDLE", *([] if environment.get("GITLAB_URL") else ["CI_SERVER_TLS_CA_FILE"])]
    variable = next((name for name in variables if environment.get(name)), "")
    if not variable:
        return True
    path = environment[variable]
    if not Path(path).exists():
        raise DestinationError(f"{variable} names {quoted(path)}, which does not exist.", hint=WHICH_AUTHORITY)
    return path
