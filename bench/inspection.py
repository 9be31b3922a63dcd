"""What the deterministic inspection of 4 KB costs: `python -m bench.inspection`.

Best of several rounds, because other processes only ever add time. Budget of DESIGN.md: 100 µs for a clean prompt.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import perf_counter

from caisson.adapters.embedded.guardrail import EmbeddedGuardrail
from caisson.detect.redaction import Redactor
from caisson.ports.guardrail import InspectionContext, Part
from caisson.system.loader import load

CHARACTERS = 4_096
ROUNDS, CALLS = 30, 20
CHUNK_CHARACTERS = 20
"""About five tokens, as models stream them."""
CONTEXT = InspectionContext(session_id="bench", pseudonym_key=bytes(32), guardrail="main")
CLEAN = "The adjuster reviewed the claim on Monday and found that the water damage was covered by the policy. "
TEXTS = {
    "clean English": CLEAN,
    "clean, accented": CLEAN.replace("e", "é"),
    "clean Chinese": "理赔员周一审查了索赔，发现水损属于保险单承保范围。",
    "one address a sentence": CLEAN + "Write to alice@example.com. ",
    "digits": "1234 5678 9012 3456 ",
}


async def best_us(call: Callable[[], Awaitable[object]]) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        began = perf_counter()
        for _ in range(CALLS):
            await call()
        best = min(best, (perf_counter() - began) / CALLS)
    return best * 1e6


async def main() -> None:
    began = perf_counter()
    guardrail = EmbeddedGuardrail(load(Path("examples/claims/caisson.yaml")), 1)
    compiled_ms = (perf_counter() - began) * 1e3
    redactor = Redactor()
    print(f"compiling the guardrail of examples/claims: {compiled_ms:.0f} ms, once")
    print(f"{'4 KB of':24}{'input':>9}{'answer':>9}{'a chunk':>9}{'redact':>9}  (µs)")
    for name, sentence in TEXTS.items():
        text = (sentence * (CHARACTERS // len(sentence) + 1))[:CHARACTERS]
        chunks = [text[at : at + CHUNK_CHARACTERS] for at in range(0, CHARACTERS, CHUNK_CHARACTERS)]

        async def inspect(text: str = text) -> None:
            await guardrail.inspect_input([Part(text=text, role="user", path="messages[0]")], CONTEXT)

        async def answer(text: str = text) -> None:
            output = guardrail.open_output(CONTEXT, {})
            await output.feed(0, text)
            await output.finish(0)

        async def stream(chunks: list[str] = chunks) -> None:
            output = guardrail.open_output(CONTEXT, {"[EMAIL_7f3a9c]": "alice@example.com"})
            for chunk in chunks:
                await output.feed(0, chunk)
            await output.finish(0)

        async def redact(text: str = text) -> None:
            redactor.redact(text, CONTEXT.pseudonym_key)

        figures = [
            await best_us(inspect),
            await best_us(answer),
            await best_us(stream) / len(chunks),
            await best_us(redact),
        ]
        print(f"{name:24}" + "".join(f"{figure:9.1f}" for figure in figures))


if __name__ == "__main__":
    asyncio.run(main())
