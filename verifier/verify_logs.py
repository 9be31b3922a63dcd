#!/usr/bin/env python3
"""Checks a log bundle of Caisson offline: Python 3.11's standard library and `cryptography`, nothing of Caisson.

    caisson logs export --out log.jsonl            writes log.jsonl and log.bundle
    python verify_logs.py log.bundle --key KEY     KEY: base64 of the log's public key, as you know it from elsewhere

Exit code 0: whole. 1: broken, one line a problem. 2: wrong call, or not a bundle. What it checks:

    1 the newest checkpoint carries the log key's signature (Ed25519, C2SP signed-note)
    2 the leaf hashes give the checkpoint's root (RFC 9162), and those of the control zone's anchors
    3 every entry hashes to its leaf, in order, once, none missing
    4 every writer's records are gapless and give the chain value that the writer signed
    5 every request has a response, or was still within its deadline when the checkpoint was signed

Kinds of problems: edited, missing, reordered, truncated, replayed, forged, damaged, incomplete.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "caisson-log-bundle-1"
HASH_BYTES = 32
LINE_BYTES_MAX = 1 << 30
PROBLEMS_SHOWN = 1_000
UNREMEMBERED_MAX = 1
KINDS = ("edited", "missing", "reordered", "truncated", "replayed", "forged", "damaged", "incomplete")
STATEMENTS = ("head.v1", "key.v1", "fault.v1")
NOTE = re.compile(
    r"(?P<text>(?P<origin>[^\s+]{1,200})\n(?P<size>0|[1-9][0-9]{0,15})\n(?P<root>[A-Za-z0-9+/=]{44})\n"
    r"timestamp (?P<timestamp>[0-9]{1,12}\.[0-9]{3})\n)\n"
    "\u2014 [^\\s+]{1,200} (?P<signature>[A-Za-z0-9+/=]{1,200})\n"
)


class BundleError(Exception):
    """The file is not what `caisson logs export` writes."""


def signed(data: bytes, signature: bytes, keys: list[bytes]) -> bool:
    """Whether one of the Ed25519 keys signed the data."""
    for key in keys:
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(signature, data)
        except (InvalidSignature, ValueError):
            continue
        return True
    return False


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 9162, section 2.1.1."""
    return sha256(b"\x01" + left + right).digest()


def leaf_hash(data: bytes) -> bytes:
    """RFC 9162, section 2.1.1."""
    return sha256(b"\x00" + data).digest()


class Tree:
    """A Merkle tree that only grows."""

    def __init__(self, size: int, peaks: list[bytes]) -> None:
        if len(peaks) != size.bit_count() or any(len(peak) != HASH_BYTES for peak in peaks):
            raise BundleError(f"a tree of {size} leaves has {size.bit_count()} peaks of {HASH_BYTES} bytes")
        self.size, self.peaks = size, peaks

    def append(self, leaf: bytes) -> None:
        """Add a leaf by its hash."""
        node, carry = leaf, self.size
        while carry & 1:
            node, carry = node_hash(self.peaks.pop(), node), carry >> 1
        self.peaks.append(node)
        self.size += 1

    def root(self) -> bytes:
        """The tree's head."""
        if not self.peaks:
            return sha256(b"").digest()
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root


class Order:
    """Numbered things that must come once each and in order; gaps are ranges, both ends included."""

    def __init__(self, start: int) -> None:
        self.expected, self.gaps = start, list[tuple[int, int]]()

    def take(self, number: int) -> str:
        """next, gap, late or again."""
        if number >= self.expected:
            verdict = "next" if number == self.expected else "gap"
            self.skip_to(number)
            self.expected = number + 1
            return verdict
        for at, (first, last) in enumerate(self.gaps):
            if first <= number <= last:
                parts = ((first, number - 1), (number + 1, last))
                self.gaps[at : at + 1] = [(low, high) for low, high in parts if low <= high]
                return "late"
        return "again"

    def skip_to(self, number: int) -> None:
        """What is below and has not come is missing."""
        if number > self.expected:
            self.gaps.append((self.expected, number - 1))
            self.expected = number


@dataclass
class Run:
    """One incarnation of a writer."""

    order: Order
    chain: bytes | None
    chain_before: bytes | None = None
    signed_length: int = 0
    closed: bool = False


