"""Names of variables that no secret may stand in."""

from __future__ import annotations

import re

STEERING = re.compile(
    r"PATH|HOME|SHELL|ENV|BASH_ENV|IFS|CI|NODE_OPTIONS|(LD|DYLD|GITHUB|RUNNER|ACTIONS|INPUT|STATE|GIT|PYTHON|PERL5|RUBY"
    r"|NPM_CONFIG)_?.*"
)
"""Variables, in capitals, that change what later steps run, or what the runner itself believes."""
