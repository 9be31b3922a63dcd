"""How well topics, grounding and relevance tell apart, on rows that nothing was fitted to.

    python -m bench.meaning --corpora DIR

- Topics: an intent of CLINC150 or banking77 with its name and four questions is a topic; its other questions are on it,
  all other intents' are not. Many of these are siblings (lost card, stolen card), so that the share flagged is high.
- Grounding: sentences of a document against that document (supported), with one number changed (wrong), and sentences
  of other documents (invented).
- Relevance: a question and its paraphrase of the same intent, against another intent's.
"""

from __future__ import annotations

import argparse
import collections
import json
import random
import re
from pathlib import Path

import numpy as np

from caisson.detect.embedding.static import vectors
from caisson.detect.meaning.grounding import grounding, relevance
from caisson.detect.meaning.sentences import sentences
from caisson.detect.meaning.topics import THRESHOLD, Topic

EXAMPLES, SHOWN_MIN, SENTENCE_MIN = 4, 3, 40
DOCUMENTS, SENTENCES = 80, 3
Rows = list[dict[str, str]]


def area(positive: list[float], negative: list[float]) -> float:
    """Chance that a positive scores higher than a negative."""
    ranked = np.sort(negative)
    return float(np.mean(np.searchsorted(ranked, positive) / len(ranked)))


def read(path: Path) -> Rows:
    """Rows of a corpus."""
    return [json.loads(line) for line in path.read_text("utf-8").rstrip("\n").split("\n")]


def topics(rows: Rows) -> None:
    """Prints area and shares at some thresholds."""
    intents = collections.defaultdict(list)
    for row in rows:
        if "intent" in row:
            intents[row["intent"]].append(row["text"])
    lines = [row for row in rows if "intent" in row]
    every = vectors([row["text"] for row in lines])
    on: list[float] = []
    off: list[float] = []
    for intent, texts in sorted(intents.items()):
        if len(texts) < EXAMPLES + SHOWN_MIN:
            continue
        topic = Topic.of(intent, intent.replace("_", " "), texts[:EXAMPLES])
        on += [topic.score(text) for text in texts[EXAMPLES:]]
        cosines = (every @ topic.anchors.T).max(1)
        off += [float(c) for c, row in zip(cosines, lines, strict=True) if row["intent"] != intent]
    print(f"topics: area {area(on, off):.3f}, {len(on)} on, {len(off)} off; on and off flagged at")
    for threshold in (0.5, 0.55, THRESHOLD, 0.65, 0.7):
        print(f"  {threshold:.2f}: {np.mean(np.array(on) >= threshold):.3f} {np.mean(np.array(off) >= threshold):.4f}")


def grounded(rows: Rows) -> None:
    """Prints areas and means."""
    chance = random.Random(1)
    documents = [row["text"] for row in rows if row["kind"] == "benign_document" and "email" in row["source"]]
    documents += [row["text"] for row in rows if row["kind"] == "benign_document" and "code" in row["source"]]
    chosen = sorted(set(documents))[:DOCUMENTS]
    own: list[float] = []
    wrong: list[float] = []
    foreign: list[float] = []
    for number, document in enumerate(chosen):
        lines = [document[start:end] for start, end in sentences(document) if end - start >= SENTENCE_MIN]
        other = chosen[(number + len(chosen) // 2) % len(chosen)]
        strange = [other[start:end] for start, end in sentences(other) if end - start >= SENTENCE_MIN]
        for line in chance.sample(lines, min(SENTENCES, len(lines))):
            own.append(grounding(line, [document]).score)
            changed = re.sub(r"\d+", lambda found: str(int(found[0][:9]) + 7), line)
            if changed != line:
                wrong.append(grounding(changed, [document]).score)
        foreign += [grounding(line, [document]).score for line in chance.sample(strange, min(SENTENCES, len(strange)))]
    print(
        f"grounding: supported {np.mean(own):.2f}, wrong number {np.mean(wrong):.2f}, invented {np.mean(foreign):.2f}"
    )
    print(f"  area against wrong numbers {area(own, wrong):.3f}, against invention {area(own, foreign):.3f}")


def relevant(rows: Rows) -> None:
    """Prints the area."""
    intents = collections.defaultdict(list)
    for row in rows:
        if "intent" in row:
            intents[row["intent"]].append(row["text"])
    pairs = [texts[:2] for _, texts in sorted(intents.items()) if len(texts) > 1]
    same = [relevance(first, second) for first, second in pairs]
    other = [relevance(pairs[at][0], pairs[(at + 7) % len(pairs)][1]) for at in range(len(pairs))]
    print(f"relevance: same intent {np.mean(same):.2f}, another {np.mean(other):.2f}, area {area(same, other):.3f}")


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--corpora", type=Path, required=True)
    folder = arguments.parse_args().corpora
    topics(read(folder / "benign_prompts.jsonl"))
    grounded(read(folder / "injection.jsonl"))
    relevant(read(folder / "benign_prompts.jsonl"))


if __name__ == "__main__":
    main()
