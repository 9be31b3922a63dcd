"""What a model said, as the record keeps it (LOG-02), in a form in which the log's rules find what is in it.

- Blocks, and the strings of one, stand on lines of their own: joined, one would hide the beginning of the next.
- Tool input is decoded, keys and numbers too: JSON's escapes hide nothing.

>>> output: list[str] = []
>>> Said(output).whole({"toolUse": {"toolUseId": "t1", "name": "look", "input": {"at": "sky"}}})
['t1', 'look', 'at', 'sky']
>>> "".join(output)
't1\\nlook\\nat\\nsky'
"""

from __future__ import annotations

from typing import Any

import orjson

Json = dict[str, Any]


class Said:
    """Appends to `output`, which joined is the text of the record."""

    def __init__(self, output: list[str]) -> None:
        self._output = output
        self._last: tuple[int, str] | None = None
        """Block and kind of the last piece that was no tool input."""
        self._input: list[str] = []

    def whole(self, block: Json) -> list[str]:
        """A complete content block; returns its strings."""
        use = block.get("toolUse")
        texts = _strings(block) if use is None else [use["toolUseId"], use["name"], *_free(use["input"])]
        self._lines(texts)
        return texts

    def start(self, tool: Json) -> list[str]:
        """A tool use begins; returns its strings."""
        texts = [tool["toolUseId"], tool["name"]]
        self._lines(texts)
        return texts

    def delta(self, index: int, delta: Json) -> list[str]:
        """A piece of block `index`; returns its strings."""
        texts = _strings(delta)
        if "toolUse" in delta:
            self._input += texts
            return texts
        place = index, "signature" if "signature" in delta.get("reasoningContent", ()) else ""
        if place == self._last:
            self._output += texts
        else:
            self._lines(["".join(texts)])
        self._last = place
        return texts

    def end(self) -> None:
        """The end of a block, whole or broken off."""
        text, self._input = "".join(self._input), []
        if not text:
            return
        try:
            self._lines(_free(orjson.loads(text)))
        except orjson.JSONDecodeError:
            self._lines([text])

    def _lines(self, texts: list[str]) -> None:
        for text in texts:
            self._output.append(f"\n{text}" if self._output else text)


def _strings(value: object) -> list[str]:
    """Every string below `value`, in order."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for item in value.values() for text in _strings(item)]
    if isinstance(value, (list, tuple)):
        return [text for item in value for text in _strings(item)]
    return []


def _free(value: object) -> list[str]:
    """Everything that is said in free JSON: keys, strings, numbers. Without recursion: a model nests as it likes."""
    texts: list[str] = []
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            for key, below in reversed(item.items()):
                waiting += (below, key)
        elif isinstance(item, list):
            waiting += reversed(item)
        elif item is not None and not isinstance(item, bool):
            texts.append(item if isinstance(item, str) else repr(item))
    return texts
