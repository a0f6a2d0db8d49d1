"""Texts that a page, a picture or a terminal must not obey, and any number of mixtures of them."""

from __future__ import annotations

import random
from collections.abc import Iterator

CANARY = "window.__payload_ran=1"
HTML = (
    f"<script>{CANARY}</script>",
    f"<img src=x onerror={CANARY}>",
    f'"><svg/onload={CANARY}>',
    f"'><svg onload='{CANARY}'>",
    f'<a href="javascript:{CANARY}">x</a>',
    f"</div></td></table></style></textarea><script>{CANARY}</script>",
    f"<iframe srcdoc='<script>parent.__payload_ran=1</script>'></iframe><b onclick={CANARY}>",
    f"<style>*{{background:url(//elsewhere.invalid/{CANARY})}}</style>",
    "<link rel=stylesheet href=//elsewhere.invalid/x.css><meta http-equiv=refresh content=0>",
    f"<!-- --!><img src=x onerror={CANARY}> -->",
    f"<![CDATA[<img src=x onerror={CANARY}>]]>",
    f"&lt;script&gt;{CANARY}&lt;/script&gt; &#60;b&#62; &amp;lt;i&amp;gt; &notanentity",
    f"<scr<script>ipt>{CANARY}</scr</script>ipt>",
    f"<IMG\x0cSRC=x\x0cONERROR={CANARY}//",
    f"`<b>{CANARY}</b>` **<i onmouseover={CANARY}>x</i>** *<u>*",
    f"[x](javascript:{CANARY}) ![x](//elsewhere.invalid/x.png)",
    f"""'"`<input autofocus onfocus='{CANARY}'>""",
    f"<math><mtext><table><mglyph><style><img src=x onerror={CANARY}>",
)
"""Markup; its scripts set a variable that the test in a browser looks for."""
MATHEMATICS = ("$\\frac{", "$", "$$", "\\", "$x^{$_", "\\$", "%$#&_{}~^", "_label", "{0} %s %(x)d")
CONTROLS = (
    "\x1b[31mred\x1b[0m",
    "\x1b[2J\x1b[H\x1b]0;title\x07",
    "\x1bPq\x1b\\\x9b31m\x90\x9c",
    "a\rOVERWRITTEN",
    "a\bb\x7f\x00\x01\x1f\x85",
    "\u202eesrever\u202c \u2066x\u2069\u200f",
    "line\nfeed\tand\u2028others\u2029",
    "\ud800 half \udfff",
    "zero\u200bwidth\ufeff\xad",
    "\U000e0041\U000e007f",
)
WRITINGS = ("😀👩‍👩‍👧🏴‍☠️", "שלום עולם", "مرحبا", "日本語", "é" * 50, "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢", "\xa0\u202f", "")
LONG = ("x" * 100_000, "<b>" * 30_000, "the " * 25_000, "$" * 100_000, "\x1b" * 10_000)
SHORT = (*HTML, *MATHEMATICS, *CONTROLS, *WRITINGS)
ALL = (*SHORT, *LONG)


def mixtures(seed: int, pieces: tuple[str, ...] = SHORT) -> Iterator[str]:
    """Yield the texts themselves, then without end two to four of them in one another; the same for
    the same seed."""
    yield from pieces
    chance = random.Random(seed)
    while True:
        text = ""
        for piece in chance.sample(pieces, chance.randint(2, 4)):
            at = chance.randint(0, len(text))
            text = text[:at] + chance.choice(("", " ", "the ", ">", '"')) + piece + text[at:]
        yield text


def words(texts: tuple[str, ...] = SHORT) -> list[str]:
    """Return the texts as words, which hold no blanks: what a vocabulary may hold."""
    return sorted({"\u00b7".join(text.split()) for text in texts if text.split()})
