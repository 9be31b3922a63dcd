"""Embedders of one machine: vectors that ship with this version, and any OpenAI-compatible server."""
