"""The command `seqkd-lab`, which is also `python -m seqkd_lab`.

An interrupt is heard from the first lines on, since the imports of the command line take seconds.
"""

from __future__ import annotations

import os
import sys


def main() -> int:
    """Run the command line; return its exit code. An interrupt ends it with one line, at any
    moment."""
    try:
        from seqkd_lab import interrupts

        interrupts.listen()
    except KeyboardInterrupt:
        os._exit(130)
    code: int | str | None = interrupts.CODE
    try:
        from seqkd_lab import processes
        from seqkd_lab.cli import main

        code = main()
        processes.leave(code)
        return code
    except KeyboardInterrupt:  # a second one, while the first was answered
        return interrupts.CODE
    except SystemExit as stop:  # argparse has said what there is to say
        code = stop.code
        raise
    finally:
        interrupts.ended(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    sys.exit(main())
