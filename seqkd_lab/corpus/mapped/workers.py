"""The parts of a text, cut by several processes; those that are on disk already are left as they
are."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from seqkd_lab.corpus.mapped.cutting import cut_to_file
from seqkd_lab.corpus.mapped.description import SUBWORDS
from seqkd_lab.corpus.mapped.text import AlignedFiles, parts_of
from seqkd_lab.interrupts import postponed
from seqkd_lab.worker_processes import end_with_parent

Submit = Callable[..., "Future[int]"]


def cut_all(
    files: AlignedFiles,
    folder: Path,
    n_lines: int,
    n_workers: int,
    report: Callable[[int, int], None],
) -> list[Path]:
    """Cut every part of a text by `folder`/subwords.model; return the files of the parts, in order.

    There are never more parts in memory than workers and one. The first error of a part, in the
    order of the text, is raised.
    """
    paths, n_done = [], 0
    with _pool(n_workers) as submit:
        at_work: deque[Future[int]] = deque()
        for part in parts_of(files):
            path = folder / f"part-{part.number:06d}.npz"
            paths.append(path)
            if path.exists():
                n_done += len(part.source)
                report(n_done, n_lines)
                continue
            at_work.append(submit(cut_to_file, part, files, folder / SUBWORDS, path))
            while len(at_work) > n_workers:
                n_done += at_work.popleft().result()
                report(n_done, n_lines)
        while at_work:
            n_done += at_work.popleft().result()
            report(n_done, n_lines)
    return paths


@contextmanager
def _pool(n_workers: int) -> Iterator[Submit]:
    """Give what hands work to one of `n_workers` processes; with one worker, this process does
    it."""
    if n_workers == 1:
        yield _at_once
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(n_workers, context, end_with_parent)

    def submit(*work) -> Future[int]:
        with postponed():  # a worker that is started here never hears a terminal's interrupt
            return pool.submit(*work)

    try:
        yield submit
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _at_once(function: Callable[..., int], *work) -> Future[int]:
    done: Future[int] = Future()
    done.set_result(function(*work))
    return done
