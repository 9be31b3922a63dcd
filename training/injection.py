"""Trains the injection classifier, measures it, and writes it into the package with its figures.

    python training/injection.py --corpora DIR            # measure, train, write injection.bin and the figures
    python training/injection.py --corpora DIR --measure  # figures only
    python training/injection.py --corpora DIR --without-own  # what our own texts bring

Reproducible: fixed seeds, no sampling outside them. Two ways of holding out, each row judged by a model that saw
nothing of its part: five folds over groups of near-duplicates, and one family of sources at a time. Calibration comes
from the first. What is trained on: the rows of the corpora, windows of innocent long texts that show an attack cue,
the payloads of spliced attacks by themselves, and our own texts (paraphrases.py).
"""

from __future__ import annotations

import argparse
import collections
import json
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from artefacts import store
from caisson.detect.embedding.static import shipped as embedding
from caisson.detect.injection.classifier import LENGTH_UNIT
from caisson.detect.injection.cues import PATTERN_CUES
from caisson.detect.injection.features import (
    ATTACK_FEATURES,
    FEATURE_NAMES,
    disguise,
    feature_pairs,
    shown,
    terms,
    tokens,
)
from caisson.detect.injection.mentions import without_mentions
from caisson.detect.injection.scoring import PEOPLE
from caisson.detect.injection.windows import blocks, windows
from caisson.detect.models import Model
from caisson.detect.normal.normaliser import normalise
from caisson.detect.rules.injection import HIGH, LOW, MEDIUM
from corpus import Row, groups, read
from figures import curve, figures
from paraphrases import compose

VERSION = "2"
SEED, FOLDS, COMPOSED = 1, 5, 14_000
CUE_SCALE, PAIR_SCALE, TERM_SCALE, VECTOR_SCALE = 0.5, 0.3, 2.0, 2.0
PAIR_IN_EXAMPLES_MIN = 15
INVERSE_PENALTY, CUES_INVERSE_PENALTY = 2.0, 0.3
CUES_SHARE = 0.5
"""Weight of a second model over cues alone. It costs a little where sources are known and gains much where not."""
WINDOW_WEIGHT, OWN_WEIGHT = 0.15, 0.8
KIND_WEIGHTS = {"talk": 2.5, "of_model": 1.5}
"""Tables of our own texts that count more: short prompts, harmless and not, that share their words. The corpora hold
many attacks of that form and hardly an innocent one."""
DISGUISE_WEIGHT = 6.0
"""Logit that a text disguised throughout gains. Chosen on the grouped folds: see the figures for what it costs."""
LONG_CHARACTERS, LONG_WEIGHT = 600, 3.0
"""Ordinary prompts longer than this count so many times more: they show many cues, and nearly all that is flagged
wrongly is of that kind."""
TERMS_IN_TEXTS_MIN = 3
POINTS = {
    # Mode; confidence: most that may be flagged of benign_prompts, of benign_hard_negative, of documents and results
    "user": ((HIGH, 0.001, 0.02, 1.0), (MEDIUM, 0.003, 0.02, 1.0), (LOW, 0.01, 0.05, 1.0)),
    "data": ((HIGH, 1.0, 1.0, 0.01), (MEDIUM, 1.0, 1.0, 0.02), (LOW, 1.0, 1.0, 0.05)),
}


@dataclass(frozen=True, kw_only=True)
class Example:
    """Something to learn from."""

    text: str
    attack: bool
    weight: float
    row: int
    """Of the corpus; -1 for our own texts."""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Rows and examples as matrices."""

    rows: list[Row]
    texts: list[str]
    disguises: list[float]
    window_rows: list[int]
    """Row of each window that shows an attack cue; their features follow those of the rows."""
    silent: list[bool]
    """Rows without an attack cue."""
    patterns: list[float]
    """Confidence of each row's surest pattern; 0 for none."""
    examples: list[Example]
    x: sparse.csr_matrix
    """Rows, windows, examples."""
    tfidf: TfidfVectorizer
    pairs: NDArray[np.int32]
    """Numbers of the pairs of features that have a weight, rising."""


