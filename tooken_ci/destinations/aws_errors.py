"""What botocore's exceptions mean: whether AWS surely did nothing, whether to ask again, and what a person can do."""

from __future__ import annotations

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoRegionError,
    ParamValidationError,
    ProfileNotFound,
    ProxyConnectionError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError

from tooken_ci.base.errors import DestinationError
from tooken_ci.base.text import quoted, safe
from tooken_ci.destinations.timing import asked

FAILURES = (ClientError, BotoCoreError, ResponseParserError)
"""All that a call of botocore's raises."""

_NOT_SENT = (EndpointConnectionError, ConnectTimeoutError, ProxyConnectionError)
_THROTTLED = {
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "Throttling",
    "ThrottledException",
    "ThrottlingException",
    "TooManyRequestsException",
}
_CREDENTIALS = "Check the credentials that AWS_PROFILE, AWS_ACCESS_KEY_ID or the runner's role give."
_HINTS = {
    "DecryptionFailure": "Allow kms:Decrypt on the secret's KMS key, and see that the key is enabled.",
    "EncryptionFailure": "Allow kms:GenerateDataKey on the secret's KMS key, and see that the key is enabled.",
    "ExpiredToken": "Log in again, or give the job longer-lived credentials.",
    "ExpiredTokenException": "Log in again, or give the job longer-lived credentials.",
    "IncompleteSignature": _CREDENTIALS,
    "InvalidClientTokenId": _CREDENTIALS,
    "InvalidSignatureException": f"{_CREDENTIALS} The machine's clock must be right too.",
    "LimitExceededException": "AWS keeps all versions of the last 24 hours and up to 50 tags: remove some, or wait.",
    "MissingAuthenticationToken": _CREDENTIALS,
    "RequestExpired": "Set the machine's clock.",
    "UnrecognizedClientException": _CREDENTIALS,
}
_KMS_HINT = "Allow kms:Decrypt and kms:GenerateDataKey on the secret's KMS key."


class AwsError(DestinationError):
    """AWS refused, or could not be asked.

    Attributes:
        aws_code: AWS's own; empty where the answer has none or there is no answer.
        again: the same request may succeed.
        wait: seconds that AWS asks to wait.
    """

    code = "destination_aws"

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        surely_refused: bool = True,
        aws_code: str = "",
        again: bool = False,
        wait: float = 0,
    ) -> None:
        super().__init__(message, hint=hint, surely_refused=surely_refused)
        self.aws_code = aws_code
        self.again = again
        self.wait = wait


def told(operation: str, error: Exception) -> AwsError:
    """The error of one request, in words."""
    if isinstance(error, ClientError):
        return _answered(operation, error)
    if isinstance(error, _NOT_SENT):
        return AwsError(
            f"AWS could not be reached for {operation}: {_what(error)}.",
            hint="Check the network, the region and AWS_ENDPOINT_URL.",
            again=True,
        )
    if isinstance(error, ParamValidationError):  # its words show values
        return AwsError(f"AWS takes no {operation} with such settings.", hint="Check the name.")
    lost = "took too long" if isinstance(error, ReadTimeoutError) else "broke off, or was not AWS's"
    return AwsError(
        f"The answer to {operation} {lost}: {type(error).__name__}.",
        hint="Run again.",
        surely_refused=False,
        again=True,
    )


def _answered(operation: str, error: ClientError) -> AwsError:
    answer = error.response
    code = str(answer.get("Error", {}).get("Code", ""))
    meta = answer.get("ResponseMetadata", {})
    status = int(meta.get("HTTPStatusCode", 0))
    text = _shown(str(answer.get("Error", {}).get("Message", "")))
    said = f"{quoted(_shown(code), limit=60)}: {text}" if text else quoted(_shown(code), limit=60)
    if not 300 <= status < 500 or status == 408:  # noqa: PLR2004 - what HTTP calls them
        return AwsError(
            f"AWS failed at {operation} with HTTP {status}, {said}.",
            hint="Run again later.",
            surely_refused=False,
            aws_code=code,
            again=True,
            wait=asked(meta.get("HTTPHeaders", {}).get("retry-after")) or 0,
        )
    throttled = code in _THROTTLED or status == 429  # noqa: PLR2004
    return AwsError(
        f"AWS refused {operation}, {said}.",
        hint="Run again later; something else asks AWS a lot." if throttled else _hint(operation, code, text),
        aws_code=code,
        again=throttled,
        wait=asked(meta.get("HTTPHeaders", {}).get("retry-after")) or 0,
    )


def _hint(operation: str, code: str, text: str) -> str:
    if code in {"AccessDeniedException", "AccessDenied"}:
        return _KMS_HINT if "kms" in text.lower() else f"Allow secretsmanager:{operation} on the secret."
    return _HINTS.get(code, "")


def no_credentials(error: Exception | None) -> AwsError:
    """The error of credentials that are missing, or could not be had.

    Args:
        error: what botocore says of it; None = no source of its chain has any.
    """
    if error is None:
        return AwsError(
            "there are no AWS credentials.",
            hint="Give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or the job a role.",
        )
    return AwsError(f"AWS credentials could not be had: {_what(error)}.", hint=_CREDENTIALS)


def no_client(error: Exception) -> AwsError:
    """The error of settings that no client can be made of."""
    if isinstance(error, NoRegionError):
        return AwsError(
            "nothing says in which AWS region the secret is.", hint="Give 'region' at the destination, or AWS_REGION."
        )
    if isinstance(error, ProfileNotFound):
        return AwsError(f"{_what(error)}.", hint="Check AWS_PROFILE and the AWS configuration file.")
    return AwsError(f"AWS cannot be asked: {_what(error)}.", hint="Check AWS_ENDPOINT_URL and the AWS configuration.")


def not_aws(operation: str) -> AwsError:
    """The error of an answer that claims success and says nothing; whoever gave it, it may have come from AWS."""
    return AwsError(
        f"The answer to {operation} was not AWS's.",
        hint="See what AWS_ENDPOINT_URL and the proxies lead to.",
        surely_refused=False,
        again=True,
    )


def _what(error: Exception) -> str:
    return _shown(str(error))


def _shown(text: str) -> str:
    """Words from outside, made harmless; they may repeat what was sent."""
    return safe(text).rstrip(".")
