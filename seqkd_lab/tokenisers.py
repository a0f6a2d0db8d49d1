"""Which of sacreBLEU's tokenisers suits a text, by the scripts that it is written in."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable

WORDS = "13a"
"""sacreBLEU's tokeniser by spaces and punctuation."""


CHINESE = "zh"
"""Every Chinese character is a token."""


CHARACTERS = "char"
"""Every character is a token."""


TOKENISERS = (WORDS, CHARACTERS, "intl", "ja-mecab", "ko-mecab", "none", CHINESE)
"""Those that need no download; the two of mecab need sacreBLEU's own extras."""


_HAN = "Han"


_UNSPACED = "other scripts without spaces"


_BLOCKS = (
    (0x0E00, 0x0FFF, _UNSPACED),  # Thai, Lao, Tibetan
    (0x1000, 0x109F, _UNSPACED),  # Burmese
    (0x1780, 0x17FF, _UNSPACED),  # Khmer
    (0x1950, 0x19FF, _UNSPACED),  # Tai Le, New Tai Lue
    (0x1A20, 0x1AAF, _UNSPACED),  # Tai Tham
    (0x1B00, 0x1B7F, _UNSPACED),  # Balinese
    (0x2E80, 0x2FDF, _HAN),
    (0x3005, 0x3007, _HAN),
    (0x3040, 0x30FF, _UNSPACED),  # Hiragana, Katakana
    (0x3100, 0x312F, _HAN),
    (0x31A0, 0x31BF, _HAN),
    (0x31F0, 0x31FF, _UNSPACED),  # Katakana
    (0x3400, 0x4DBF, _HAN),
    (0x4E00, 0x9FFF, _HAN),
    (0xA000, 0xA4CF, _UNSPACED),  # Yi
    (0xA980, 0xA9FF, _UNSPACED),  # Javanese, Burmese
    (0xAA60, 0xAADF, _UNSPACED),  # Burmese, Tai Viet
    (0xF900, 0xFAFF, _HAN),
    (0xFF66, 0xFF9F, _UNSPACED),  # Katakana, half width
    (0x20000, 0x3FFFF, _HAN),
)
"""First and last character of the blocks whose letters make words without spaces between them."""


_STARTS = [first for first, *_ in _BLOCKS]


LETTERS_PER_HAN = 3
"""A Chinese character says about as much as three letters: a text of both is judged by what either
says."""


LEAST_SHARE = 1 / 3
"""A text with more than this share of letters in scripts without spaces is written without them."""


LEAST_HAN = 0.9
"""Chinese has hardly a letter of another unspaced script; Japanese has kana in every sentence."""


def script_of(letter: str) -> str | None:
    """Return the kind of script without spaces that `letter` belongs to, None for a script with
    spaces."""
    block = bisect_right(_STARTS, ord(letter)) - 1
    return _BLOCKS[block][2] if block >= 0 and ord(letter) <= _BLOCKS[block][1] else None


def tokeniser_of(texts: Iterable[str]) -> str:
    """Return sacreBLEU's tokeniser for `texts`, by the share of their letters: CHINESE, CHARACTERS
    for Japanese, Thai, Khmer, Lao, Burmese, Tibetan and other scripts written without spaces, else
    WORDS (Korean has spaces).

    A German text with a Chinese name stays with WORDS, a Chinese text with Latin names of products
    with CHINESE.
    """
    characters: Counter[str] = Counter()
    for text in texts:
        characters.update(text)
    letters: Counter[str | None] = Counter()
    for character, count in characters.items():
        # letters, and the vowel signs of the Indian family of scripts
        if unicodedata.category(character)[0] in "LM":
            letters[script_of(character)] += count
    han, others = letters[_HAN], letters[_UNSPACED]
    unspaced = LETTERS_PER_HAN * han + others
    if unspaced <= LEAST_SHARE * (unspaced + letters[None]):
        return WORDS
    return CHINESE if han >= LEAST_HAN * (han + others) else CHARACTERS
