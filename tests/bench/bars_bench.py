"""The bars of the CPU kernels: rows of the pipeline again, and larger inputs of the same kernels."""

import os

import pipeline_bench
import roofline
from cache_bench import cache
from dream_bench import dream_epoch, dream_score, dream_step, with_dream
from metrics_bench import metrics
from peer_install import Missing, python_packages
from pipeline_bench import beside, compared, measured, times
from pipeline_parts import HERE, LONG_RUNS, Pipeline, Took

PEER = {"script": "kernel_peer.py"}
MANY_SERIES, PEER_SERIES = 100_000, 10_000
SEQUENCES_10K, EPOCHS = 9500, 15
CHANGES = (("cusum", "python", ">= 100 x"), ("window", "python", ">= 100 x"),
           ("pelt", "ruptures", ">= 300 x"))
NMS_THRESHOLD = "0.5"


def prepared(pipeline, topic, file):
    """Arrays of a topic, made at the first use."""
    if not os.path.exists(pipeline.path(file)):
        pipeline.ask("prepare", topic, pipeline.root, **PEER)
    return pipeline.path(file)


def with_torch(pipeline):
    return {**PEER, "python": python_packages("torch", os.path.join(HERE, "peer_torch.txt"))}


def generate(bin_folder, figures):
    pipeline_bench.generate_shards(bin_folder, figures, "generate")
    pipeline = Pipeline.of(bin_folder)
    count = pipeline_bench.DEFAULT_SEQUENCES
    ours = pipeline.part("generate_memory", "generate", str(count), program="nightshift_kernel_parts")

    def many():
        return times(pipeline.estimate("generate_text"), count / pipeline.recorded["sequences"]), True

    what = f"tracks of {count:,} sequences in memory, Philox, beside as many of its text bundles"
    beside(figures, "generate_memory", "reference", what, ours, ">= 50 x", many)


def features(bin_folder, figures, name, part, aim, stage):
    what = pipeline_bench.COLUMNS_81 + f", {name[-4:]}"
    pipeline_bench.tables(bin_folder, figures, name, part, what, (aim, ""), stage,
                          "features_table")


def knn(bin_folder, figures):
    pipeline_bench.knn(bin_folder, figures)
    pipeline = Pipeline.of(bin_folder)
    for name, rows in (("20k", 20_000), ("100k", 100_000)):
        prepared(pipeline, "neighbours", f"bank_{name}.bin")
        pipeline_bench.neighbours(pipeline, figures, f"knn_{name}", f"bank_{name}.bin", "queries_2k.bin",
                                  (2000, rows))


def coreset(bin_folder, figures):
    pipeline_bench.coreset(bin_folder, figures)
    pipeline = Pipeline.of(bin_folder)
    for name, rows, columns, picks in (("50k", 50_000, 100, 500), ("200k", 200_000, 96, 200)):
        file = prepared(pipeline, "coreset", f"rows_{name}.bin")
        how = with_torch(pipeline)
        start = pipeline.ask("coreset/start", "0", "", str(rows), **how)["start"]
        given = (file, str(columns), str(picks), str(start))
        ours = pipeline.part(f"coreset_{name}", "coreset", *given)
        what = (f"greedy coreset: {picks} of {rows:,} rows of {columns}, every pick the same, "
                "ours float64, anomalib's float32")
        beside(figures, f"coreset_{name}", "anomalib", what, ours, ">= 5 x",
               lambda name=name, given=given, how=how: (pipeline.peer(
                   "coreset/anomalib", *given, ours=f"coreset_{name}", runs=LONG_RUNS, **how), False))


def many_series(pipeline, figures, method, peer, aim):
    """The peer takes a tenth of them, one after another as all would be, and its time ten times."""
    file, name = prepared(pipeline, "series", "signals_many.bin"), f"{method}_many"
    part = os.path.join(pipeline.root, "signals_part.bin")
    with open(file, "rb") as whole, open(part, "wb") as few:
        few.write(whole.read(PEER_SERIES * 60 * 8))
    pipeline.part(f"{name}_part", method, part, "60", "3", runs=1)
    ours = pipeline.part(name, method, file, "60", "3")
    given = (part, "60", "3") if method == "pelt" else (part, "60")
    what = (f"{method.upper()}: {MANY_SERIES:,} accelerations of 60 frames; the peer a tenth of them, "
            "times ten")
    beside(figures, name, peer, what, ours, aim, lambda: (
        times(pipeline.peer(f"{method}/{peer}", *given, ours=f"{name}_part", runs=LONG_RUNS),
              MANY_SERIES / PEER_SERIES), False))


