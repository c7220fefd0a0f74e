"""Where secrets are delivered: one file a kind, one small interface."""
