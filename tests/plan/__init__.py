"""The lifecycle: tables of cases, and properties that hold for any workspace."""
