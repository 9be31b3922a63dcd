"""Checks of what a pattern found: checksums, context, entropy."""
