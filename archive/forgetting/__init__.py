"""Forget somebody for good, and prove it."""
