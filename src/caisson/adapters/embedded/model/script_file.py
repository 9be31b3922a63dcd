"""The file of the `script` upstream: strict, and every mistake is named with file, line and column.

    caisson_script: 1
    rules:
      - when: {contains: password}              # several conditions must all hold
        answer: {text: "I was told: {{system}}", cut: {every: 5}}
      - when: {matches: "refund .*", turn: 2}   # RE2 over the last user text; `in: anywhere` for the whole prompt
        answer: {content: [{tool_use: {name: refund, input: {claim: "{{last_user}}"}}}]}
      - when: {contains: busy}
        error: {kind: throttling}
    default:
      answer: {text: "I do not know."}

Texts may hold `{{system}}`, `{{last_user}}`, `{{history}}`, `{{document}}`, `{{tags}}` (the prompt's pseudonyms).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import msgspec
import re2
from msgspec import Meta
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from caisson.errors import StartError

SCRIPT_BYTES_MAX = 1_048_576
RULES_MAX = 1_000
DELAY_MS_MAX = 60_000
CUTS_MAX = 10_000
NESTING_MAX = 64
"""Levels of the file."""

Variable = Literal["system", "last_user", "history", "document", "tags"]
VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
VARIABLES = frozenset(get_args(Variable))


class _Object(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping of the file."""


class When(_Object, frozen=True, kw_only=True):
    """Conditions, all of which must hold."""

    contains: str | None = None
    """Letter case does not matter."""
    matches: str | None = None
    """RE2, found anywhere in the text."""
    where: Literal["last_user", "anywhere"] = msgspec.field(default="last_user", name="in")
    """Which text `contains` and `matches` look at."""
    model: str | None = None
    """The whole model id."""
    turn: Annotated[int, Meta(ge=1)] | None = None
    """Number of user turns in the request."""


class ToolUse(_Object, frozen=True, kw_only=True):
    """A request for a tool."""

    name: str
    input: dict[str, Any]
    id: str | None = None


class Reasoning(_Object, frozen=True, kw_only=True):
    """Reasoning, with a signature when the model signs it."""

    text: str
    signature: str = ""


class Piece(_Object, frozen=True, kw_only=True):
    """One content block, of exactly one kind."""

    text: str | None = None
    tool_use: ToolUse | None = None
    reasoning: Reasoning | None = None

    def __post_init__(self) -> None:
        if sum(kind is not None for kind in (self.text, self.tool_use, self.reasoning)) != 1:
            raise ValueError("Expected exactly one of text, tool_use, reasoning")


class Cut(_Object, frozen=True, kw_only=True):
    """Where streamed blocks are cut into deltas: after every so many characters, or at these offsets."""

    every: Annotated[int, Meta(ge=1)] | None = None
    at: Annotated[list[Annotated[int, Meta(ge=1)]], Meta(max_length=CUTS_MAX)] | None = None

    def __post_init__(self) -> None:
        if (self.every is None) == (self.at is None):
            raise ValueError("Expected exactly one of every, at")


class Usage(_Object, frozen=True, kw_only=True):
    """What the model says it counted."""

    input_tokens: Annotated[int, Meta(ge=0)]
    output_tokens: Annotated[int, Meta(ge=0)]


class Answer(_Object, frozen=True, kw_only=True):
    """What the model says."""

    text: str | None = None
    content: Annotated[list[Piece], Meta(max_length=RULES_MAX)] | None = None
    cut: Cut | None = None
    """Without one, a delta a word."""
    usage: Usage | None = None
    """Without one, the estimate of policy/tokens.py."""
    delay_ms: Annotated[int, Meta(ge=0, le=DELAY_MS_MAX)] = 0
    """Before each delta of a stream, and before a whole answer."""
    stop_reason: str | None = None
    """Without one, `tool_use` when a tool is asked for, else `end_turn`."""

    def __post_init__(self) -> None:
        if (self.text is None) == (self.content is None):
            raise ValueError("Expected exactly one of text, content")

    def pieces(self) -> list[Piece]:
        """The content blocks."""
        return self.content if self.content is not None else [Piece(text=self.text)]


class Failure(_Object, frozen=True, kw_only=True):
    """How the endpoint fails."""

    kind: Literal["throttling", "timeout", "unavailable", "validation", "nonsense"]
    after_characters: Annotated[int, Meta(ge=0)] | None = None
    """Only then, in the middle of the rule's answer."""


