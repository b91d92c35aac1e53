"""The end of a process: what it accepted is made durable."""

from __future__ import annotations

import atexit
import os
import sys

from modeltrail import _native

atexit.register(_native.close_all)
os.register_at_fork(after_in_child=_native.after_fork)


def enter() -> None:
    """Called once by each process that records. A child of `multiprocessing` ends without `atexit`."""
    process = sys.modules.get("multiprocessing.process")
    if process is None or process.parent_process() is None:
        return
    from multiprocessing.util import Finalize

    # After the finalizers of the program's own, which have higher numbers.
    Finalize(None, _native.close_all, exitpriority=-100)
