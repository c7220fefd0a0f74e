"""Tests of the client, by mocked answers and over the wire."""