def prepare(rows: list[Row]) -> Prepared:
    """Read everything once."""
    normals = [normalise(row.text) for row in rows]
    texts = [without_mentions(normal.text) for normal in normals]
    found = [frozenset(shown(text)) for text in texts]
    pieces: list[str] = []
    window_rows: list[int] = []
    for number, text in enumerate(texts):
        spans = blocks(text)
        for first, last in windows(spans) if len(spans) > 2 else ():
            piece = text[spans[first][0] : spans[last - 1][1]]
            if not ATTACK_FEATURES.isdisjoint(shown(piece)):
                pieces.append(piece)
                window_rows.append(number)
    examples = _examples(rows, texts, pieces, window_rows)
    every = [*texts, *pieces, *(example.text for example in examples)]
    tfidf = TfidfVectorizer(analyzer=lambda text: terms(tokens(text)), min_df=TERMS_IN_TEXTS_MIN, binary=True)
    tfidf.fit([example.text for example in examples])
    features = [sorted(found[number]) if number < len(found) else shown(text) for number, text in enumerate(every)]
    cues = np.zeros((len(every), len(FEATURE_NAMES)), np.float32)
    for number, each in enumerate(features):
        cues[number, each] = CUE_SCALE
    pairs, paired = _paired(features, len(every) - len(examples))
    length = np.log1p([len(text) for text in every])[:, None] / LENGTH_UNIT
    x = sparse.hstack(
        [sparse.csr_matrix(cues), sparse.csr_matrix(length), paired * PAIR_SCALE, tfidf.transform(every) * TERM_SCALE,
         sparse.csr_matrix(np.stack([embedding().plain(text) for text in every]) * VECTOR_SCALE)]
    ).tocsr()  # fmt: skip
    return Prepared(
        rows=rows,
        texts=texts,
        disguises=[disguise(normal, len(row.text)) for normal, row in zip(normals, rows, strict=True)],
        window_rows=window_rows,
        silent=[ATTACK_FEATURES.isdisjoint(each) for each in found],
        patterns=[max((PATTERN_CUES[cue].score for cue in each & PATTERN_CUES.keys()), default=0.0) for each in found],
        examples=examples,
        x=x,
        tfidf=tfidf,
        pairs=pairs,
    )


def _paired(features: list[list[int]], first: int) -> tuple[NDArray[np.int32], sparse.csr_matrix]:
    """The pairs of features that enough examples show, which begin at `first`; and which text shows which of them."""
    counts = collections.Counter(pair for each in features[first:] for pair in feature_pairs(each))
    pairs = sorted(pair for pair, count in counts.items() if count >= PAIR_IN_EXAMPLES_MIN)
    places = {pair: place for place, pair in enumerate(pairs)}
    columns = [[places[pair] for pair in feature_pairs(each) if pair in places] for each in features]
    ends = np.cumsum([0, *map(len, columns)])
    flat = np.fromiter((place for each in columns for place in each), np.int32, ends[-1])
    shape = (len(features), len(pairs))
    return np.array(pairs, np.int32), sparse.csr_matrix((np.ones(len(flat), np.float32), flat, ends), shape=shape)


