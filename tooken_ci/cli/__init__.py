"""The commands. What they share stands beside them: options, session, reporting; ``program`` runs them."""

from tooken_ci.cli.commands import cli
from tooken_ci.cli.program import main, run

__all__ = ["cli", "main", "run"]
