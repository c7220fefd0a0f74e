"""A local server that speaks the Tooken API v1, to try and to test against."""
