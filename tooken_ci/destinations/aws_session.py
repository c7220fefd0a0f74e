"""The way to AWS: a region, credentials by the standard chain, and clients that do not hang."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.config import Config

from tooken_ci.base.address import loopback, unfit
from tooken_ci.destinations.aws_api import CONNECT, READ, Api
from tooken_ci.destinations.aws_errors import FAILURES, AwsError, no_client, no_credentials

if TYPE_CHECKING:
    from tooken_ci.destinations.aws_names import Spot


class Aws:
    """What all destinations of a run share: the credentials, and a client for each region. Made once, thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._session: boto3.Session | None = None
        self._apis: dict[str, Api | tuple[str, str]] = {}
        self._secrets: dict[tuple[str, str], threading.Lock] = {}

    def api(self, region: str) -> Api:
        """The way to a region; empty = that of the profile.

        Raises:
            AwsError: no client can be made, or there are no credentials.
        """
        with self._lock:
            if region not in self._apis:
                # a failure too is found out only once: to ask in vain for a machine's role takes seconds each time
                try:
                    self._apis[region] = self._connected(region)
                except AwsError as error:
                    self._apis[region] = (error.message, error.hint)
            api = self._apis[region]
        if isinstance(api, Api):
            return api
        message, hint = api
        raise AwsError(message, hint=hint)

    def writing(self, spot: Spot) -> threading.Lock:
        """What a writer of a secret holds, lest two keys of it be written at once."""
        with self._lock:
            return self._secrets.setdefault((spot.region, spot.name), threading.Lock())

    def _connected(self, region: str) -> Api:
        try:
            if self._session is None:
                core = _Session()
                # for the clients that botocore itself makes to get credentials
                core.set_default_client_config(_config(tries=3))
                self._session = boto3.Session(botocore_session=core)
            credentials = self._session.get_credentials()
        except FAILURES as error:
            raise no_client(error) from None
        if credentials is None:
            raise no_credentials(None)
        try:
            client = self._session.client("secretsmanager", region_name=region or None, config=_config(tries=1))
        except (*FAILURES, ValueError) as error:
            raise no_client(error) from None
        _check_endpoint(client.meta.endpoint_url)
        return Api(client, credentials)


class _Session(botocore.session.Session):
    """botocore's, but what goes to this machine passes no proxy: also where it asks for credentials."""

    def create_client(self, *args: Any, **kwargs: Any) -> Any:
        """Make a client, as boto3 and botocore itself ask for it."""
        client = super().create_client(*args, **kwargs)
        if not loopback(urlsplit(client.meta.endpoint_url).hostname or ""):
            return client
        client.close()
        direct, given = Config(proxies={}), kwargs.get("config")
        return super().create_client(*args, **{**kwargs, "config": direct if given is None else given.merge(direct)})


def _config(*, tries: int) -> Config:
    return Config(
        connect_timeout=CONNECT,
        read_timeout=READ,
        retries={"total_max_attempts": tries, "mode": "standard"},
        max_pool_connections=32,
    )


def _check_endpoint(url: str) -> None:
    """See that secrets do not travel in the clear."""
    if wrong := unfit("The AWS endpoint", url):
        raise AwsError(wrong, hint="Use https in AWS_ENDPOINT_URL; plain http is for a server on this machine only.")
