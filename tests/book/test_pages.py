"""The pages that are made from code and data build without a warning, and say what the code
says."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

import pytest

pytest.importorskip("sphinx", reason="the book's packages are not installed")
pytest.importorskip("myst_nb", reason="the book's packages are not installed")

from book.pages import find_pages, lexicon, toy_language, verdicts, write_pages  # noqa: E402
from book.pages.documents import with_links  # noqa: E402
from book.pages.extension import as_rst  # noqa: E402
from book.pages.tables import plain, table  # noqa: E402
from seqkd_lab import studies  # noqa: E402
from seqkd_lab.corpus.toy.adverbials import PLACES, TIMES  # noqa: E402
from seqkd_lab.corpus.toy.nouns import ADJECTIVES, NOUNS  # noqa: E402
from seqkd_lab.corpus.toy.verbs import VERBS  # noqa: E402
from seqkd_lab.lab.language.kinds import KINDS, translations_alone  # noqa: E402
from seqkd_lab.runs.committed import results_path  # noqa: E402
from seqkd_lab.runs.study import committed_rows  # noqa: E402


@pytest.mark.slow
def test_the_pages_build_without_a_warning(tmp_path: Path) -> None:
    from sphinx.cmd.build import main

    source = tmp_path / "source"
    write_pages(source)
    names = [str(path.relative_to(source).with_suffix("")) for path in source.rglob("*.md")]
    assert len(names) > len(list(find_pages()))
    toctree = "\n".join(["# Pages", "", "```{toctree}", *names, "```", ""])
    (source / "index.md").write_text(toctree, encoding="utf-8")
    (source / "conf.py").write_text(
        'extensions = ["myst_nb", "book.pages.extension"]\nmyst_enable_extensions = []\n'
        "myst_heading_anchors = 3\n"
        'nb_execution_mode = "off"\n',
        encoding="utf-8",
    )
    assert main(["--fail-on-warning", "--quiet", str(source), str(tmp_path / "html")]) == 0
    for name in names:
        assert (tmp_path / "html" / f"{name}.html").exists()


def test_the_lexicon_has_every_word() -> None:
    page = lexicon.markdown()
    for entry in NOUNS.values():
        assert f"| {entry.english} |" in page
        assert all(f"**{option.value.lemma}**" in page for option in entry.nouns)
    for verb in VERBS.values():
        assert all(f", {o.value.preterite}, {o.value.participle}" in page for o in verb.verbs)
    for english in (*ADJECTIVES, *TIMES, *PLACES):
        assert f"| {english} |" in page


def test_every_kind_of_choice_has_its_probabilities() -> None:
    page = toy_language.markdown()
    for kind in KINDS:
        section = page.partition(f"#### `{kind.name}`")[2].partition("\n#")[0]
        listed = [float(p) for p in re.findall(r"\| ([\d.]+) \|", section)]
        exact = [p for _, p in translations_alone(kind)][: len(listed)]
        assert listed and listed == pytest.approx(exact, rel=0.01), kind.name


def test_the_verifier_names_several_rules_in_its_own_words() -> None:
    rows = toy_language.rejected()
    assert len(rows) >= 15
    assert len({why for _, _, why in rows}) == len(rows)


def test_every_claim_stands_once_with_the_verdict_of_the_judge() -> None:
    page = verdicts.markdown()
    n_claims = 0
    for name in studies.find_studies():
        study = studies.study(name)
        if not results_path(study.file).exists():
            continue
        judged = study.judge(committed_rows(study))
        section = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        rows = [line for line in section.splitlines() if line.startswith("| ")][2:]
        assert len(rows) == len(judged), name
        for row, verdict in zip(rows, judged, strict=True):
            assert row.startswith(f"| {plain(verdict.claim.name)} |")
            assert f"**{verdict.outcome}**" in row
        n_claims += len(judged)
    assert f"{n_claims} claims of" in page


def test_links_of_documents_lead_to_pages_or_nowhere() -> None:
    text = (
        "[a](SECURITY.md#what-is-trusted) [b](notebooks/glossary.md) [c](setup.py) [d](#e) "
        "[f](https://example.org/) ![g](data/results/x.png)\n```\n[h](setup.py)\n```\n"
    )
    assert with_links(text, PurePosixPath(".")) == (
        "[a](security.md#what-is-trusted) [b](../lessons/glossary.md) c [d](#e) "
        "[f](https://example.org/) ![g](x.png)\n```\n[h](setup.py)\n```\n"
    )
    assert with_links("[a](../CONTRIBUTING.md)", PurePosixPath("benchmarks")) == (
        "[a](contributing.md)"
    )


def test_a_docstring_keeps_its_words_and_its_code() -> None:
    from docutils.core import publish_doctree

    text = "Return *all* of `p_i`,\n`a * b` and B|S of `x`s.\n\nname    what it is_\nother   2 * 3"
    tree = publish_doctree(as_rst(text), settings_overrides={"report_level": 2, "halt_level": 2})
    said = " ".join(tree.astext().split())
    assert said == "Return *all* of p_i, a * b and B|S of xs. name what it is_ other 2 * 3"
    assert said.count("a * b") == 1
    assert len(list(tree.findall(lambda node: node.tagname == "literal"))) == 3


def test_a_cell_shows_marks_of_markdown_as_they_are() -> None:
    cell = plain("a|b *c* <d>\n`e` [f](g) $h$")
    assert "\n" not in cell
    assert table(("x",), [(cell,)]).count("\n") == 2
    assert re.sub(r"\\(.)", r"\1", cell) == "a|b *c* <d> `e` [f](g) $h$"
