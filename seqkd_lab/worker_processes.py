"""What each process needs that another one has started to work for it."""

from __future__ import annotations

import multiprocessing
import os
import threading


def end_with_parent() -> None:
    """Let this process end when the one that started it does, even if that one was killed."""

    def watch() -> None:
        parent = multiprocessing.parent_process()
        assert parent is not None, "this runs in a worker, which another process has started"
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
