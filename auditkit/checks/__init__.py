"""Offline and repeatable: linking, reconciliation, statement, rules."""
