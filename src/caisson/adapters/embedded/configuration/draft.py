"""The next configuration version while it collects signatures.

- A signature counts for every payload of the draft or not at all: configuration and, when it changes, the root.
- Enough is what the root in force asks for, and what the new root asks for too: nobody lowers the number alone.
- A draft on disk is either complete or waiting; a crash in the middle of a publication leaves it complete, and it is
  finished at the next start.

>>> draft.missing(root_in_force)  # doctest: +SKIP
1
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from securesystemslib.exceptions import UnverifiedSignatureError, VerificationError
from securesystemslib.signer import Signature
from tuf.api.metadata import Metadata, Root, Targets

from caisson.adapters.embedded.configuration.client import ROLE_BYTES_MAX, ROOT_BYTES_MAX
from caisson.adapters.embedded.configuration.documents import CONTENT_BYTES_MAX
from caisson.adapters.embedded.configuration.folder import read_plain, sync, write_whole
from caisson.adapters.embedded.configuration.history import change_of, content_hash, signed_by
from caisson.adapters.embedded.configuration.signing import operator_key
from caisson.errors import ConfigurationError
from caisson.ports.configuration import Staged

_FILE_BYTES_MAX = 2 * CONTENT_BYTES_MAX + ROLE_BYTES_MAX + ROOT_BYTES_MAX
"""The content is a JSON string in the file: quotes are escaped."""


class _File(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    targets: dict[str, Any]
    root: dict[str, Any] | None
    content: str


@dataclass(frozen=True, kw_only=True)
class Draft:
    """See the module."""

    targets: Metadata[Targets]
    root: Metadata[Root] | None
    """The new root, when it changes with this version."""
    content: bytes
    """Bytes of `configuration.json`."""

    @property
    def version(self) -> int:
        """The version that it becomes."""
        return self.targets.signed.version

    @property
    def payloads(self) -> tuple[bytes, ...]:
        """What an operator signs."""
        roots = () if self.root is None else (self.root.signed_bytes,)
        return (self.targets.signed_bytes, *roots)

    def add(self, key_id: str, signatures: Sequence[bytes], in_force: Root | None) -> None:
        """Add an operator's signatures over the payloads, in their order.

        Raises:
            ConfigurationError: the key is no operator's, or a signature is not the key's over its payload.
        """
        key = operator_key(self._delegator(in_force), key_id)
        if len(signatures) != len(self.payloads):
            raise ConfigurationError(f"expected {len(self.payloads)} signatures, found {len(signatures)}")
        signed = [Signature(key.keyid, signature.hex()) for signature in signatures]
        for signature, payload in zip(signed, self.payloads, strict=True):
            try:
                key.verify_signature(signature, payload)
            except (UnverifiedSignatureError, VerificationError) as error:
                raise ConfigurationError(
                    f"forged: the signature is not key {key_id!r}'s over what is staged; sign what is staged now"
                ) from error
        self.targets.signatures[key.keyid] = signed[0]
        if self.root is not None:
            self.root.signatures[key.keyid] = signed[1]

    def missing(self, in_force: Root | None) -> int:
        """Signatures of further operators that it needs."""
        payload, signatures = self.targets.signed_bytes, self.targets.signatures
        results = [self._delegator(in_force).get_verification_result(Targets.type, payload, signatures)]
        if self.root is not None:
            both = self.root.signed.get_root_verification_result(in_force, self.root.signed_bytes, self.root.signatures)
            results += [both.first, both.second]
        return max(result.missing for result in results)

    def approvers(self, in_force: Root | None) -> tuple[str, ...]:
        """Operators who signed."""
        return signed_by(self._delegator(in_force), set(self.targets.signatures))

    def first_root(self) -> Metadata[Root]:
        """The root of a first version.

        Raises:
            ConfigurationError: it has none.
        """
        if self.root is None:
            raise ConfigurationError("damaged: a first version without a root; publish again")
        return self.root

    def staged(self, in_force: Root | None) -> Staged:
        """What others may know of it."""
        return Staged(
            version=self.version,
            sha256=content_hash(self.targets.signed),
            change=change_of(self.targets.signed),
            approvers=self.approvers(in_force),
            missing=self.missing(in_force),
            payloads=self.payloads,
        )

    def write(self, path: Path) -> None:
        """Keep it across a crash.

        Raises:
            OSError: the disk refused.
        """
        file = _File(
            targets=self.targets.to_dict(),
            root=None if self.root is None else self.root.to_dict(),
            content=self.content.decode(),
        )
        write_whole(path, msgspec.json.encode(file), mode=0o600)
        sync(path.parent)

    @classmethod
    def read(cls, path: Path) -> Draft | None:
        """What `write` kept; None when there is none.

        Raises:
            ConfigurationError: it is damaged.
        """
        try:
            file = msgspec.json.decode(read_plain(path, bytes_max=_FILE_BYTES_MAX), type=_File)
            return cls(
                targets=Metadata[Targets].from_dict(file.targets),
                root=None if file.root is None else Metadata[Root].from_dict(file.root),
                content=file.content.encode(),
            )
        except FileNotFoundError:
            return None
        except (OSError, ConfigurationError, msgspec.MsgspecError, ValueError, KeyError, TypeError) as error:
            raise ConfigurationError(f"damaged: what is staged in {path}; remove it and publish again") from error

    def _delegator(self, in_force: Root | None) -> Root:
        return self.first_root().signed if in_force is None else in_force
