"""Judge a model on the test set of its recipe."""

from __future__ import annotations

from seqkd_lab.compression.quantisation import quantised
from seqkd_lab.evaluation import Evaluation, Translations, evaluate, translate_test
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.data import Dataset
from seqkd_lab.runs.keys import key
from seqkd_lab.runs.recipes import Recipe
from seqkd_lab.runs.report import Report, counter


def evaluate_recipe(
    recipe: Recipe,
    model: Seq2Seq,
    data: Dataset,
    beam_size: int,
    length_penalty: float,
    int8: bool,
    report: Report,
) -> tuple[dict, Translations]:
    """Return what the store keeps of an evaluation, and the translations of the test set; with
    `int8`, those of 8-bit weights."""
    if int8:
        model = quantised(model)
    count = counter(report, 2 * len(data.test))
    translations = translate_test(model, data.test, beam_size, length_penalty, count)
    result = evaluate(
        model,
        data.test,
        data.detokenise,
        translations,
        beam_size,
        data.language,
        getattr(recipe.data, "tokenize", None),
    )
    return evaluation_record(recipe, model, result), translations


def evaluation_record(recipe: Recipe, model: Seq2Seq, result: Evaluation) -> dict:
    """Return what the store keeps of an evaluation: the numbers, with the recipe's name, key and
    size beside them."""
    return {
        "name": recipe.name,
        "key": key(recipe),
        "n_parameters": model.n_parameters(),
        **result.as_dict(),
    }


def translations_table(data: Dataset, translations: Translations) -> str:
    """Return the lines of a TSV: source, greedy and beam translation as text, and the two in
    tokens."""
    lines = ["source\tgreedy\tbeam\tgreedy tokens\tbeam tokens"]
    rows = zip(data.test.source, translations.greedy, translations.beam, strict=True)
    for source, greedy, beam in rows:
        texts = [data.detokenise(tokens) for tokens in (source, greedy.tokens, beam.tokens)]
        lines.append("\t".join([*texts, " ".join(greedy.tokens), " ".join(beam.tokens)]))
    return "\n".join(lines) + "\n"
