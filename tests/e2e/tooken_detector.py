"""A plugin of detect-secrets: what a secret of the sandbox looks like."""

import re

from detect_secrets.plugins.base import RegexBasedDetector


class TookenDetector(RegexBasedDetector):
    secret_type = "Tooken API token"
    denylist = (re.compile(r"tok_[^\s'\"]{30,}"),)
