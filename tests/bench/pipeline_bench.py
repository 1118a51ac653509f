"""Benchmarks of the FPCB pipeline: one thread on each side, processor time, results compared first."""

import json
import os

from peer_install import Missing
from pipeline_memory import memory
from pipeline_parts import GOLDEN, RUNS, Pipeline, Took

DEFAULT_SEQUENCES = 1180


def compared(figures, name, peer, what, theirs, ours, aim, estimated=False):
    """Medians of processor time; what was recorded is a least, so ours is one there, too."""
    more = {"ours_wall_s": ours.wall(), "ours_least_s": ours.least()}
    if estimated:
        return figures.compare(name, peer, what, theirs.least(), ours.least(), aim, estimated=True, **more)
    more.update(peer_wall_s=theirs.wall(), peer_least_s=theirs.least())
    figures.compare(name, peer, what, theirs.cpu(), ours.cpu(), aim, **more)


def beside(figures, name, peer, what, ours, aim, ask):
    """A row where the peer can be had and agrees with ours, else a note that says why not."""
    try:
        theirs, estimated = ask()
        compared(figures, name, peer, what, theirs, ours, aim, estimated)
    except Missing as reason:
        figures.note(f"left out: {name}/{peer}: {reason}")


def times(took, factor):
    scaled = Took()
    scaled.cpu_s = [seconds * factor for seconds in took.cpu_s]
    scaled.wall_s = [seconds * factor for seconds in took.wall_s]
    return scaled


def by_reference(pipeline):
    """The small set as text, compared with ours byte by byte where the reference is here."""
    if os.environ.get("NIGHTSHIFT_REFERENCE"):
        pipeline.part("generate_text", "load", pipeline.bundles)    # leaves the names
    return pipeline.reference("generate_text", pipeline.bundles, pipeline.path("theirs"))


def generate_text(bin_folder, figures):
    pipeline = Pipeline.of(bin_folder)
    params = {"rng": "compat", "preset": "small", "format": "bundles"}
    ours = pipeline.jobs("text", lambda _: [("generate", "out", params)])
    beside(figures, "generate_text", "reference", "125 sequences as text, the reference's own bytes", ours,
           ">= 10 x", lambda: by_reference(pipeline))


def generate_shards(bin_folder, figures, name="generate_shards"):
    """Its draws are its own, so the peer writes as many sequences of its kind; threads change no byte."""
    pipeline = Pipeline.of(bin_folder)
    hashes = []
    for threads in (1, 2):
        folder = pipeline.worker(Took(), "generate", f"threads-{threads}", threads=threads, preset="small")
        with open(os.path.join(folder, "dataset", "dataset.json"), encoding="utf-8") as file:
            hashes.append([shard["sha256"] for shard in json.load(file)["shards"]])
    if hashes[0] != hashes[1]:
        raise RuntimeError("generate gave other bytes with two threads; nothing is measured")
    ours = pipeline.jobs("shards", lambda _: [("generate", "out", {"preset": "default"})])

    def many():
        theirs, estimated = by_reference(pipeline)
        return times(theirs, DEFAULT_SEQUENCES / pipeline.recorded["sequences"]), estimated

    what = f"{DEFAULT_SEQUENCES:,} sequences as shards, Philox, beside as many of its text bundles"
    beside(figures, name, "reference", what, ours, ">= 50 x", many)


def tables(bin_folder, figures, name, part, what, aims, stage=None, recorded=None):
    """`stage`: what the peers call it, `recorded`: the stage that was timed, where these have other names."""
    pipeline, stage = Pipeline.of(bin_folder), stage or name
    ours = pipeline.part(stage, part, pipeline.bundles)
    beside(figures, name, "reference", what, ours, aims[0],
           lambda: pipeline.reference(stage, pipeline.bundles, recorded=recorded))
    beside(figures, name, "pandas", what, ours, aims[1],
           lambda: (pipeline.peer(f"{stage}/pandas", pipeline.bundles), False))


def bundle_load(bin_folder, figures):
    tables(bin_folder, figures, "bundle_load", "load", "125 text bundles read", (">= 50 x", ""))


COLUMNS_81 = "75 columns of 7,500 frames and 6 of 125 sequences, from tracks in memory"


def features_table(bin_folder, figures):
    tables(bin_folder, figures, "features_table", "features", COLUMNS_81, (">= 100 x", ""))
    pipeline = Pipeline.of(bin_folder)
    params = {"dataset": pipeline.bundles, "set": "compat81"}
    ours = pipeline.jobs("extract", lambda _: [("extract", "out", params)])
    compared(figures, "extract", "reference", "the same from text bundles to a Feather file, as a job",
             pipeline.estimate("extract"), ours, "", estimated=True)


def vectors_table(bin_folder, figures):
    tables(bin_folder, figures, "vectors_table", "vectors",
           "vectors, surrogates and risk of 1.7 million points, from tracks in memory", (">= 100 x", ""))


def changes(bin_folder, figures, method, aims):
    pipeline = Pipeline.of(bin_folder)
    signals = pipeline.path("signals.bin")
    ours = pipeline.part(method, method, signals, "60", "3")
    what = f"{method.upper()}: 125 accelerations of 60 frames"
    if method == "pelt":
        beside(figures, "pelt", "ruptures", what, ours, aims[0],
               lambda: (pipeline.peer("pelt/ruptures", signals, "60", "3"), False))
        long_series(pipeline, figures, "pelt_long", "steps.bin", 5000, aims[0])
        return
    beside(figures, method, "python", what, ours, aims[0],
           lambda: (pipeline.peer(f"{method}/python", signals, "60"), False))
    beside(figures, method, "reference", what, ours, aims[0], lambda: (pipeline.estimate(method), True))


