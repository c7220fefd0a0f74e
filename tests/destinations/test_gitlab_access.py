"""Who we are at GitLab, where it is, and what it lets us do: each lack is told with its remedy, before any token."""

from __future__ import annotations

import datetime as dt
import ipaddress
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.destinations.gitlab_support import KEY, NOTE, SHOP, Place
from tests.destinations.support import HERE, SECRET, mark, record
from tests.support.gitlab import ADMIN, READER, TOKEN, FakeGitLab, Fault
from tooken_ci.base.errors import DestinationError
from tooken_ci.base.record import State
from tooken_ci.base.redact import redactor
from tooken_ci.destinations.gitlab_access import address, authority
from tooken_ci.destinations.gitlab_variable import GitLabVariableKind
from tooken_ci.destinations.interface import Surroundings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tooken_ci.destinations.gitlab_store import GitLabDestination


@pytest.fixture
def fake() -> Iterator[FakeGitLab]:
    """Gives a GitLab of its own."""
    with FakeGitLab() as running:
        yield running


def opened(environment: Mapping[str, str], settings: Mapping[str, Any] = SHOP) -> GitLabDestination:
    of = GitLabVariableKind(Surroundings(environment=environment))
    return of.open(of.parse(settings, HERE))


def failure(destination: GitLabDestination) -> DestinationError:
    """Why it cannot be written."""
    with pytest.raises(DestinationError) as caught:
        destination.check()
    return caught.value


@pytest.mark.parametrize("token", [None, "", "  \n"])
def test_no_credential(token: str | None) -> None:
    """Without a credential nothing is asked; the job's own token is no help, and the error says what is."""
    environment = {} if token is None else {"GITLAB_TOKEN": token}
    error = failure(opened(environment))
    assert error.message == "GITLAB_TOKEN is not set."
    assert "project access token with the scope api and the role Maintainer" in error.hint
    look = opened({**environment, "CI_JOB_TOKEN": "glcbt-fake-0123456789"}).look()
    assert look.state is State.UNKNOWN
    assert "CI_JOB_TOKEN that each job has may neither read nor write variables" in look.reason


@pytest.mark.parametrize("token", ["short", "glpat-fake with a space", "glpat-fäke-0123456", "glpat-fake\nsecond-line"])
def test_a_credential_that_cannot_be_one(token: str) -> None:
    """What no token looks like is not sent anywhere, nor shown."""
    error = failure(opened({"GITLAB_TOKEN": token}))
    assert "cannot be a token" in error.message
    assert token not in str(error)


def test_the_credential_is_known_to_the_redactor(fake: FakeGitLab) -> None:
    """From the first request on no output can show it."""
    Place(fake, fake.project()).open().look()
    assert redactor.clean(f"it is {TOKEN}") == "it is ***"


def test_a_wrong_credential(fake: FakeGitLab) -> None:
    """A credential that GitLab does not know is told as that."""
    fake.project()
    error = failure(Place(fake, fake.project()).open(token="glpat-fake-of-nobody"))
    assert "does not accept GITLAB_TOKEN (401, 401 Unauthorized)" in error.message
    assert "glpat-fake-of-nobody" not in str(error)


def test_a_credential_that_reads_only(fake: FakeGitLab) -> None:
    """With read_api a plan can look, and a check says before any token is made that nothing can be written."""
    place = Place(fake, fake.project())
    place.deliver()
    assert place.open(token=READER).look().state is State.HOLDS
    error = failure(place.open(token=READER))
    assert error.message == "GITLAB_TOKEN has the scope read_api, which does not let it write variables."
    with pytest.raises(DestinationError, match="lacks a scope") as caught:
        place.open(token=READER).write_record(record(marks=(mark(),)))
    assert caught.value.surely_refused


def test_scopes_that_are_not_told(fake: FakeGitLab) -> None:
    """Where GitLab does not tell a token's scopes it is not judged by them; they are asked for once in a run."""
    fake.faults = [Fault("GET", "personal_access_tokens", status=404, body="{}")]
    of = GitLabVariableKind(Surroundings(environment=fake.environment()))
    fake.project()
    for name in (KEY, "TOOKEN_B"):
        of.open(of.parse({**SHOP, "name": name}, HERE)).check()
    assert len([path for _, path, _ in fake.requests if "personal" in path]) == 1


@pytest.mark.parametrize(("changes", "why"), [({"level": 30}, "access level 30"), ({"archived": True}, "archived")])
def test_no_permission(fake: FakeGitLab, changes: dict[str, Any], why: str) -> None:
    """A role that does not suffice is told with the one that does, and an archived project as archived."""
    place = Place(fake, fake.project(**changes))
    error = failure(place.open())
    assert "403 Forbidden" in error.message
    assert why in error.message
    assert "the role Maintainer in project acme/shop" in error.hint
    assert place.look().state is State.UNKNOWN


def test_no_permission_in_a_group(fake: FakeGitLab) -> None:
    """Variables of a group take another role."""
    place = Place(fake, fake.group(level=40), {"group": "acme", "name": KEY})
    assert "the role Owner in group acme" in failure(place.open()).hint


