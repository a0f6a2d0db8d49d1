"""The check of the lessons' prose: each of its rules on small notebooks, then the lessons
themselves."""

from __future__ import annotations

import json
from functools import cache

import check_prose
import prose_text
import pytest
from check_prose import GLOSSARY, QUESTION, SENTENCE, TERM, WORD, Finding, Lesson
from glossary import Term, read_glossary, update_glossary
from hypothesis import given
from hypothesis import strategies as st
from private_words import PRIVATE_WORDS
from prose_text import Block

REWRITTEN = [f"{number:02}" for number in range(9)]
CARD = "# 01 · Words\n\n| | |\n|---|---|\n| **What you can do after it** | explain BLEU |\n"
TERMS = [
    Term("BLEU", (), "A score.", 5),
    Term("greedy search", ("greedy",), "A search.", 5),
    Term("mode", (), "A word.", 5),
    Term("hypothesis", (), "A try.", 5),
    Term("entropy", (), "A number.", 5),
    Term("loss", (), "A number.", -1),
]


def lesson(*cells: str, number: str = "00") -> Lesson:
    """A lesson of these cells; one that begins with "code:" is a code cell."""
    made = [
        {
            "id": f"c{index}",
            "cell_type": "code" if text.startswith("code:") else "markdown",
            "source": text.removeprefix("code:").splitlines(keepends=True),
        }
        for index, text in enumerate(cells)
    ]
    return check_prose.parse(f"{number}_test.ipynb", {"cells": made})


def findings(kind: str, *lessons: Lesson) -> list[Finding]:
    return [finding for finding in check_prose.check(lessons, TERMS) if finding.kind == kind]


def cells_with(kind: str, *lessons: Lesson) -> list[tuple[str, str]]:
    return [(finding.lesson, finding.cell) for finding in findings(kind, *lessons)]


class TestTerms:
    @pytest.mark.parametrize(
        "use",
        [
            "The BLEU rises.",
            "Both modes are near.",
            "Two hypotheses remain.",
            "MODE of it",
            "# The mode",
            "- greedy",
            "| a | mode |\n|---|---|\n| b | c |",
            "*mode*",
            "Greedy\nsearch goes on",
            "a mode-seeking loss",
        ],
    )
    def test_a_use_without_a_definition_is_found(self, use):
        assert cells_with(TERM, lesson("Nothing here.", use)) == [("00", "c1")]

    @pytest.mark.parametrize(
        "use",
        [
            "`BLEU`",
            "```\nmode = 3\n```",
            "bleu",
            "the model",
            "modern",
            "[text](mode.md)",
            "<!-- mode -->",
            "the loss",
            "cross-entropy",
            "$mode$",
            "[00 · The mode](00.ipynb): read it",
            "[index](00.ipynb) · next: [mode](01.ipynb)",
            "in fast mode",
        ],
    )
    def test_what_is_no_use(self, use):
        assert not cells_with(TERM, lesson(use))

    @pytest.mark.parametrize(
        "definition",
        [
            "The **mode** is the likeliest.",
            "**Modes** are …",
            "**The mode** of it",
            "the **mode**, that is",
            "**mode.**",
            "the **peak (mode)**",
            "**mode (peak)**",
            "It is the mode. A **mode** is …",
        ],
    )
    def test_bold_defines_from_its_cell_on(self, definition):
        assert not cells_with(TERM, lesson(definition, "The mode rises."))
        assert cells_with(TERM, lesson("A mode.", definition, "The mode.")) == [("00", "c0")]

    def test_only_the_term_itself_in_bold_defines_it(self):
        assert cells_with(TERM, lesson("**The mode is far away.**")) == [("00", "c0")]

    def test_a_lesson_before_defines_and_one_after_does_not(self):
        defines, uses = lesson("A **mode**.", number="01"), "The mode."
        assert not cells_with(TERM, defines, lesson(uses, number="02"))
        assert cells_with(TERM, lesson(uses), defines) == [("00", "c0")]
        assert "01 `c0`" in findings(TERM, lesson(uses), defines)[0].text

    def test_a_term_is_reported_once_for_a_lesson(self):
        assert cells_with(
            TERM, lesson("mode", "mode", number="00"), lesson("mode", number="01")
        ) == [("00", "c0"), ("01", "c0")]

    def test_a_definition_is_missing_in_the_lesson_that_the_glossary_names_and_not_after_it(self):
        assert cells_with(TERM, lesson("mode", number="05"), lesson("mode", number="06"))[0] == (
            "05",
            "c0",
        )
        unused = findings(TERM, lesson("Nothing here.", number="05"), lesson("mode", number="06"))
        assert [(finding.lesson, finding.cell) for finding in unused] == [("05", "-")]
        assert unused[0].text.startswith("mode: ")

    def test_the_card_may_use_terms_and_defines_none(self):
        assert not cells_with(TERM, lesson(CARD))
        assert cells_with(TERM, lesson(CARD + "\n**BLEU**", "BLEU")) == [("00", "c1")]

    def test_another_spelling_defines_and_is_used(self):
        assert not cells_with(TERM, lesson("**Greedy** search", "We decode with greedy search."))

    def test_texts_of_code_cells_are_uses(self):
        assert cells_with(
            TERM, lesson('code:ask("How many BLEU does the student gain here?")')
        ) == [("00", "c0")]
        assert not cells_with(TERM, lesson('code:BLEU = scores["BLEU"]'))


