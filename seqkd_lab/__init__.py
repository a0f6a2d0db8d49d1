"""seqkd_lab: sequence-level knowledge distillation (Kim & Rush 2016) understood by doing it, on a
CPU."""

from __future__ import annotations

__version__ = "0.1.0"
