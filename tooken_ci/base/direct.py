"""The way to this machine, which is direct: a proxy would be given in the clear what plain http may carry only here."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import requests
import requests.adapters

from tooken_ci.base.address import loopback


class Direct(requests.adapters.HTTPAdapter):
    """Uses no proxy for what goes to this machine, whatever the environment or the session names."""

    def send(self, request: requests.PreparedRequest, *others: Any, **settings: Any) -> requests.Response:
        """Send a request, as requests asks it to."""
        if loopback(urlsplit(request.url or "").hostname or ""):
            settings["proxies"] = None
        return super().send(request, *others, **settings)