class Reply(_Object, frozen=True, kw_only=True):
    """An answer, a failure, or an answer that fails on its way."""

    answer: Answer | None = None
    error: Failure | None = None

    def __post_init__(self) -> None:
        midway = self.error is not None and self.error.after_characters is not None
        if midway != (self.answer is not None and self.error is not None):
            raise ValueError("Expected error.after_characters exactly where there is an answer to break")
        if self.answer is None and self.error is None:
            raise ValueError("Expected answer or error")


class Rule(Reply, frozen=True, kw_only=True):
    """A reply and when it is given. The first rule that holds answers."""

    when: When


class Script(_Object, frozen=True, kw_only=True):
    """The file."""

    caisson_script: Literal[1]
    default: Reply
    rules: Annotated[list[Rule], Meta(max_length=RULES_MAX)] = []


def compiled(pattern: str) -> Any:
    """An RE2 pattern: linear time, whatever text a hostile client sends.

    Raises:
        re2.error: it is not one.
    """
    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern, options)


def load(path: Path) -> Script:
    """Read a script.

    Raises:
        StartError: it cannot be read or is wrong; one `file:line:column: …` line.
    """
    try:
        if path.stat().st_size > SCRIPT_BYTES_MAX:
            raise StartError(f"{path}: expected a script of at most {SCRIPT_BYTES_MAX} bytes, found a larger file")
        return parse(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise StartError(f"{path}: the script cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise StartError(f"{path}: expected UTF-8, found something else at byte {error.start}") from error


def parse(text: str, name: str) -> Script:
    """The script in `text`; `name` begins each message.

    Raises:
        StartError: as `load`.
    """
    yaml = YAML(typ="safe", pure=True)
    try:
        root, plain = yaml.compose(text), yaml.load(text)
        script = msgspec.convert(plain, Script)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{mark.line + 1}:{mark.column + 1}" if mark else "1:1"
        raise StartError(f"{name}:{place}: expected valid YAML: {error.problem}") from error
    except (YAMLError, RecursionError) as error:
        raise StartError(f"{name}:1:1: expected YAML, found something else") from error
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        raise StartError(f"{name}:{_place(root, path.rstrip('`'), message)}: {message}") from error
    _check_leaves(root, name)
    return script


_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_FIELD = re.compile(r"unknown field `(.*)`")


def _place(node: Node | None, path: str, message: str) -> str:
    """Line and column of the value that msgspec calls `path`; of the key, for an unknown field."""
    for key, index in _STEP.findall(path):
        if isinstance(node, MappingNode):
            node = next((value for name, value in node.value if name.value == key), node)
        elif isinstance(node, SequenceNode) and index:
            node = node.value[int(index)]
    if isinstance(node, MappingNode) and (unknown := _FIELD.search(message)):
        node = next((name for name, _ in node.value if name.value == unknown[1]), node)
    return _mark(node)


def _mark(node: Node | None) -> str:
    return f"{node.start_mark.line + 1}:{node.start_mark.column + 1}" if node is not None else "1:1"


def _check_leaves(root: Node, name: str) -> None:
    """Variables exist and patterns compile, checked where their position is known."""
    pending: list[tuple[str, Node, int]] = [("", root, 0)]
    while pending:
        key, node, depth = pending.pop()
        if depth > NESTING_MAX:
            raise StartError(f"{name}:{_mark(node)}: expected at most {NESTING_MAX} levels, found more")
        if isinstance(node, MappingNode):
            pending += [(str(named.value), value, depth + 1) for named, value in node.value]
        elif isinstance(node, SequenceNode):
            pending += [("", value, depth + 1) for value in node.value]
        elif key == "matches":
            try:
                compiled(node.value)
            except re2.error as error:
                raise StartError(
                    f"{name}:{_mark(node)}: expected an RE2 pattern, found one that does not compile"
                ) from error
        elif unknown := set(VARIABLE.findall(str(node.value))) - VARIABLES:
            found = ", ".join(sorted(unknown))
            expected = ", ".join(sorted(VARIABLES))
            raise StartError(f"{name}:{_mark(node)}: expected a variable of {expected}, found {found}")
