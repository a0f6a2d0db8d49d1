"""What the doctor finds, and how it is reported: a table in plain text, and an exit code."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

OK = "ok"
WARNING = "warning"
PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """One thing examined: its name, OK, WARNING or PROBLEM, what was found, and how to fix it."""

    name: str
    status: str
    detail: str
    advice: str = ""


def exit_code(findings: Sequence[Finding]) -> int:
    """Return 1 if any of the findings is a problem, else 0; warnings do not count."""
    return int(any(finding.status == PROBLEM for finding in findings))


def table(findings: Sequence[Finding], width: int = 100) -> str:
    """Return the findings as text: status, name and detail, the advice below its finding, and a
    last line with the numbers of problems and warnings."""
    column = max(len(finding.name) for finding in findings) + 2
    margin = " " * (9 + column)
    lines = []
    for finding in findings:
        head = f"{finding.status:<9}{finding.name:<{column}}"
        lines.append(
            textwrap.fill(finding.detail, width, initial_indent=head, subsequent_indent=margin)
        )
        if finding.advice:
            advice = textwrap.TextWrapper(
                width,
                initial_indent=f"{margin}-> ",
                subsequent_indent=f"{margin}   ",
                break_long_words=False,  # a command must stay whole for copying
                break_on_hyphens=False,
            )
            lines.append(advice.fill(finding.advice))
    statuses = [finding.status for finding in findings]
    lines.append(f"\n{statuses.count(PROBLEM)} problem(s), {statuses.count(WARNING)} warning(s)")
    return "\n".join(lines)
