"""The store that a teacher filled and learners only read: whether it is so, and stays so."""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.class_server.hub import HubError

SHARED = "SEQKD_LAB_SHARED"
MODELS = "models"


def named() -> Path | None:
    """Return the store that the environment names, None where it names none."""
    return Path(os.environ[SHARED]) if os.environ.get(SHARED) else None


def contents(store: Path) -> dict[Path, tuple[int, int]]:
    """Return the size and the moment of change of everything in a store."""
    stats = {path: path.stat() for path in sorted(store.rglob("*"))}
    return {path: (stat.st_size, stat.st_mtime_ns) for path, stat in stats.items()}


def require_read_only(store: Path) -> None:
    """Raise HubError where the learners, who are the user that runs this, could write to a store,
    or where it has no models."""
    if not models_in(store):
        raise HubError(f"{SHARED}={store}: no models; fill it: seqkd-lab --store {store} tour")
    for path in [store, *store.rglob("*")]:
        if os.access(path, os.W_OK):
            raise HubError(
                f"{SHARED}: learners could write to {path}; chmod -R a-w,go+rX {store}, "
                "and measure as another user than its owner and root"
            )


def models_in(store: Path) -> set[str]:
    """Return the keys of the models in a store, complete or begun; none where there is no store."""
    return {path.name for path in store.glob(f"{MODELS}/*") if path.is_dir()}


def require_used(store: Path, homes: dict[str, set[str]]) -> None:
    """Raise HubError where learners, by name with the keys of the models that they trained, trained
    what the store has."""
    there = models_in(store)
    for name, own in homes.items():
        if again := sorted(own & there):
            raise HubError(f"{name} trained anew what the store has: {', '.join(again)}")
