"""A long campaign of conversations with a hostile model against a running Caisson (`make campaign-hostile`).

- No secret that a rule claims to see gets to the client, none of the request's to the model, none into the log.
- The record says what the wire shows.
- The gateway neither restarts, nor has a bug of its own, nor grows.

What gets out in a disguise that no rule claims to see through (docs/limits.md) is counted apart, as known misses. A
leak is made as small as it gets and printed as one line of JSON; `--replay FILE` plays such a file.

Run: python -m bench.campaign_hostile [--seconds 3600] [--seed 1] [--replay FILE]. Exits 0 when all of it holds.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from hostile_campaign import Campaign, Played, Tally, system, talk_of
from hostile_conversations import Talk
from hostile_model import HostileModel
from hostile_upstream import Upstream
from running_system import Running, memory_bytes, start

BATCH = 500
"""Conversations between two looks into the log."""
CLIENTS = 3
WARM_UP = 2_000
GROWTH_BYTES_MAX = 48 << 20
SHOWN_MAX = 10
"""Leaks, and other complaints, that the summary shows."""


def main() -> int:
    """Run the campaign, or play one file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3_600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--replay", type=Path)
    options = parser.parse_args()
    with _running() as (running, campaign):
        if options.replay is not None:
            return _replay(campaign, options.replay)
        return _campaign(running, campaign, seed=options.seed, seconds=options.seconds)


@contextmanager
def _running() -> Iterator[tuple[Running, Campaign]]:
    model = HostileModel()
    with Upstream(model.answer) as upstream, tempfile.TemporaryDirectory(prefix="caisson-hostile-") as name:
        folder = Path(name)
        running = start(folder, "--upstream", f"openai={upstream.url}", system=system(folder))
        try:
            yield running, Campaign(running, model)
        finally:
            running.stop()


def _replay(campaign: Campaign, file: Path) -> int:
    played = campaign.play(Talk.from_json(json.loads(file.read_text())))
    print(json.dumps({"wire": played.wire, "leaks": played.leaks, "known": played.known}, indent=2))
    return int(bool(played.leaks))


def _campaign(running: Running, campaign: Campaign, *, seed: int, seconds: float) -> int:
    tally, pid, warm, number = Tally(), running.pids()["gateway"], 0, 1
    began = time.monotonic()
    with ThreadPoolExecutor(CLIENTS) as pool:
        while time.monotonic() - began < seconds:
            talks = [talk_of(seed, at) for at in range(number, number + BATCH)]
            number += BATCH
            played = list(pool.map(campaign.play, talks))
            tally.add(played)
            tally.unrecorded += campaign.unrecorded(played)
            if not warm and number > WARM_UP:
                warm = memory_bytes(pid)
            print(f"{tally.conversations} conversations, {len(tally.leaks)} leaks", file=sys.stderr)
    took = time.monotonic() - began
    alive = running.pids()["gateway"] == pid
    grown = memory_bytes(pid) - warm if warm and alive else 0
    bugs = (running.data / "run/gateway.log").read_text().count("bug of ours")
    print(json.dumps(_summary(tally, seed, took), indent=2, ensure_ascii=False))
    growth = grown / max(1, tally.conversations - WARM_UP) * 1_000 / 1_024
    print(json.dumps({
        "bugs_in_the_log": bugs, "restarted": not alive, "grown_mib": round(grown / 2**20, 1),
        "growth_kib_per_1000": round(growth, 1),
    }))  # fmt: skip
    for one in tally.leaks[:SHOWN_MAX]:
        smallest = campaign.minimal(one.talk) if campaign.play(one.talk).leaks else one.talk
        print("LEAK", "; ".join(one.leaks))
        print(json.dumps(smallest.to_json()))
    wrong = tally.leaks or tally.unrecorded or tally.odd or bugs or not alive or grown > GROWTH_BYTES_MAX
    return int(bool(wrong))


def _summary(tally: Tally, seed: int, seconds: float) -> dict[str, object]:
    def shown(counts: Counter[tuple[str, str]], at: int) -> dict[str, int]:
        by: Counter[str] = Counter()
        for key, count in counts.items():
            by[key[at]] += count
        return dict(by.most_common())

    def told(one: Played, complaint: str) -> str:
        return f"{one.talk.number}: {complaint}"

    return {
        "conversations": tally.conversations,
        "seed": seed,
        "seconds": round(seconds, 1),
        "canaries": tally.canaries,
        "by_route": dict(tally.by_route.most_common()),
        "by_wire": dict(tally.by_wire.most_common()),
        "tries": tally.tries.total(),
        "tries_by_way": shown(tally.tries, 0),
        "tries_by_disguise": shown(tally.tries, 1),
        "known_misses": tally.known.total(),
        "known_misses_by_way": shown(tally.known, 0),
        "known_misses_by_disguise": shown(tally.known, 1),
        "leaks": len(tally.leaks),
        "not_on_record": len(tally.unrecorded),
        "not_on_record_examples": [told(*pair) for pair in tally.unrecorded[:SHOWN_MAX]],
        "odd_answers": [told(one, one.wire) for one in tally.odd[:SHOWN_MAX]],
    }


if __name__ == "__main__":
    sys.exit(main())