def test_no_permission_in_the_instance(fake: FakeGitLab) -> None:
    """Variables of an instance take an administrator."""
    place = Place(fake, fake.instance, {"instance": True, "name": KEY})
    assert "administrator" in failure(place.open()).hint
    place.open(token=ADMIN).check()


@pytest.mark.parametrize("level", [0, None])
def test_a_missing_project(fake: FakeGitLab, level: int | None) -> None:
    """A project that is not there, or that the credential may not see, is not taken for one without the variable."""
    if level is not None:
        fake.project(level=level)
    destination = opened(fake.environment())
    look = destination.look()
    assert (look.state, look.empty) == (State.UNKNOWN, False)
    assert "GitLab finds no project acme/shop, or GITLAB_TOKEN may not see it (404 Project Not Found)" in look.reason
    assert "Maintainer" in failure(destination).hint


def test_a_renamed_project(fake: FakeGitLab) -> None:
    """GitLab redirects from an old path; that is not followed, and the error says what to do."""
    fake.project(moved_to="7")
    error = failure(opened(fake.environment()))
    assert "redirect" in error.message
    assert "renamed" in error.hint


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "https://gitlab.com"),
        ({"CI_SERVER_URL": "https://gitlab.example.com/"}, "https://gitlab.example.com"),
        ({"CI_SERVER_URL": "https://a.example", "GITLAB_URL": "https://b.example/git"}, "https://b.example/git"),
        ({"CI_SERVER_URL": "", "GITLAB_URL": ""}, "https://gitlab.com"),
        ({"GITLAB_URL": "http://localhost:8080"}, "http://localhost:8080"),
    ],
)
def test_addresses(environment: dict[str, str], expected: str) -> None:
    """The address is what GITLAB_URL says, or the GitLab whose job this is, or gitlab.com."""
    assert address(environment) == expected


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://gitlab.example.com", "plain http"),
        ("https://oauth2:glpat-fake-0123@gitlab.example.com", "carries credentials"),
        ("ftp://gitlab.example.com", r"is not an http\(s\) address"),
        ("gitlab.example.com", r"is not an http\(s\) address"),
        ("https://", r"is not an http\(s\) address"),
        ("https://gitlab.example.com/?private_token=glpat-fake-0123", r"is not an http\(s\) address"),
        ("https:/oauth2:glpat-fake-0123@gitlab.example.com", r"is not an http\(s\) address"),
        ("https://gitlab.example.com:port", r"is not an http\(s\) address"),
    ],
)
def test_bad_addresses(url: str, why: str) -> None:
    """An address to which no credential may be sent is refused, and one with a credential in it is not shown."""
    with pytest.raises(DestinationError, match=why) as caught:
        address({"GITLAB_URL": url})
    assert "glpat" not in str(caught.value)
    assert opened({"GITLAB_TOKEN": TOKEN, "GITLAB_URL": url}).look().state is State.UNKNOWN


def test_authorities(tmp_path: Path) -> None:
    """The job's own authority counts for the job's own GitLab; REQUESTS_CA_BUNDLE for any."""
    of_job, of_all = tmp_path / "job.pem", tmp_path / "all.pem"
    of_job.touch()
    of_all.touch()
    job = {"CI_SERVER_TLS_CA_FILE": str(of_job)}
    assert authority({}) is True
    assert authority(job) == str(of_job)
    assert authority({**job, "GITLAB_URL": "https://b.example"}) is True
    assert authority({**job, "REQUESTS_CA_BUNDLE": str(of_all)}) == str(of_all)
    with pytest.raises(DestinationError, match="does not exist"):
        authority({"REQUESTS_CA_BUNDLE": str(tmp_path / "gone.pem")})


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Gives a certificate for this machine that nobody trusts yet, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "gitlab of a test")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    unlocked = serialization.NoEncryption()
    kept = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, unlocked)
    path = tmp_path_factory.mktemp("tls") / "gitlab.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + kept)
    return path


def test_an_authority_of_ones_own(certificate: Path) -> None:
    """A certificate that nobody vouches for is refused before anything is sent; the variable that names it helps."""
    with FakeGitLab(certificate) as fake:
        place = Place(fake, fake.project())
        error = failure(place.open())
        assert "is not trusted" in error.message
        assert "CI_SERVER_TLS_CA_FILE" in error.hint
        assert error.surely_refused
        assert fake.requests == []
        place.open(CI_SERVER_TLS_CA_FILE=str(certificate)).check()


def test_what_no_request_can_be_made_of(fake: FakeGitLab) -> None:
    """An address of which no request can be made is told as that."""
    error = failure(opened({"GITLAB_TOKEN": TOKEN, "GITLAB_URL": "https://.example.invalid"}))
    assert "no request can be sent" in error.message
    assert error.surely_refused


def test_a_look_never_shows_a_value(fake: FakeGitLab) -> None:
    """What GitLab says is shown as harmless text, whatever it sends."""
    place = Place(fake, fake.project())
    place.deliver()
    said = '{"message":"::error::' + SECRET + '\\u001b[31m"}'
    fake.faults = [Fault("GET", status=400, body=said, times=99)]
    reason = redactor.clean(place.look().reason)
    assert SECRET not in reason
    assert "\x1b" not in reason
    assert NOTE not in reason
