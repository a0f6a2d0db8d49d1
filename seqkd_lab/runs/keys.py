"""What makes two recipes the same work: their identity as JSON, and the key that names it in the
store."""

from __future__ import annotations

import hashlib
import json
from dataclasses import is_dataclass
from functools import lru_cache
from typing import Any

from seqkd_lab.identity import stated
from seqkd_lab.models.architectures import ARCHITECTURES, FIRST, stated_revision
from seqkd_lab.runs import data as datasets
from seqkd_lab.runs.recipes import Distillation, ForwardTranslation, Recipe
from seqkd_lab.runs.texts import Data, SourceText


def identity(thing: Any) -> Any:
    """Return `thing` as JSON that is equal just for equal work: without names, with data replaced
    by its fingerprint.

    Newer fields at their default are left out, too (`omitted_when_default`)."""
    if isinstance(thing, Data):
        return datasets.fingerprint(thing)
    if isinstance(thing, SourceText):
        return datasets.file_hash(thing.path)
    if is_dataclass(thing):
        counted = {name: identity(value) for name, value in stated(thing).items()}
        return {"type": type(thing).__name__, **stated_revision(thing), **counted}
    return [identity(part) for part in thing] if isinstance(thing, tuple) else thing


@lru_cache(maxsize=1024)
def key(thing: Recipe | Distillation | ForwardTranslation) -> str:
    """Return the first 16 hex digits of the sha256 of its identity: the name of its folder or file
    in the store.

    The models' revisions count, so that no older model is taken for what the recipe makes today:
    that of the FIRST architecture for every key, another's where there is one."""
    canonical = json.dumps([ARCHITECTURES[FIRST].revision, identity(thing)], sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]
