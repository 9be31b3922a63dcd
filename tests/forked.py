"""Run a function in a forked child and get its result: what a process gives up for good, only a child can try."""

from __future__ import annotations

import json
import os
import signal
import traceback
from collections.abc import Callable
from typing import Any

SECONDS_MAX = 20


def in_child(function: Callable[[], Any]) -> Any:
    """What `function` returns in a child of its own (JSON values). Its failure fails the caller, with its traceback."""
    reads, writes = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reads)
        signal.alarm(SECONDS_MAX)
        try:
            document = {"value": function()}
        except BaseException:
            document = {"error": traceback.format_exc()}
        with os.fdopen(writes, "w") as out:
            json.dump(document, out)
        os._exit(0)
    os.close(writes)
    with os.fdopen(reads) as heard:
        text = heard.read()
    _, status = os.waitpid(pid, 0)
    assert text, f"the child said nothing and ended with {os.waitstatus_to_exitcode(status)}"
    document = json.loads(text)
    assert "error" not in document, document["error"]
    return document["value"]


def refused(action: Callable[[], Any]) -> str:
    """The errno name with which the action fails; `done` when it does not."""
    import errno

    try:
        result = action()
        if hasattr(result, "close"):
            result.close()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return "done"
