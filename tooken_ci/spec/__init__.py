"""The team's YAML: its schema, loading with positions, the model, the policy."""
