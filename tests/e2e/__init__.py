"""The whole command, in a process of its own, against a real server of the API."""
