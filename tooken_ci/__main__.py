"""Runs the command as ``python -m tooken_ci``."""

from tooken_ci.cli import main

if __name__ == "__main__":
    main()