class TestQuestions:
    @pytest.mark.parametrize(
        "cells",
        [
            ("Which one?",),
            ("Look (is it so?); then go on.",),
            ("- Which one?\n- That.",),
            ("Which one?", "## Next", "code:lesson.answer('x')"),
            ("code:lesson.answer('x')", "Which one?"),
            ("Which one?\n\n## Next\n\nText.", "code:lesson.answer('x')"),
            ("Which one?", "code:predictions.answer('x')"),
            ("<details>That.</details>\n\nWhich one?",),
        ],
    )
    def test_a_question_without_an_answer_is_found(self, cells):
        assert len(cells_with(QUESTION, lesson(*cells))) == 1

    @pytest.mark.parametrize(
        "cells",
        [
            ("Which one?", "code:lesson.answer('x')"),
            ("Which?", "Text.", "code:display(a, lesson.answer('x'))"),
            ("Which one?", "### Next", "code:lesson.answer('x')"),
            ("## Which one?", "Text."),
            ("### Which one?",),
            ("Which one?\n\n<details><summary>Answer</summary>\n\nThat. Or not?\n\n</details>",),
            ("`a ? b`",),
            ("It asks “which one?” and waits.",),
            ("It asks one thing: *which word is next?*",),
            ('He asks "which?" here.',),
            (CARD.replace("BLEU", "why?"),),
            ("## A\n\nWhich one?", "code:lesson.answer('x')", "## B"),
        ],
    )
    def test_what_is_answered_or_exempt(self, cells):
        assert not cells_with(QUESTION, lesson(*cells))

    def test_each_open_question_is_listed(self):
        questions = findings(QUESTION, lesson("One? Two? This is none.", "Three?"))
        assert [question.text for question in questions] == ["One?", "Two?", "Three?"]


