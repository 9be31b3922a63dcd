"""A conversation with a running system through stock botocore, as any program would hold it.

- Nothing of the user's AWS settings is read: not the files, not the variables, not a proxy.
- The history holds only what both sides accepted: a turn that was blocked, refused or stopped is left out, because it
  would be inspected, and blocked, with every later turn again.

>>> for piece in conversation.say("Hello"):  # doctest: +SKIP
...     print(piece.text, end="")
"""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from caisson.cli.aws_profile import Endpoint

TURNS_MAX = 100
DOCUMENTS_MAX = 5
DOCUMENT_BYTES_MAX = 4_718_592
"""Both as Amazon Bedrock bounds documents of a message: five, 4.5 MB each."""
READ_TIMEOUT_S = 310
"""Longer than the longest request the gateway allows, so that its own error arrives first."""
INTERVENED = "guardrail_intervened"


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Something the model says, as it comes."""

    kind: Literal["text", "reasoning", "tool"]
    text: str


@dataclass(kw_only=True)
class Turn:
    """One question and what became of it."""

    request_id: str = ""
    text: str = ""
    stop_reason: str = ""
    usage: dict[str, int] = field(default_factory=dict)
    error: str = ""
    """AWS error code and message; empty when the stream ended well."""

    @property
    def accepted(self) -> bool:
        """Whether it becomes part of the history."""
        return bool(self.text) and not self.error and self.stop_reason not in ("", INTERVENED)


def client(endpoint: Endpoint, credentials: Mapping[str, Any]) -> Any:
    """A Bedrock Runtime client for a session of the sign-in socket."""
    import botocore.session
    from botocore.config import Config

    nothing = (None, None, None, None)
    session = botocore.session.Session(
        session_vars={
            "profile": nothing,
            "config_file": (None, None, os.devnull, None),
            "credentials_file": (None, None, os.devnull, None),
        }
    )
    return session.create_client(
        "bedrock-runtime",
        region_name=endpoint.region,
        endpoint_url=endpoint.url,
        verify=endpoint.ca_bundle,
        aws_access_key_id=credentials["access_key_id"],
        aws_secret_access_key=credentials["secret_access_key"],
        aws_session_token=credentials["session_token"],
        config=Config(
            signature_version="v4",
            proxies={},
            read_timeout=READ_TIMEOUT_S,
            retries={"mode": "standard", "total_max_attempts": 1},
            user_agent_extra="caisson-chat",
        ),
    )


def document_block(path: Path) -> dict[str, Any]:
    """A file as a document of a message.

    Raises:
        OSError: it cannot be read.
        ValueError: it is larger than a document may be.
    """
    with path.open("rb") as file:
        content = file.read(DOCUMENT_BYTES_MAX + 1)
    if len(content) > DOCUMENT_BYTES_MAX:
        raise ValueError(f"{path}: expected at most {DOCUMENT_BYTES_MAX:,} bytes, found more")
    name = re.sub(r"[^A-Za-z0-9()\[\]-]+", " ", path.stem).strip() or "document"
    kind = path.suffix.lower().removeprefix(".")
    return {"document": {"name": name[:200], "format": kind or "txt", "source": {"bytes": content}}}


class Conversation:
    """The history, and how it grows."""

    def __init__(self, bedrock: Any, model_id: str, documents: Sequence[dict[str, Any]]) -> None:
        self._bedrock, self._model_id, self._documents = bedrock, model_id, list(documents)
        self._history: list[dict[str, Any]] = []
        self.turn = Turn()
        """The newest one."""

    @property
    def earlier(self) -> int:
        """Messages of the history, which are sent and inspected again with each turn."""
        return len(self._history)

    @property
    def full(self) -> bool:
        """Whether it takes no further turn."""
        return len(self._history) >= 2 * TURNS_MAX

    def begin(self) -> None:
        """Forget the history; the documents are sent again with the next message."""
        self._history, self.turn = [], Turn()

    def say(self, text: str) -> Generator[Piece, None, None]:
        """Send a message; the answer in pieces. Errors of the service end up in `turn.error`. Closing stops it."""
        from botocore.exceptions import BotoCoreError, ClientError

        self.turn = turn = Turn()
        attached = [] if self._history else self._documents
        asked = [*self._history, {"role": "user", "content": [*attached, {"text": text}]}]
        try:
            answer = self._bedrock.converse_stream(modelId=self._model_id, messages=asked)
            turn.request_id = answer["ResponseMetadata"]["RequestId"]
            with closing(answer["stream"]) as events:
                yield from self._pieces(events, turn)
        except ClientError as error:
            turn.request_id = turn.request_id or error.response.get("ResponseMetadata", {}).get("RequestId", "")
            turn.error = f"{error.response['Error'].get('Code', '')}: {error.response['Error'].get('Message', '')}"
        except BotoCoreError as error:
            turn.error = str(error)
        if turn.accepted:
            self._history = [*asked, {"role": "assistant", "content": [{"text": turn.text}]}]

    def _pieces(self, events: Any, turn: Turn) -> Generator[Piece, None, None]:
        block = -1
        for event in events:
            if "contentBlockDelta" in event:
                delta = event["contentBlockDelta"]["delta"]
                if delta.get("text"):
                    index = event["contentBlockDelta"]["contentBlockIndex"]
                    text = ("\n\n" if turn.text and index != block else "") + delta["text"]
                    block, turn.text = index, turn.text + text
                    yield Piece(kind="text", text=text)
                elif delta.get("reasoningContent", {}).get("text"):
                    yield Piece(kind="reasoning", text=delta["reasoningContent"]["text"])
            elif "toolUse" in event.get("contentBlockStart", {}).get("start", {}):
                yield Piece(kind="tool", text=event["contentBlockStart"]["start"]["toolUse"]["name"])
            elif "messageStop" in event:
                turn.stop_reason = event["messageStop"]["stopReason"]
            elif "metadata" in event:
                turn.usage = event["metadata"].get("usage", {})