def changes(bin_folder, figures, method, peer, aim):
    pipeline_bench.changes(bin_folder, figures, method, (aim,))
    pipeline = Pipeline.of(bin_folder)
    many_series(pipeline, figures, method, peer, aim)
    if method == "pelt":
        pipeline_bench.long_series(pipeline, figures, "pelt_100k", "steps_many.bin", 100_000, aim,
                                   LONG_RUNS)


def nms(bin_folder, figures):
    pipeline = Pipeline.of(bin_folder)
    file, how = prepared(pipeline, "boxes", "boxes.bin"), with_torch(pipeline)
    given = (file, pipeline.path("box_scores.bin"), NMS_THRESHOLD)
    ours = pipeline.part("nms", *given, program="nightshift_nms_parts")
    what = f"NMS of 20,000 boxes, ten about each thing, IoU above {NMS_THRESHOLD}, the same kept"
    beside(figures, "nms", "torchvision", what, ours, ">= 3 x",
           lambda: (pipeline.peer("nms/torchvision", *given, **how), False))


def end_to_end_10k(bin_folder, figures):
    """The reference's way from sequences to its report, 9,500 of them; one run, which takes a minute."""
    pipeline, once = Pipeline.of(bin_folder), Took()
    made = pipeline.worker(once, "generate", "night/made", rng="compat", preset="10k") + "/dataset"
    table = pipeline.worker(once, "extract", "night/columns", dataset=made, set="compat81")
    given = {"features": table + "/features.feather", "dataset": made}
    models = [pipeline.worker(once, "train.patchcore", "night/patchcore", **given) + "/model",
              pipeline.worker(once, "train.dream", "night/dream", **given, epochs=EPOCHS,
                              engine="native") + "/model"]
    pipeline.worker(once, "evaluate", "night/report", **given, models=models, protocol="compat", goal=1)
    ours = Took()
    ours.cpu_s, ours.wall_s = [sum(once.cpu_s)], [sum(once.wall_s)]
    for step, seconds in zip(("generate", "extract", "patchcore", "dream", "evaluate"), once.cpu_s):
        figures.add(f"end_to_end_10k/{step}", "processor time of this step", seconds, "s")
    stages = {name: pipeline.estimate(name).least() for name in
              ("generate_text", "extract", "dream_epoch", "end_to_end_small")}
    grows = stages["generate_text"] + stages["extract"] + EPOCHS * stages["dream_epoch"]
    theirs = Took()     # imports and start stay as they are; the rest grows with the sequences
    theirs.cpu_s = [stages["end_to_end_small"] - grows
                    + grows * SEQUENCES_10K / pipeline.recorded["sequences"]]
    what = f"{SEQUENCES_10K:,} sequences: generate, 81 columns, PatchCore, DREAM of {EPOCHS} epochs, report"
    compared(figures, "end_to_end_10k", "reference", what, theirs, ours, ">= 50 x", estimated=True)


def limits(bin_folder, figures):
    """After the kernels, whose rows it reads: both were measured in this run."""
    program = os.path.join(bin_folder, "nightshift_limits")
    if not os.path.exists(program):
        raise RuntimeError(f"{program} is missing; build the target nightshift_limits")
    figures.machine_limits = roofline.measure(program)
    figures.limits = roofline.table(figures.rows, figures.machine_limits)


def named(name, run):
    run.__name__ = name
    return measured(run)


BENCHMARKS = {
    "generate": measured(generate),
    "features_fp64": named("features_fp64", lambda folder, figures: features(
        folder, figures, "features_fp64", "features", ">= 150 x", "features_table")),
    "features_fp32": named("features_fp32", lambda folder, figures: features(
        folder, figures, "features_fp32", "features32", ">= 300 x", "features_single")),
    "dream_step": with_dream(dream_step),
    "dream_epoch": with_dream(dream_epoch),
    "dream_score": with_dream(dream_score),
    "knn": measured(knn),
    "coreset": measured(coreset),
    **{method: named(method, lambda folder, figures, of=(method, peer, aim): changes(folder, figures, *of))
       for method, peer, aim in CHANGES},
    "metrics": measured(metrics),
    "cache": measured(cache),
    "end_to_end_10k": measured(end_to_end_10k),
    "nms": measured(nms),
    "limits": measured(limits),
}
