"""Peers of the kernels beyond the pipeline's, run by the Python of their virtual environment.

usage: kernel_peer.py prepare TOPIC FOLDER        arrays that both sides read; TOPIC series, neighbours,
                                                  scores, cache, coreset or boxes
       kernel_peer.py WORK/PEER RUNS OURS [ARGUMENT...]     compares, then measures

Prints one JSON object: `unlike` says what differs from ours, else `cpu_s` and `wall_s` of each run.
"""

import os
import sys

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import cache_peer  # noqa: E402  (after the path)
import metrics_peer  # noqa: E402
import torch_peer  # noqa: E402
from peer_measure import answer  # noqa: E402

SEED = 20261129


def prepare_series(folder, put, random):
    """100,000 accelerations of 60 frames, the small set's larger and smaller; 100,000 samples of steps."""
    few = np.fromfile(os.path.join(folder, "signals.bin"), np.float64).reshape(-1, 60)
    many = few[random.integers(0, len(few), 100_000)]
    put("signals_many", many * np.exp(0.2 * random.standard_normal(many.shape)))
    levels = np.repeat(random.normal(0, 10, 500), 200)
    put("steps_many", levels + random.normal(0, 2, levels.size))


def prepare_neighbours(folder, put, random):
    """Frames of the small set, each moved a little: as many as a bank of a large set has."""
    few = np.fromfile(os.path.join(folder, "queries.bin"), np.float64).reshape(-1, 81)

    def rows(count):
        return few[random.integers(0, len(few), count)] + random.normal(0, 0.1, (count, 81))

    put("bank_20k", rows(20_000))
    put("bank_100k", rows(100_000))
    put("queries_2k", rows(2_000))


def prepare_scores(_, put, random):
    """Ten million scores, ten of a value in the middle; 20,000 for resamples. A tenth is positive."""
    for name, count, step in (("scores", 10_000_000, 1e-5), ("few_scores", 20_000, 1e-3)):
        labels = (random.random(count) < 0.1).astype(np.int32)
        put(name, np.rint((random.standard_normal(count) + 1.5 * labels) / step) * step)
        put(name + "_labels", labels)


def prepare_cache(_, put, random):
    put("cache", random.standard_normal((81, 1_000_000)))


def prepare_coreset(_, put, random):
    """Whole numbers: distances have no rounding in single precision either, and equal ones are equal."""
    for name, count, columns in (("rows_50k", 50_000, 100), ("rows_200k", 200_000, 96)):
        centres = random.normal(0, 8, (200, columns))
        rows = centres[random.integers(0, 200, count)] + random.normal(0, 3, (count, columns))
        put(name, np.rint(rows))


PREPARED = {"series": prepare_series, "neighbours": prepare_neighbours, "scores": prepare_scores,
            "cache": prepare_cache, "coreset": prepare_coreset, "boxes": torch_peer.prepare_boxes}


def prepare(topic, folder):
    def put(name, values):
        values.tofile(os.path.join(folder, name + ".bin"))

    PREPARED[topic](folder, put, np.random.default_rng([SEED, sorted(PREPARED).index(topic)]))
    return {}


def main():
    if sys.argv[1] == "prepare":
        return prepare(*sys.argv[2:])
    works = {**metrics_peer.WORKS, **cache_peer.WORKS, **torch_peer.WORKS}
    work, runs, *rest = sys.argv[1:]
    return works[work](int(runs), *rest)


if __name__ == "__main__":
    answer(main)
