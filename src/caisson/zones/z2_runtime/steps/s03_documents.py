"""Step 3, documents: what is not text becomes text, so that everything after sees all there is (NET-02, DAT-06).

After the session, so that no stranger makes anything read; before the budget, because only the text says what it costs.
The bytes go no further.
"""

from __future__ import annotations

from caisson.errors import CallerError, Refusal, WireError
from caisson.ports.extractor import DOCUMENTS_MAX, Unreadable
from caisson.zones.z2_runtime.exchange import Exchange


async def run(exchange: Exchange) -> Refusal | None:
    """Extract each document, one after the other; the first that cannot be read refuses the request by name."""
    conversation, principal, _ = exchange.known()
    waiting = conversation.unread
    if not waiting:
        return None
    if len(waiting) > DOCUMENTS_MAX:
        message = (
            f"request: expected at most {DOCUMENTS_MAX} documents that are not text, found {len(waiting)}; split it."
        )
        return Refusal(error=WireError.VALIDATION, rule="document.count", message=message)
    texts: list[str] = []
    for found in waiting:
        text = await exchange.runtime.extractor.text(found.document, found.format, owner=principal.root_session_id)
        if isinstance(text, Unreadable):
            return Refusal(error=text.error, rule=text.rule, message=f"{found.path}: {text.message}.")
        texts.append(text)
    read = conversation.with_extracted(texts)
    try:
        read.check_bounds()
    except CallerError as error:
        return error.refusal
    exchange.conversation = read
    return None
