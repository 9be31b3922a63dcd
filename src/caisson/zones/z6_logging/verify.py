"""Whether the log is whole: nothing edited, missing, reordered, truncated, replayed, forged or incomplete (LOG-07).

    1 anchors and checkpoints   signed by this log, sizes only grow
    2 tree                      the leaves give every signed root, and reach as far as what was signed
    3 entries                   each hashes to its leaf, in order, once
    4 writers                   each chain is gapless and gives what its writer signed
    5 exchanges                 each request has its response, or is still open

Read in this order, the log may grow meanwhile: what is read later covers what was read before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from caisson.policy.merkle import HASH_BYTES, Frontier
from caisson.ports.archive import ArchiveReader, Entry, Unreadable
from caisson.zones.z6_logging.chains import WriterChains
from caisson.zones.z6_logging.checkpoints import Checkpoint, is_signed, parse_note
from caisson.zones.z6_logging.exchanges import Exchanges
from caisson.zones.z6_logging.order import Order
from caisson.zones.z6_logging.problems import KINDS, Problem, ProblemKind, Problems

PROGRESS_ENTRIES = 512
STATEMENTS = frozenset({"head.v1", "key.v1", "fault.v1"})
"""Kinds that the logging zone itself states; everything else comes from a writer's record."""


@dataclass(frozen=True, kw_only=True)
class Anchor:
    """A checkpoint as another zone keeps it."""

    checkpoint: Checkpoint
    """Without an origin, the log has no checkpoint left to tell it: the root is compared, the signature cannot be."""
    signature: bytes


@dataclass(frozen=True, kw_only=True)
class Report:
    """What verification saw."""

    size: int
    """Leaves in the tree."""
    root: str
    """Hex."""
    signed_size: int
    """Leaves under the newest checkpoint; those behind it wait for the next."""
    entries: int
    requests: int
    responses: int
    open_requests: int
    """Requests without a response whose deadline has not passed."""
    writers: int
    """Runs of writers."""
    heads: int
    unsigned_records: int
    """Records that no signed head of their writer covers yet."""
    checkpoints: int
    anchors: int
    problems: tuple[Problem, ...]
    problems_omitted: int

    @property
    def whole(self) -> bool:
        """Nothing is wrong."""
        return not self.problems


@dataclass(frozen=True, kw_only=True)
class _Claim:
    """A root that someone signed or keeps."""

    where: str
    number: int | None
    size: int
    root: bytes


