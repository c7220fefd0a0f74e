"""Tokens as code for Tooken."""

__version__ = "0.1.0"