def long_series(pipeline, figures, name, file, samples, aim, runs=RUNS):
    steps = pipeline.path(file)
    ours = pipeline.part(name, "pelt", steps, str(samples), "100")
    what = f"PELT: one series of {samples:,} samples with {samples // 200} levels"
    beside(figures, name, "ruptures", what, ours, aim,
           lambda: (pipeline.peer("pelt/ruptures", steps, str(samples), "100", ours=name, runs=runs), False))


def neighbours(pipeline, figures, name, bank, queries, shape):
    """Each peer beside ours on rows of its own precision. `shape`: rows, rows of the bank."""
    given = (pipeline.path(bank), pipeline.path(queries), str(pipeline.shape["columns"]))
    sides = (("sklearn", "knn", "float64", ">= 1.5 x"), ("faiss", "knn32", "float32", ">= 1.2 x"))
    for k in (1, 5):
        for peer, part, precision, aim in sides:
            ours_name = f"{name}_{part}_k{k}"
            ours = pipeline.part(ours_name, part, *given, str(k))
            what = (f"PatchCore scores: {shape[0]:,} rows of 81 beside a bank of {shape[1]:,}, "
                    f"k = {k}, {precision}")
            beside(figures, name if k == 1 else f"{name}_k{k}", peer, what, ours, aim,
                   lambda k=k, peer=peer, ours_name=ours_name: (
                       pipeline.peer(f"knn/{peer}", *given, str(k), ours=ours_name), False))


def knn(bin_folder, figures):
    pipeline = Pipeline.of(bin_folder)
    neighbours(pipeline, figures, "knn", "bank.bin", "queries.bin", (pipeline.shape["rows"], 1000))


def coreset(bin_folder, figures):
    pipeline = Pipeline.of(bin_folder)
    picks = pipeline.shape["rows"] // 10
    given = (pipeline.path("queries.bin"), str(pipeline.shape["columns"]), str(picks))
    ours = pipeline.part("coreset", "coreset", *given, "0")
    what = f"greedy coreset: {picks} of {pipeline.shape['rows']:,} rows of 81, every pick the same, float64"
    beside(figures, "coreset", "numpy", what, ours, ">= 5 x",
           lambda: (pipeline.peer("coreset/numpy", *given), False))


def end_to_end_small(bin_folder, figures):
    """The reference's way: generate, 81 columns, PatchCore and DREAM (15 epochs), its report for goal 1."""
    pipeline = Pipeline.of(bin_folder)
    reports = []

    def chain(folder):
        made, table = pipeline.path(f"{folder}/made/dataset"), f"{folder}/columns/features.feather"
        features = {"features": pipeline.path(table)}
        models = [pipeline.path(f"{folder}/{name}/model") for name in ("patchcore", "dream")]
        reports.append(pipeline.path(f"{folder}/report/report.json"))

        def only_goal_1():      # its script reads the folders of its goal alone
            for name in ("thick_panel", "pre_damaged"):
                os.rename(os.path.join(made, name), pipeline.path(f"{folder}/{name}"))

        yield "generate", "made", {"rng": "compat", "preset": "small", "format": "bundles"}
        yield only_goal_1
        yield "extract", "columns", {"dataset": made, "set": "compat81"}
        yield "train.patchcore", "patchcore", features
        yield "train.dream", "dream", {**features, "epochs": 15, "engine": "native"}
        yield "evaluate", "report", {**features, "models": models, "protocol": "compat", "goal": 1}

    ours = pipeline.jobs("end", chain)
    with open(reports[0], encoding="utf-8") as file:
        report = json.load(file)
    with open(os.path.join(GOLDEN, "eval_small.json"), encoding="utf-8") as file:
        wanted = json.load(file)["goal1"]
    report["models"].pop("DREAM")       # a seed of its own: compared within a spread by tests
    if report != wanted:
        raise RuntimeError(f"our report of goal 1 is not the reference's: {report}")
    what = "125 sequences: generate, 81 columns, PatchCore, DREAM of 15 epochs, report"
    compared(figures, "end_to_end_small", "reference", what, pipeline.estimate("end_to_end_small"), ours,
             ">= 50 x", estimated=True)


def measured(run):
    """One benchmark that fails does not take the others' figures with it."""
    def all_of_it(bin_folder, figures):
        try:
            run(bin_folder, figures)
        except (Missing, RuntimeError) as error:
            figures.note_once(f"left out: {run.__name__}: {error}")
        made = Pipeline.made
        if made is not None:
            figures.read_inputs(made.root)
        if made is not None and made.scale is not None:
            figures.note_once(f"estimated: recorded times of the reference times {made.scale:.2f}, as much "
                              "longer as ruptures' loop takes here (reference_times.json)")
    return all_of_it


BENCHMARKS = {
    "generate_text": measured(generate_text),
    "generate_shards": measured(generate_shards),
    "bundle_load": measured(bundle_load),
    "features_table": measured(features_table),
    "vectors_table": measured(vectors_table),
    "cusum": measured(lambda folder, figures: changes(folder, figures, "cusum", (">= 100 x",))),
    "window": measured(lambda folder, figures: changes(folder, figures, "window", (">= 100 x",))),
    "pelt": measured(lambda folder, figures: changes(folder, figures, "pelt", (">= 100 x",))),
    "patchcore_score": measured(knn),
    "patchcore_coreset": measured(coreset),
    "end_to_end_small": measured(end_to_end_small),
    "pipeline_memory": measured(memory),
}
