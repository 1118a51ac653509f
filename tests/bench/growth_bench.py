"""How the kernels' cost grows: 1,000, 10,000 and 100,000 sequences or rows, one run after one to warm up."""

import os

from pipeline_bench import measured
from pipeline_parts import Pipeline

COUNTS = tuple(int(n) for n in os.environ.get("NIGHTSHIFT_BENCH_SIZES", "1000,10000,100000").split(","))
COLUMNS, BANK, PICKED = 81, 1000, 100       # one row of a hundred is picked
SEQUENCES = {"generate": "generate, in memory", "native": "native features",
             "compat": "75 + 6 columns of compat81"}


def sequences(bin_folder, figures):
    pipeline = Pipeline.of(bin_folder)
    for part, words in SEQUENCES.items():
        for count in COUNTS:
            took = pipeline.part(f"grow_{part}", part, str(count), program="nightshift_kernel_parts", runs=1)
            figures.grow(words, "s", count, took.cpu())


def rows(bin_folder, figures):
    pipeline = Pipeline.of(bin_folder)
    pipeline.ask("prepare", "neighbours", pipeline.root, script="kernel_peer.py")
    for count in COUNTS:
        some = pipeline.path(f"rows_{count}.bin")
        with open(pipeline.path("bank_100k.bin"), "rb") as whole, open(some, "wb") as few:
            few.write(whole.read(8 * COLUMNS * count))
        took = pipeline.part("grow_coreset", "coreset", some, str(COLUMNS), str(count // PICKED), "0", runs=1)
        figures.grow("greedy coreset, 1 % of the rows", "s", count, took.cpu())
        took = pipeline.part("grow_knn", "knn", pipeline.path("bank.bin"), some, str(COLUMNS), "1", runs=1)
        figures.grow(f"nearest of {BANK:,} rows", "s", count, took.cpu())


BENCHMARKS = {"growth_sequences": measured(sequences), "growth_rows": measured(rows)}
