"""Runs what applies to a system and keeps what was found."""