class TestSentences:
    @given(st.integers(1, 60), st.sampled_from([".", "?", "!", ":", ""]))
    def test_thirty_words_are_the_most(self, n, end):
        text = " ".join(["word"] * n) + end
        assert bool(cells_with(SENTENCE, lesson(text))) == (n > 30)
        assert prose_text.n_words(text) == n

    @given(st.lists(st.integers(1, 30), min_size=1, max_size=5))
    def test_sentences_are_counted_one_by_one(self, lengths):
        text = " ".join("Word" + " word" * (n - 1) + "." for n in lengths)
        assert [
            prose_text.n_words(sentence) for sentence in prose_text.sentences(Block(text))
        ] == lengths

    @pytest.mark.parametrize(
        "text",
        [
            "It holds, e.g. here.",
            "See p. 3 of it.",
            "That is, i.e. this one.",
            "Hinton et al. (2015) did.",
            "It is 3.5 high.",
            "See cf. Table 1 there.",
            "By Dr. Smith.",
            "One (is it so?) is here.",
            "Wait … and see.",
            "See Fig. 2 here.",
        ],
    )
    def test_what_ends_no_sentence(self, text):
        assert len(prose_text.sentences(Block(text))) == 1

    @pytest.mark.parametrize(
        "text",
        [
            "One. Two.",
            "**One.** Two.",
            "One? Two.",
            "It is p. The next.",
            "One (two). Three.",
            "“One.” Two.",
            "K = 1 is greedy. p(ŷ) grows.",
            "After Hinton et al. Their truth.",
            "One! Two",
        ],
    )
    def test_what_ends_a_sentence(self, text):
        assert len(prose_text.sentences(Block(text))) == 2

    @pytest.mark.parametrize(
        "separated",
        [
            "- {0}\n- {0}",
            "{0}\n\n{0}",
            "# {0}\n{0}",
            "| {0} | {0} |",
            "| {0}; {0} |",
            "1. {0}\n2. {0}",
            "{0}\n* {0}",
        ],
    )
    def test_items_cells_headings_and_paragraphs_are_apart(self, separated):
        text = separated.format(" ".join(["word"] * 20))
        assert not cells_with(SENTENCE, lesson(text))
        assert cells_with(SENTENCE, lesson(text.replace("word", "word word")))

    @pytest.mark.parametrize(
        "text, n",
        [
            ("The loss is −Σ q(k | s) ln p(k | s) here.", 5),
            ("`a b c d` is code", 3),
            ("a $x + y = z$ b", 3),
            ("*the ticket was new .* is one", 3),
            ("K = 1 is greedy", 3),
            ("from – to", 2),
            ("the 30 % of 5", 4),
        ],
    )
    def test_a_formula_code_and_a_toy_sentence_are_one_word(self, text, n):
        block = prose_text.blocks(text)[0]
        assert [prose_text.n_words(sentence) for sentence in prose_text.sentences(block)] == [n]

    def test_texts_of_code_cells_are_read(self):
        assert cells_with(SENTENCE, lesson(f'code:print(f"{{x}} {"word " * 31}")')) == [
            ("00", "c0")
        ]


class TestPrivateWords:
    @pytest.mark.parametrize(
        "text",
        [
            "the word behind it",
            "Behind it",
            "the laws",
            "Whoever\nreads",
            "it *brings forth* much",
            "# From afar",
            "it hangs on K",
            "the word stands there",
            "now this, now that one",
            "Nobody can know.",
            "it is to be read",
            'code:lesson.answer("The word that is behind the comma is new.")',
        ],
    )
    def test_found(self, text):
        assert cells_with(WORD, lesson(text)) == [("00", "c0")]

    @pytest.mark.parametrize(
        "text",
        [
            "`behind`",
            "```\nlaw\n```",
            "understand it",
            "the lawn",
            "[text](behind.md)",
            "K stands for the size",
            "cannot be told from these seeds",
            "Now that it is done, go on.",
            "code:behind = law(whoever)",
            "nothing is left behind",
        ],
    )
    def test_exempt(self, text):
        assert not cells_with(WORD, lesson(text))

    def test_overlapping_words_are_one_finding(self):
        assert len(findings(WORD, lesson("ask the one who knows"))) == 1

    def test_each_has_words_to_say_instead_and_a_reason(self):
        assert all(entry.instead and entry.reason and entry.regex for entry in PRIVATE_WORDS)
        assert not [
            entry
            for entry in PRIVATE_WORDS
            for text in ("", "a plain sentence")
            if entry.regex.search(text)
        ]