def _examples(rows: list[Row], texts: list[str], pieces: list[str], window_rows: list[int]) -> list[Example]:
    sizes = collections.Counter(row.family for row in rows)
    weights = [sizes[row.family] ** -0.5 for row in rows]
    scale = len(rows) / sum(weights)
    examples = []
    for number, row in enumerate(rows):
        weight = weights[number] * scale
        weight *= 3 if row.kind == "benign_hard_negative" else 1
        weight *= 2 if row.family == "awesome" else 1
        weight *= 2.5 * (LONG_WEIGHT if len(texts[number]) > LONG_CHARACTERS else 1) if row.ordinary else 1
        weight *= 0.6 if row.family == "deepset" and row.attack else 1  # its labels are the noisiest
        weight *= 0.5 if row.derived else 1
        if row.payload:
            payload = without_mentions(normalise(row.payload).text)
            examples.append(Example(text=payload, attack=True, weight=weight, row=number))
            weight *= 0.15  # what surrounds a payload is innocent
        examples.append(Example(text=texts[number], attack=row.attack, weight=weight, row=number))
    examples += [
        Example(text=piece, attack=False, weight=WINDOW_WEIGHT, row=number)
        for piece, number in zip(pieces, window_rows, strict=True)
        if not rows[number].attack
    ]
    own = {composed.text: composed for composed in compose(SEED, COMPOSED)}
    examples += [
        Example(
            text=without_mentions(normalise(text).text),
            attack=composed.label == 1,
            weight=OWN_WEIGHT * KIND_WEIGHTS.get(composed.kind, 1.0) * len(rows) / len(own),
            row=-1,
        )
        for text, composed in own.items()
    ]
    return examples


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """Weights of the columns, and a bias."""

    weights: NDArray[np.float64]
    bias: float

    def logits(self, x: sparse.csr_matrix) -> NDArray[np.float64]:
        """Of some rows of a matrix."""
        return x @ self.weights + self.bias


def fit(prepared: Prepared, kept: Sequence[bool]) -> Fitted:
    """A model of the examples that are kept: one over everything, and a share of one over cues."""
    numbers = [number for number, keep in enumerate(kept) if keep]
    first = len(prepared.rows) + len(prepared.window_rows)
    x = prepared.x[[first + number for number in numbers]]
    chosen = [prepared.examples[number] for number in numbers]
    labels, weights = [each.attack for each in chosen], [each.weight for each in chosen]
    cues = len(FEATURE_NAMES) + 1
    every, alone = (
        LogisticRegression(C=penalty, tol=1e-3, solver="newton-cg").fit(part, labels, weights)
        for penalty, part in ((INVERSE_PENALTY, x), (CUES_INVERSE_PENALTY, x[:, :cues]))
    )
    total = every.coef_[0].copy()
    total[:cues] += CUES_SHARE * alone.coef_[0]
    return Fitted(weights=total, bias=float(every.intercept_[0] + CUES_SHARE * alone.intercept_[0]))


def held_out(prepared: Prepared, part: Sequence[object], *, own: bool = True) -> list[float]:
    """The logit of every row by a model that saw nothing of its part.

    Args:
        own: our own texts are trained on. They were written by somebody who had read every source.
    """
    whole = np.zeros(len(part))
    best = np.full(len(part), -np.inf)
    window_rows = np.array(prepared.window_rows)
    for name in sorted(set(part), key=str):
        kept = [own if example.row < 0 else part[example.row] != name for example in prepared.examples]
        model = fit(prepared, kept)
        mine = np.array([number for number, each in enumerate(part) if each == name])
        whole[mine] = model.logits(prepared.x[mine])
        inside = np.flatnonzero(np.isin(window_rows, mine))
        if len(inside):
            logits = model.logits(prepared.x[len(part) + inside])
            np.maximum.at(best, window_rows[inside], logits)
    best = np.where(np.isinf(best), whole, best)
    logits = whole + best + DISGUISE_WEIGHT * np.array(prepared.disguises)
    return [-np.inf if silent else float(logit) for silent, logit in zip(prepared.silent, logits, strict=True)]


def folds(rows: list[Row]) -> list[int]:
    """A fold for every row; groups stay together."""
    chance = random.Random(SEED)
    numbers = groups(rows)
    fold = {number: chance.randrange(FOLDS) for number in sorted(set(numbers))}
    return [fold[number] for number in numbers]


