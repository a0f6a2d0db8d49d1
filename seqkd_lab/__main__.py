"""`python -m seqkd_lab` is the command `seqkd-lab`."""

from __future__ import annotations

import sys

from seqkd_lab.cli import main

if __name__ == "__main__":
    sys.exit(main())