class TestGlossary:
    def test_the_page_is_sorted_and_every_term_is_recognised_in_its_own_name(self):
        terms = read_glossary(GLOSSARY)
        names = [term.name.lower() for term in terms]
        assert names == sorted(names) and len(set(names)) == len(names)
        for term in terms:
            for spelling in (term.name, *term.others):
                assert term.is_defined_by(spelling) and term.used_in(Block(f"a {spelling} here")), (
                    spelling
                )
            assert prose_text.n_words(
                term.meaning
            ) <= check_prose.MOST_WORDS and term.meaning.endswith("."), term.name

    def test_the_page_has_no_private_words(self):
        text = GLOSSARY.read_text(encoding="utf-8")
        assert not [
            word
            for block in prose_text.blocks(text)
            for word in check_prose.private_words(block.text)
        ]

    def test_the_page_names_lessons_that_have_the_term_in_bold(self):
        terms = [term for term in read_glossary(GLOSSARY) if term.lesson < len(REWRITTEN)]
        assert not check_prose.glossary_faults(check_prose.read_lessons(), terms)

    def test_update_writes_the_lesson_and_nothing_else(self, tmp_path):
        page, rows = tmp_path / "glossary.md", "| T | A | M | L |\n|---|---|---|---|\n"
        page.write_text(
            f"# G\n\n{rows}| a | | One. | [01](01_x.ipynb) |\n| b | c, d | Two. | assumed |\n"
        )
        update_glossary(page, {"a": "02_y.ipynb", "b": "02_y.ipynb"})
        assert (
            page.read_text()
            == f"# G\n\n{rows}| a | | One. | [02](02_y.ipynb) |\n| b | c, d | Two. | assumed |\n"
        )
        assert [(term.name, term.others, term.lesson) for term in read_glossary(page)] == [
            ("a", (), 2),
            ("b", ("c", "d"), -1),
        ]

    def test_a_row_without_a_lesson_is_refused(self, tmp_path):
        page = tmp_path / "glossary.md"
        page.write_text("| T | A | M | L |\n|---|---|---|---|\n| a | | One. | soon |\n")
        with pytest.raises(ValueError, match="a: expected a link"):
            read_glossary(page)


class TestCommand:
    @pytest.fixture
    def folder(self, tmp_path, monkeypatch):
        def write(number: str, text: str) -> None:
            cells = [{"id": "c0", "cell_type": "markdown", "source": [text]}]
            (tmp_path / f"{number}_x.ipynb").write_text(
                json.dumps({"cells": cells}), encoding="utf-8"
            )

        write("00", "The **mode** is the likeliest word.")
        write("01", "The mode is behind the entropy.")
        read = check_prose.read_lessons
        monkeypatch.setattr(check_prose, "read_lessons", lambda: read(tmp_path))
        monkeypatch.setattr(check_prose, "read_glossary", lambda path: TERMS)

    def test_it_prints_findings_and_ends_with_0(self, folder, capsys):
        assert check_prose.main([]) == 0
        printed = capsys.readouterr().out
        assert "01  term\n  c0: entropy: in bold in no lesson (glossary.md: 05)" in printed
        assert "behind → after" in printed
        assert "mode:" not in printed.split("lesson  terms")[0]

    def test_strict_looks_at_the_lessons_that_were_asked_for(self, folder):
        assert check_prose.main(["--strict", "00"]) == 0
        assert check_prose.main(["--strict", "01"]) == 1
        assert check_prose.main(["--strict"]) == 1

    def test_the_summary_has_a_line_for_each_lesson(self, folder, capsys):
        check_prose.main(["--summary", "01"])
        assert capsys.readouterr().out.splitlines()[1].split() == ["01", "1", "0", "0", "1"]

    def test_an_unknown_lesson_is_refused(self, folder, capsys):
        with pytest.raises(SystemExit):
            check_prose.main(["07"])
        assert "there are 00, 01" in capsys.readouterr().err


def test_docstrings_and_longer_texts_of_python_are_read(tmp_path, monkeypatch):
    (tmp_path / "a.py").write_text('"""What is behind the words of this module."""\nx = "behind"\n')
    monkeypatch.setattr(check_prose, "ROOT", tmp_path)
    assert [(finding.lesson, finding.cell) for finding in check_prose.check_python(tmp_path)] == [
        ("a.py", "1")
    ]


@cache
def all_findings() -> list[Finding]:
    return check_prose.check(check_prose.read_lessons(), read_glossary(GLOSSARY))


@pytest.mark.parametrize("number", REWRITTEN)
def test_a_lesson_has_no_findings(number):
    assert not check_prose.report(finding for finding in all_findings() if finding.lesson == number)
