"""Compare two results files of a study, value by value, to the last digit.

    python tools/compare_results.py OLD.json NEW.json
    python tools/compare_results.py OLD_FOLDER NEW_FOLDER

Every number and string is found by study, seed, arm and measure. Files of the formats that studies
had before they shared one are read, too; where a format had no seeds and arms, every value that was
measured must stand in the new file, whatever it is called there. What differs is printed; the exit
code is 1 if anything does.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from seqkd_lab.distillation.sequence_level import INTERPOLATED, MODE
from seqkd_lab.runs.results import lines
from seqkd_lab.runs.study import PARTS
from seqkd_lab.studies.no_help import DETERMINISTIC, FROM_GOLD, THE_TEACHER
from seqkd_lab.studies.word_kd_map import place_name

MOST_SHOWN = 20
Place = tuple[str, str, str, str]
"""Study, seed, arm and measure."""


def one_format(results: Mapping[str, Any]) -> dict[str, Any]:
    """Return results of any format in the one that `runs.study` reads and writes.

    Raises ValueError for a format that is not known.
    """
    if set(results) == set(PARTS):
        return dict(results)
    for parts, convert in EARLIER_FORMATS.items():
        if parts <= set(results):
            return convert(results)
    raise ValueError(f"a format that is not known: {', '.join(results)}")


def from_experiment(results: Mapping[str, Any]) -> dict[str, Any]:
    """Return the results of a study that was called an experiment."""
    name = {"tip": "token-importance"}.get(results["experiment"], results["experiment"])
    return {"study": name, **{part: results[part] for part in PARTS[1:]}}


def from_table(results: Mapping[str, Any]) -> dict[str, Any]:
    """Return the results of Table 1, whose curves and corpora stood apart from the rows."""
    settings = {
        part: results[part]
        for part in ("data", "preset", "rows", "teacher_seed")
        if part in results
    }
    by_seed = {
        seed: {name: _table_row(results, seed, name, row) for name, row in rows.items()}
        for seed, rows in results["by_seed"].items()
    }
    return _study("table1", settings, results, by_seed)


def _table_row(results: Mapping, seed: str, name: str, row: Mapping) -> dict[str, Any]:
    method = INTERPOLATED if "seq-inter" in name else MODE if "seq-kd" in name else None
    corpus = {} if method is None else {"distilled": results["distilled"][seed][method]}
    return {**row, "curves": results["curves"][seed][name], **corpus}


def from_no_help(results: Mapping[str, Any]) -> dict[str, Any]:
    """Return the results of `no-help`, whose one teacher had a seed of its own."""
    by_seed: dict[str, dict] = {}
    teacher: dict[str, Any] = {}
    for point in results["points"]:
        row = {name: point[name] for name in ("greedy", "beam", "valid", "p_mode", "perplexity")}
        if point["arm"] == THE_TEACHER:
            teacher = {f"{point['condition']}, {THE_TEACHER}": row}
            continue
        if (point["condition"], point["arm"]) == (DETERMINISTIC, FROM_GOLD):
            by_seed[str(point["seed"])] = dict(teacher)
        by_seed[str(point["seed"])][f"{point['condition']}, {point['arm']}"] = row
    return _study("no-help", {"data": results["data"], **results["run"]}, results, by_seed)


def from_map(results: Mapping[str, Any]) -> dict[str, Any]:
    """Return the results of `word-kd-map`, which were a list of points."""
    by_seed: dict[str, dict] = {}
    for point in results["points"]:
        row = {name: value for name, value in point.items() if name != "seed"}
        name = place_name((point["alpha"], point["temperature"]))
        by_seed.setdefault(str(point["seed"]), {})[name] = row
    settings = {part: results[part] for part in ("data", "teacher", "student", "objective")}
    axes = {
        title: sorted({point[name] for point in results["points"]} - {None})
        for title, name in (("alphas", "alpha"), ("temperatures", "temperature"))
    }
    return _study("word-kd-map", settings | axes, results, by_seed)


def _study(name: str, settings: dict, results: Mapping, by_seed: dict) -> dict[str, Any]:
    made_with = results["made_with"]
    return {"study": name, "settings": settings, "made_with": made_with, "by_seed": by_seed}


EARLIER_FORMATS: dict[frozenset[str], Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    frozenset({"experiment"}): from_experiment,
    frozenset({"preset", "curves", "distilled"}): from_table,
    frozenset({"run", "points"}): from_no_help,
    frozenset({"teacher", "student", "objective", "points"}): from_map,
}
"""By parts that only this format has."""


def values(results: Mapping[str, Any]) -> dict[Place, Any]:
    """Return every value of results in the one format by its place; settings and versions too."""
    measured = {
        (study, str(seed), arm, measure): value
        for study, seed, arm, measure, value in lines(results)
    }
    heading = {**results, "by_seed": {"0": {part: results[part] for part in PARTS[1:3]}}}
    stated = {(study, "", arm, measure): value for study, _, arm, measure, value in lines(heading)}
    return {**stated, **measured}


def differences(old: Mapping[Place, Any], new: Mapping[Place, Any]) -> Iterator[str]:
    """Yield a line for each place whose value differs, or that only one of the two has."""
    for place in dict.fromkeys((*old, *new)):
        name = " · ".join(part for part in place if part)
        if place not in new:
            yield f"{name}: only in the old file ({old[place]!r})"
        elif place not in old:
            yield f"{name}: only in the new file ({new[place]!r})"
        elif json.dumps(old[place]) != json.dumps(new[place]):
            yield f"{name}: {old[place]!r}, now {new[place]!r}"


def leaves(value: Any) -> Iterator[str]:
    """Yield every number and string in nested lists and mappings, as JSON."""
    if isinstance(value, Mapping | list):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from leaves(part)
    else:
        yield json.dumps(value, ensure_ascii=False)


def keys(value: Any) -> Iterator[str]:
    """Yield every key in nested mappings: what was a value may have become a name."""
    if isinstance(value, Mapping):
        yield from value
    for part in value.values() if isinstance(value, Mapping) else value:
        if isinstance(part, Mapping | list):
            yield from keys(part)


def lost_values(old: Any, new: Any) -> Iterator[str]:
    """Yield a line for each old number or string that the new file has neither as often as a value
    nor anywhere in its names."""
    missing, names = Counter(leaves(old)) - Counter(leaves(new)), " ".join(keys(new))
    for value, times in missing.items():
        if json.loads(value) is not None and str(json.loads(value)) not in names:
            yield f"{value}: {times} times less often"


def compare(old: Path, new: Path) -> bool:
    """Print what differs between two files; return whether nothing does."""
    before, now = (json.loads(path.read_text(encoding="utf-8")) for path in (old, new))
    try:
        old_values, new_values = values(one_format(before)), values(one_format(now))
    except ValueError:
        changes, n_values = list(lost_values(before, now)), sum(1 for _ in leaves(before))
        print(f"{new.name}: {n_values:,} old values, {len(changes):,} not in the new file")
    else:
        changes = list(differences(old_values, new_values))
        print(f"{new.name}: {len(new_values):,} values, {len(changes):,} differ")
    for change in changes[:MOST_SHOWN]:
        print(f"    {change}")
    if len(changes) > MOST_SHOWN:
        print(f"    … and {len(changes) - MOST_SHOWN:,} more")
    return not changes


def pairs(old: Path, new: Path) -> list[tuple[Path, Path]]:
    """Return the two files, or those of two folders that have the same name."""
    if not old.is_dir():
        return [(old, new)]
    return [(path, new / path.name) for path in sorted(old.glob("*.json"))]


def main(arguments: list[str] | None = None) -> int:
    """Compare; return 0 if nothing differs, else 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--except", dest="without", nargs="*", default=[], metavar="FILE")
    typed = parser.parse_args(arguments)
    files = [pair for pair in pairs(typed.old, typed.new) if pair[0].name not in typed.without]
    return 0 if all([compare(old, new) for old, new in files]) else 1


if __name__ == "__main__":
    sys.exit(main())
