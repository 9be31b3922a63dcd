"""The trained weights, read from the file that ships (`caisson.detect.models`, which refuses an altered one).

All are whole numbers, so that a sum is the same in whatever order and on whatever machine it is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from caisson.detect.models import AlteredModelError, Model, load
from caisson.detect.people.words import CLASSES, LISTS, OFFSETS, ROWS

FILE = "people.bin"


@dataclass(frozen=True, kw_only=True)
class Weights:
    """What training leaves."""

    version: str
    """Of the training that made them."""
    labels: tuple[str, ...]
    """`O` first; then `B-NAME`, `I-NAME` and so on."""
    lists: Mapping[str, frozenset[int]]
    """Hashes of known words, by list."""
    words: NDArray[np.int8]
    """[row of a feature, offset, label]."""
    pairs: NDArray[np.int16]
    """[before or after, class, class of the neighbour, label]."""
    transitions: NDArray[np.int16]
    """[label, next label]; the first row is also the beginning's, the first column the end's."""
    bias: int
    """What `O` gets on top: more makes fewer findings."""
    margin: int
    """What a word's best other label may lack to `O` and still be worth solving for."""

    def model(self) -> Model:
        """As the file holds them."""
        arrays: dict[str, NDArray[Any]] = {
            f"list-{name}": np.array(sorted(known), np.uint32).view(np.int32) for name, known in self.lists.items()
        }
        arrays |= {"words": self.words, "pairs": self.pairs, "transitions": self.transitions}
        meta = {"version": self.version, "labels": self.labels, "bias": self.bias, "margin": self.margin}
        return Model(meta=meta, arrays=arrays, texts={})


def weights_of(model: Model) -> Weights:
    """The weights in a file's content.

    Raises:
        AlteredModelError: they were trained for other features.
    """
    meta, arrays, labels = model.meta, model.arrays, tuple(model.meta["labels"])
    shapes = {"words": (ROWS, len(OFFSETS), len(labels)), "pairs": (2, CLASSES, CLASSES, len(labels))}
    if any(arrays[name].shape != shape for name, shape in shapes.items()):
        raise AlteredModelError(f"model {FILE!r} was trained for other features: install Caisson again")
    return Weights(
        version=str(meta["version"]),
        labels=labels,
        lists={name: frozenset(arrays[f"list-{name}"].view(np.uint32).tolist()) for name in LISTS},
        words=arrays["words"],
        pairs=arrays["pairs"],
        transitions=arrays["transitions"],
        bias=int(meta["bias"]),
        margin=int(meta["margin"]),
    )


def shipped() -> Weights:
    """The weights that this version was measured with.

    Raises:
        AlteredModelError: the file is missing or is another one.
    """
    return weights_of(load(FILE))
