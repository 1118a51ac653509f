"""Benchmarks of the cache of features beside pyarrow: each side reads what the other wrote."""

from pipeline_bench import beside
from pipeline_parts import Pipeline

PARTS = {"program": "nightshift_cache_parts"}
PEER = {"script": "kernel_peer.py"}
COLUMNS = "81"
WRITTEN = (("feather", "feather", ">= 1 x"), ("feather", "lz4", ">= 1 x"), ("feather", "parquet", ">= 3 x"))


def cache(bin_folder, figures):
    pipeline = Pipeline.of(bin_folder)
    pipeline.ask("prepare", "cache", pipeline.root, **PEER)
    numbers, size = pipeline.path("cache.bin"), "1,000,000 rows of 81 doubles"
    ours_file, theirs_file = pipeline.path("ours.feather"), pipeline.path("theirs.")
    for part, words in (("write", ""), ("keep", ", synced and with its hash beside it")):
        ours = pipeline.part(f"cache_{part}", part, numbers, COLUMNS, ours_file, **PARTS)
        for ending, peer, aim in WRITTEN if part == "write" else WRITTEN[:1]:
            what = f"{size} written to Feather{words}; peer: {peer}"
            kind = "parquet" if peer == "parquet" else ending
            beside(figures, f"cache_{part}", peer, what, ours, aim,
                   lambda part=part, peer=peer, kind=kind: (pipeline.peer(
                       f"{part}/{peer}", numbers, COLUMNS, ours_file, theirs_file + kind, **PEER), False))
    for kind, aim in (("feather", ">= 1 x"), ("parquet", "")):
        file = pipeline.path(f"left.{kind}")
        pipeline.peer("leave/pyarrow", numbers, COLUMNS, file, **PEER)
        ours = pipeline.part(f"cache_read_{kind}", "read", file, **PARTS)
        beside(figures, f"cache_read_{kind}", "pyarrow", f"{size} read from the peer's {kind}", ours, aim,
               lambda kind=kind, file=file: (pipeline.peer(
                   "read/pyarrow", numbers, file, ours=f"cache_read_{kind}", **PEER), False))