def verify(
    archive: ArchiveReader,
    *,
    log_keys: Sequence[bytes],
    anchors: Iterable[Anchor] = (),
    now: float,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Report:
    """Check everything.

    Args:
        log_keys: raw public keys that may have signed checkpoints.
        anchors: what the control zone keeps, read before this call.
        now: Unix time against which deadlines are held.
        progress: called now and then with entries done and in all.
    """
    problems = Problems()
    claims, anchor_count = _anchor_claims(anchors, log_keys, problems)
    anchored = max((claim.size for claim in claims), default=0)
    checkpoint_claims = _checkpoint_claims(archive, log_keys, problems)
    signed = max((claim.size for claim in checkpoint_claims), default=0)
    if anchored > signed:
        detail = f"the control zone holds one of {anchored} leaves, the log's newest has {signed}"
        problems.add("truncated", "checkpoints", detail=detail)
    leaves = b"".join(archive.leaves())
    size, root = _check_tree(leaves, [*checkpoint_claims, *claims], problems)
    chains, exchanges = WriterChains(problems=problems), Exchanges(problems=problems)
    entries = _check_entries(archive, leaves, chains, exchanges, problems, progress)
    chains.finish()
    open_requests = exchanges.finish(now)
    found = sorted(problems.found, key=lambda problem: KINDS.index(problem.kind))
    return Report(
        size=size,
        root=root.hex(),
        signed_size=signed,
        entries=entries,
        requests=exchanges.requests,
        responses=exchanges.responses,
        open_requests=open_requests,
        writers=chains.writers,
        heads=chains.heads,
        unsigned_records=chains.unsigned,
        checkpoints=len(checkpoint_claims),
        anchors=anchor_count,
        problems=tuple(found),
        problems_omitted=problems.omitted,
    )


def _signed_by_any(checkpoint: Checkpoint, signature: bytes, log_keys: Sequence[bytes]) -> bool:
    return any(is_signed(checkpoint.text.encode(), signature, key) for key in log_keys)


def _anchor_claims(
    anchors: Iterable[Anchor], log_keys: Sequence[bytes], problems: Problems
) -> tuple[list[_Claim], int]:
    claims: list[_Claim] = []
    count = 0
    for number, anchor in enumerate(anchors):
        count += 1
        point = anchor.checkpoint
        if not point.origin or _signed_by_any(point, anchor.signature, log_keys):
            claims.append(_Claim(where="anchor", number=number, size=point.size, root=point.root))
        else:
            problems.add("forged", "anchor", number, detail="the log's key did not sign it")
    return claims, count


def _checkpoint_claims(archive: ArchiveReader, log_keys: Sequence[bytes], problems: Problems) -> list[_Claim]:
    claims: list[_Claim] = []
    for number, note in enumerate(archive.checkpoints()):
        try:
            checkpoint, signature = parse_note(note)
        except ValueError as error:
            problems.add("edited", "checkpoint", number, detail=str(error))
            continue
        if not _signed_by_any(checkpoint, signature, log_keys):
            problems.add("forged", "checkpoint", number, detail="the log's key did not sign it")
            continue
        if claims and checkpoint.size <= claims[-1].size:
            again = checkpoint.size == claims[-1].size
            detail = "it is not larger than the one before"
            problems.add("replayed" if again else "reordered", "checkpoint", number, detail=detail)
        claims.append(_Claim(where="checkpoint", number=number, size=checkpoint.size, root=checkpoint.root))
    return claims


def _check_tree(leaves: bytes, claims: list[_Claim], problems: Problems) -> tuple[int, bytes]:
    """Compare every claimed root with that of the leaves; the tree's size and root."""
    tree = Frontier()
    size = len(leaves) // HASH_BYTES
    agreed = 0
    for claim in sorted(claims, key=lambda claim: claim.size):
        if claim.size > size:
            detail = f"it was signed over {claim.size} leaves, the tree has {size}"
            problems.add("truncated", claim.where, claim.number, detail=detail)
            continue
        tree.extend(_slices(leaves, tree.size, claim.size))
        if tree.root() == claim.root:
            agreed = claim.size
        else:
            detail = f"the leaves do not give the root that was signed; they do up to {agreed} leaves"
            problems.add("edited", claim.where, claim.number, detail=detail)
    tree.extend(_slices(leaves, tree.size, size))
    return size, tree.root()


def _slices(leaves: bytes, start: int, stop: int) -> Iterable[bytes]:
    return (leaves[at : at + HASH_BYTES] for at in range(start * HASH_BYTES, stop * HASH_BYTES, HASH_BYTES))


def _check_entries(
    archive: ArchiveReader,
    leaves: bytes,
    chains: WriterChains,
    exchanges: Exchanges,
    problems: Problems,
    progress: Callable[[int, int], None],
) -> int:
    """Check each entry against its leaf and hand it on; how many there are."""
    size, order, count, unreadable = len(leaves) // HASH_BYTES, Order(), 0, False
    for item in archive.scan():
        if isinstance(item, Unreadable):
            problems.add("edited", item.where, detail=item.detail)
            unreadable = chains.keys_lost = True
            continue
        count += 1
        if count % PROGRESS_ENTRIES == 0:
            progress(count, size)
        _check_entry(item, leaves, order, chains, problems)
        chains.take(item)
        exchanges.take(item)
    progress(count, size)
    for first, last in order.gaps:
        detail = "they could not be read" if unreadable else "the tree has them, the archive has not"
        problems.add("missing", "entry", first, to=last, detail=detail)
    if order.expected < size:
        detail = "the archive ends before the tree does"
        problems.add("truncated", "entry", order.expected, to=size - 1, detail=detail)
    return count


def _check_entry(entry: Entry, leaves: bytes, order: Order, chains: WriterChains, problems: Problems) -> None:
    verdict = order.take(entry.index)
    if verdict == "gap":
        chains.keys_lost = True
    elif verdict == "late":
        problems.add("reordered", "entry", entry.index, detail="it stands behind later entries")
    elif verdict == "again":
        problems.add("replayed", "entry", entry.index, detail="the archive holds it twice")
    at = entry.index * HASH_BYTES
    if 0 <= at < len(leaves) and leaves[at : at + HASH_BYTES] != entry.leaf_hash:  # behind: appended since
        problems.add("edited", "entry", entry.index, detail="its content is not what was hashed when it was archived")
    kind = entry.event.get("kind")
    if entry.sequence < 0 and kind not in STATEMENTS:
        problems.add("forged", "entry", entry.index, detail="an event that no writer's record stands behind")
    if entry.sequence < 0 and kind == "fault.v1":
        fault = str(entry.event.get("fault"))
        known: ProblemKind = next((name for name in KINDS if name == fault), "damaged")
        where = f"channel of {entry.event.get('writer')} at {entry.event.get('where')}"
        problems.add(known, where, detail=str(entry.event.get("detail", "")))
