"""Sentence vectors that need no model at run time."""
