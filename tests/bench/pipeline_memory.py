"""The most memory that each kind of the pipeline holds, on 1,180 and on 9,500 sequences."""

import os
import shutil

from pipeline_parts import Pipeline, Took

PRESETS = {"default": 1180, "10k": 9500}
LARGEST = 100_000


def native(pipeline, preset):
    """The chain that we use: shards, a row a sequence, models on those rows."""
    made, table = pipeline.path(f"{preset}/made/dataset"), pipeline.path(f"{preset}/native/features.feather")
    yield "generate", "made", {"preset": preset}
    yield "extract native", "native", {"dataset": made}
    yield "train.patchcore", "patchcore", {"features": table}
    yield "train.dream", "dream", {"features": table, "epochs": 2, "engine": "native"}
    models = [pipeline.path(f"{preset}/{name}/model") for name in ("patchcore", "dream")]
    yield "train.ensemble", "ensemble", {"features": table, "models": models}
    yield "score", "score", {"features": table, "model": pipeline.path(f"{preset}/ensemble/model")}
    yield "evaluate", "evaluate", {"features": table, "dataset": made, "models": models}
    space = {"epochs": 1, "batch": 256}
    yield "optimize", "optimize", {"features": table, "target": "dream", "trials": 2, "space": space}
    yield "detect.cpd", "cpd", {"dataset": made}


def by_frame(pipeline, preset):
    """The reference's rows: one a frame, 81 columns."""
    made = pipeline.path(f"{preset}/compat/dataset")
    table = pipeline.path(f"{preset}/frames/features.feather")
    yield "generate compat", "compat", {"preset": preset, "rng": "compat"}
    yield "extract compat81", "frames", {"dataset": made, "set": "compat81"}
    yield "train.patchcore by frame", "patchcore81", {"features": table}
    dream = {"features": table, "epochs": 1, "batch": 256, "engine": "native"}
    yield "train.dream by frame", "dream81", dream
    temporal = {"features": table, "epochs": 1, "hidden": 4, "batch": 256, "window": 4}
    yield "train.temporal by frame", "temporal81", temporal


def texts(pipeline, preset):
    made = pipeline.path(f"{preset}/compat/dataset")
    yield "export", "bundles", {"dataset": made}
    yield "import", "imported", {"path": pipeline.path(f"{preset}/bundles"), "preflight": "warn"}
    yield "vectors", "vectors", {"dataset": made, "sequence": "normal/normal_0001"}


def memory(bin_folder, figures):
    """A row for each kind and size, and where a straight line through both leads."""
    pipeline = Pipeline.of(bin_folder)
    seen = {}
    for preset, sequences in PRESETS.items():
        chains = [native, by_frame] + ([texts] if preset == "default" else [])
        for chain in chains:
            for name, out, params in chain(pipeline, preset):
                took = Took()
                pipeline.worker(took, name.split()[0], os.path.join(preset, out), **params)
                seen.setdefault(name, {})[sequences] = took.peak_mib
        shutil.rmtree(pipeline.path(preset), ignore_errors=True)
    for name, sizes in seen.items():
        word = "memory/" + name.replace(" ", "_")
        for sequences, mib in sizes.items():
            figures.add(f"{word}/{sequences}", f"{name}, most resident, {sequences:,} sequences", mib, "MiB")
        if len(sizes) == 2:
            (few, less), (many, more) = sizes.items()
            straight = more + (more - less) / (many - few) * (LARGEST - many)
            what = f"{name}, {LARGEST:,} sequences, if it goes on straight"
            figures.add(f"{word}/{LARGEST}_projected", what, straight, "MiB", "<= 1,024 MiB")
