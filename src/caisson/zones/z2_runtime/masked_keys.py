"""Keys of a JSON object after masking: two that were different stay two, whatever masking makes of them.

>>> keys = MaskedKeys()
>>> [keys.of(key) for key in ("[EMAIL_7f3a9c]", "[EMAIL_7f3a9c]", "[EMAIL_7f3a9c]", "day")]
['[EMAIL_7f3a9c]', '[EMAIL_7f3a9c]_', '[EMAIL_7f3a9c]_2', 'day']
"""

from __future__ import annotations


class MaskedKeys:
    """The keys of one object, in order. The work for n of them grows like n, however many become the same."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._counts: dict[str, int] = {}

    def of(self, key: str) -> str:
        """The key, or one of its own that begins like it."""
        own = key
        while own in self._taken:
            count = self._counts[key] = self._counts.get(key, 0) + 1
            own = f"{key}_" if count == 1 else f"{key}_{count}"
        self._taken.add(own)
        return own
