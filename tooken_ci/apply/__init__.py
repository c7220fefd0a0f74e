"""Executes a plan: the order, rollback, proof."""
