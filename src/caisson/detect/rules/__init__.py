"""The rules that come with this version, as tables."""