def read_bundle(path: Path) -> tuple[dict[str, Any], bytes, list[bytes]]:
    """Header, leaf hashes and entries, before anything is believed."""
    header: dict[str, Any] = {}
    leaves, entries = bytearray(), []
    with open(path, "rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(LINE_BYTES_MAX), b""), 1):
            try:
                value = json.loads(line)
                if number == 1:
                    header = value
                    if header["format"] != FORMAT:
                        raise BundleError(f"expected format {FORMAT!r}, found {header['format']!r}")
                elif "leaves" in value:
                    leaves += base64.b64decode(value["leaves"], validate=True)
                else:
                    entries.append(value["entry"].encode())
            except (ValueError, KeyError, TypeError, AttributeError, binascii.Error, RecursionError):
                raise BundleError(f"{path} line {number} is not a line of a log bundle") from None
    if not header:
        raise BundleError(f"{path} is empty")
    return header, bytes(leaves), entries


class Verification:
    """One bundle against the log's keys."""

    def __init__(
        self, header: dict[str, Any], leaves: bytes, log_keys: list[bytes], anchors: list[dict[str, Any]]
    ) -> None:
        self.header, self.leaves, self.log_keys, self.anchors = header, leaves, log_keys, anchors
        self.problems: list[tuple[str, str]] = []
        self.first = int(header["first"])
        self.size = self.first + len(leaves) // HASH_BYTES
        self.origin, self.now = "", 0.0
        self.runs: dict[tuple[str, str], Run] = {}
        self.previous: dict[tuple[str, str], dict[str, Any]] = {}
        self.keys = {
            (zone, key_id): base64.b64decode(key)
            for zone, keys in header["writer_keys"].items()
            for key_id, key in keys.items()
        }
        self.open: dict[str, tuple[int, float]] = {}
        self.requests = self.responses = 0

    def problem(self, kind: str, where: str, detail: str) -> None:
        """Note one. What comes from the bundle is made safe for a terminal."""
        line = "".join(c if c.isprintable() else "?" for c in f"{kind}: {where}: {detail}")
        self.problems.append((kind, line))

    def run(self, entries: list[bytes]) -> list[str]:
        """Everything; one line a problem, the gravest kinds first."""
        self.check_tree()
        order = Order(self.first)
        for data in entries:
            entry = self.parse(data, order.expected)
            if entry is not None:
                self.check_entry(entry, data, order)
        self.check_end(order)
        return [line for _, line in sorted(self.problems, key=lambda item: KINDS.index(item[0]))]

    def check_tree(self) -> None:
        """Signatures and roots of the checkpoint and the anchors."""
        newest = self.checkpoint()
        claims = list(self.anchor_claims())
        if newest is not None:
            claims.append(newest)
            if newest[0] < self.size:
                self.problem("forged", f"entry {span(newest[0], self.size - 1)}", "under no signed checkpoint")
        tree = Tree(self.first, [base64.b64decode(peak) for peak in self.header["frontier"]])
        for size, root, where in sorted(claims):
            if size > self.size:
                detail = f"it was signed over {size} leaves, the bundle reaches to {self.size}"
                self.problem("truncated", where, detail)
            elif size >= tree.size:
                while tree.size < size:
                    tree.append(self.leaf(tree.size))
                if tree.root() != root:
                    self.problem("edited", where, "the leaf hashes do not give the root that was signed")

    def leaf(self, index: int) -> bytes:
        """A leaf's hash."""
        at = (index - self.first) * HASH_BYTES
        return self.leaves[at : at + HASH_BYTES]

    def checkpoint(self) -> tuple[int, bytes, str] | None:
        """The newest checkpoint, if the log's key signed it."""
        match = NOTE.fullmatch(self.header["checkpoint"])
        if match is None:
            self.problem("edited", "checkpoint", "it cannot be read")
            return None
        self.origin, self.now = match["origin"], float(match["timestamp"])
        if not signed(match["text"].encode(), base64.b64decode(match["signature"])[4:], self.log_keys):
            self.problem("forged", "checkpoint", "the log's key did not sign it")
            return None
        return int(match["size"]), base64.b64decode(match["root"]), "checkpoint"

    def anchor_claims(self) -> Iterator[tuple[int, bytes, str]]:
        """Checkpoints as the control zone keeps them."""
        for number, anchor in enumerate(self.anchors):
            root = bytes.fromhex(anchor["root"])
            encoded = base64.b64encode(root).decode()
            text = f"{self.origin}\n{anchor['size']}\n{encoded}\ntimestamp {anchor['timestamp']:.3f}\n"
            if signed(text.encode(), base64.b64decode(anchor["signature"]), self.log_keys):
                yield int(anchor["size"]), root, f"anchor {number}"
            else:
                self.problem("forged", f"anchor {number}", "the log's key did not sign it")

    def parse(self, data: bytes, expected: int) -> dict[str, Any] | None:
        """An entry's fields."""
        known = {"index": int, "sequence": int, "writer": str, "incarnation": str, "digest": str, "event": dict}
        try:
            entry = json.loads(data)
            if all(type(entry[name]) is kind for name, kind in known.items()):
                bytes.fromhex(entry["digest"])
                return dict(entry)
        except (ValueError, KeyError, TypeError, RecursionError):
            pass
        self.problem("edited", f"entry near {expected}", "it cannot be read")
        return None

    def check_place(self, verdict: str, where: str) -> None:
        """What an `Order` says about an entry or a record."""
        if verdict == "late":
            self.problem("reordered", where, "it stands behind later ones")
        elif verdict == "again":
            self.problem("replayed", where, "it is there twice")

    def check_entry(self, entry: dict[str, Any], data: bytes, order: Order) -> None:
        """One entry against its leaf, its place, and its writer."""
        index, event, kind = entry["index"], entry["event"], entry["event"].get("kind")
        where = f"entry {index}"
        if not self.first <= index < self.size:
            self.problem("forged", where, "it is outside of the leaves that the bundle proves")
            return
        self.check_place(order.take(index), where)
        if self.leaf(index) != leaf_hash(data):
            self.problem("edited", where, "its content is not what was hashed when it was archived")
        if entry["sequence"] >= 0:
            self.check_record(entry)
        elif kind == "head.v1":
            self.check_head(where, event)
        elif kind == "fault.v1":
            place = f"channel of {event.get('writer')} at {event.get('where')}"
            self.problem(
                next((name for name in KINDS if name == event.get("fault")), "damaged"),
                place,
                str(event.get("detail", "")),
            )
        elif kind not in STATEMENTS:
            self.problem("forged", where, "an event that no writer's record stands behind")
        self.check_exchange(index, event)

    def run_of(self, writer: str, incarnation: str, at: int) -> Run:
        """The run; one that begins before the bundle is unknown up to here."""
        unknown = self.first > 0 and at > 0
        fresh = Run(order=Order(at if unknown else 0), chain=None if unknown else bytes(HASH_BYTES))
        return self.runs.setdefault((writer, incarnation), fresh)

    def check_record(self, entry: dict[str, Any]) -> None:
        """One record in its writer's chain."""
        sequence, where = entry["sequence"], f"{entry['writer']}/{entry['incarnation']} record {entry['sequence']}"
        run = self.run_of(entry["writer"], entry["incarnation"], sequence)
        verdict = run.order.take(sequence)
        self.check_place(verdict, where)
        if verdict == "next":
            run.chain_before = run.chain
            if run.chain is not None:
                run.chain = sha256(run.chain + bytes.fromhex(entry["digest"])).digest()
        elif verdict == "gap":
            run.chain_before = run.chain = None
        if run.closed and sequence >= run.signed_length:
            self.problem("forged", where, "the writer had closed this run before")

    def check_head(self, where: str, head: dict[str, Any]) -> None:
        """A writer's signed statement against the records so far."""
        try:
            text = "\n".join((
                "caisson chain head v1", head["writer"], head["incarnation"], head["previous_incarnation"],
                str(head["previous_length"]), head["previous_chain"], str(head["length"]), head["chain"],
                "closed" if head["closed"] else "open", head["key_id"],
            ))  # fmt: skip
            key = self.keys.get((head["writer"].partition("-")[0], head["key_id"]))
            genuine = key is not None and signed(text.encode(), bytes.fromhex(head["signature"]), [key])
            chain, length = bytes.fromhex(head["chain"]), int(head["length"])
        except (KeyError, TypeError, ValueError, AttributeError):
            genuine = False
        if not genuine:
            self.problem("forged", where, "a chain head that no key of its writer signed")
            return
        run = self.run_of(head["writer"], head["incarnation"], length)
        if length < run.order.expected:
            return  # delivered again after a newer one
        if length > run.order.expected:
            run.order.skip_to(length)
        elif run.chain is not None and run.chain != chain:
            records = f"{head['writer']}/{head['incarnation']} record {span(run.signed_length, length - 1)}"
            self.problem("forged", records, "the digests in the log are not those under the writer's signature")
        run.chain, run.signed_length, run.closed = chain, length, run.closed or bool(head["closed"])
        if head["previous_incarnation"]:
            self.previous.setdefault((head["writer"], head["previous_incarnation"]), head)

    def check_exchange(self, index: int, event: dict[str, Any]) -> None:
        """Requests and responses."""
        kind, request_id = event.get("kind"), str(event.get("request_id", ""))
        if kind == "model.request.v1":
            self.requests += 1
            if request_id in self.open:
                self.problem("replayed", f"entry {index}", f"request {request_id} begins a second time")
            self.open[request_id] = (index, float(event.get("deadline", 0.0)))
        elif kind == "model.response.v1":
            self.responses += 1
            lost = event.get("outcome") == "lost"  # said by a survivor, who cannot know whether the answer was recorded
            if self.open.pop(request_id, None) is None and self.first == 0 and not lost:
                self.problem("incomplete", f"entry {index}", f"response to {request_id}, which is no open request")

    def check_end(self, order: Order) -> None:
        """Nothing follows: what is missing, cut off, or never ended."""
        for (writer, incarnation), head in self.previous.items():
            self.check_previous(writer, incarnation, int(head["previous_length"]), str(head["previous_chain"]))
        for first, last in order.gaps:
            self.problem("missing", f"entry {span(first, last)}", "the tree has them, the bundle has not")
        if order.expected < self.size:
            where = f"entry {span(order.expected, self.size - 1)}"
            self.problem("truncated", where, "the entries end before the tree does")
        for (writer, incarnation), run in self.runs.items():
            for first, last in run.order.gaps:
                where = f"{writer}/{incarnation} record {span(first, last)}"
                self.problem("missing", where, "the writer's chain has them, the log has not")
        for request_id, (index, deadline) in self.open.items():
            if deadline < self.now:
                detail = f"request {request_id} has no response and its deadline has passed"
                self.problem("incomplete", f"entry {index}", detail)

    def check_previous(self, writer: str, incarnation: str, length: int, chain: str) -> None:
        """A run's end against what the writer's next run remembers of it."""
        where, run = f"{writer}/{incarnation} record", self.runs.get((writer, incarnation))
        if run is None:
            if length and self.first == 0:
                detail = "the writer's next run remembers them, the log has none of this run"
                self.problem("missing", f"{where} {span(0, length - 1)}", detail)
            return
        came, vouched = run.order.expected, max(length, run.signed_length)
        if came - vouched > UNREMEMBERED_MAX:
            detail = "more than the writer's next run remembers, and under no signature"
            self.problem("forged", f"{where} {span(vouched, came - 1)}", detail)
        elif came < length:
            run.order.skip_to(length)
        elif length >= came - 1:
            found = run.chain if length == came else run.chain_before
            if found is not None and found.hex() != chain:
                detail = "the digests in the log are not those that the writer's next run remembers"
                self.problem("forged", f"{where} {span(run.signed_length, came - 1)}", detail)


def span(first: int, last: int) -> str:
    """One number or two."""
    return f"{first}" if first == last else f"{first} to {last}"


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; the exit code."""
    parser = argparse.ArgumentParser(description="Check a log bundle of Caisson offline.")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--key", action="append", default=[], help="the log's public key, base64 (may be repeated)")
    parser.add_argument("--anchors", type=Path, help="the control zone's anchors.jsonl; default: those in the bundle")
    options = parser.parse_args(arguments)
    try:
        header, leaves, entries = read_bundle(options.bundle)
        keys = [base64.b64decode(key, validate=True) for key in options.key or header["log_keys"]]
        anchors = header["anchors"]
        if options.anchors:
            anchors = [json.loads(line) for line in options.anchors.read_text().splitlines()]
        verification = Verification(header, leaves, keys, anchors)
        problems = verification.run(entries)
    except (BundleError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        print(f"{options.bundle} is not a log bundle, or a key or anchor cannot be read ({error!r})", file=sys.stderr)
        return 2
    for line in problems[:PROBLEMS_SHOWN]:
        print(line)
    if not options.key:
        print(f"the log's key is the bundle's own word; compare it: {header['log_keys'][0]!r}", file=sys.stderr)
    print(
        f"{'broken' if problems else 'whole'}: entries {verification.first} to {verification.size - 1},"
        f" {verification.requests} requests, {verification.responses} responses, {len(verification.open)} not ended"
    )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
