"""The vendor's API: client, listing, model of a token."""