def calibrated(
    rows: list[Row], logits: Sequence[float], patterns: Sequence[float]
) -> dict[str, list[tuple[float, float]]]:
    """For each mode the logits at which the confidences begin, from innocent rows that were held out. What patterns
    flag by themselves counts as flagged at every logit."""
    points = {}
    for mode, table in POINTS.items():
        bounds = []
        for confidence, *shares in reversed(table):
            worth = [best if mode == "data" else PEOPLE.get(best, 0.0) for best in patterns]
            reached = [math.inf if alone >= confidence else logit for logit, alone in zip(logits, worth, strict=True)]
            bounds.append((max(map(_above, _innocent(rows, reached), shares)), confidence))
        for number in range(1, len(bounds)):  # strictly rising
            if bounds[number][0] <= bounds[number - 1][0]:
                bounds[number] = (bounds[number - 1][0] + 1e-3, bounds[number][1])
        low, high = bounds[0][0], bounds[-1][0]
        points[mode] = [(low - 8.0, 0.0), *bounds, (high + 8.0, 1.0)]
    return points


def _innocent(rows: list[Row], logits: list[float]) -> tuple[list[float], list[float], list[float]]:
    """Logits of ordinary prompts, of hard innocent rows, of documents and tool results."""
    pairs = list(zip(rows, logits, strict=True))
    return (
        [logit for row, logit in pairs if row.ordinary],
        [logit for row, logit in pairs if row.kind == "benign_hard_negative"],
        [logit for row, logit in pairs if row.data and not row.attack],
    )


def _above(logits: list[float], share: float) -> float:
    """The least logit that at most so large a share reaches."""
    ranked = sorted(logits, reverse=True)
    allowed = int(share * len(ranked))
    if share >= 1.0 or allowed >= len(ranked) or ranked[allowed] == -math.inf:
        return -20.0
    if ranked[allowed] == math.inf:
        raise ValueError(f"patterns alone flag more than {share:.1%} of these innocent rows")
    return ranked[allowed] + 1e-6


def export(prepared: Prepared, points: dict[str, list[tuple[float, float]]]) -> None:
    """Train on everything and write the model."""
    model = fit(prepared, [True] * len(prepared.examples))
    weights = model.weights
    cues, length = weights[: len(FEATURE_NAMES)] * CUE_SCALE, weights[len(FEATURE_NAMES)]
    keys = prepared.tfidf.get_feature_names_out().astype(np.uint32)
    order = np.argsort(keys)
    paired = len(FEATURE_NAMES) + 1
    first = paired + len(prepared.pairs)
    last = first + len(keys)
    arrays = {
        "pairs": prepared.pairs,
        "pair_weights": (weights[paired:first] * PAIR_SCALE).astype(np.float16),
        "features": cues.astype(np.float32),
        "term_keys": keys[order],
        "terms": (weights[first:last][order] * TERM_SCALE).astype(np.float16),
        "rarity": prepared.tfidf.idf_[order].astype(np.float16),
        "vector": (weights[last:] * VECTOR_SCALE).astype(np.float32),
        "constants": np.array([model.bias, length, DISGUISE_WEIGHT], np.float32),
    }
    meta = {"version": VERSION, "features": list(FEATURE_NAMES), "points": points}
    store("injection.bin", Model(meta=meta, arrays=arrays, texts={}))


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--corpora", type=Path, required=True)
    arguments.add_argument("--measure", action="store_true", help="figures only")
    arguments.add_argument("--without-own", action="store_true", help="print figures without our own texts; no files")
    arguments.add_argument("--figures", type=Path, default=Path("docs/models/injection-figures.md"))
    arguments.add_argument("--logits", type=Path, help="where to keep the held-out logits, as JSON")
    given = arguments.parse_args()
    rows = read(given.corpora)
    prepared = prepare(rows)
    if given.without_own:
        for title, part in (("Grouped", folds(rows)), ("Source left out", [row.family for row in rows])):
            print(title, *curve(rows, held_out(prepared, part, own=False)), sep="\n")
        return
    grouped = held_out(prepared, folds(rows))
    points = calibrated(rows, grouped, prepared.patterns)
    if not given.measure:
        export(prepared, points)
    family = held_out(prepared, [row.family for row in rows])
    if given.logits:
        given.logits.write_text(json.dumps({"grouped": grouped, "family": family, "points": points}))
    given.figures.parent.mkdir(parents=True, exist_ok=True)
    given.figures.write_text(figures(rows, grouped, family, points, prepared.patterns), "utf-8")


if __name__ == "__main__":
    main()
