"""Benchmarks of the metrics: areas of ten million scores and of resamples beside scikit-learn."""

from pipeline_bench import beside, times
from pipeline_parts import Pipeline

PARTS = {"program": "nightshift_kernel_parts"}
PEER = {"script": "kernel_peer.py"}
RESAMPLES, PEER_RESAMPLES, KEY = 1000, 50, "20261129"


def metrics(bin_folder, figures):
    pipeline = Pipeline.of(bin_folder)
    pipeline.ask("prepare", "scores", pipeline.root, **PEER)
    given = (pipeline.path("scores.bin"), pipeline.path("scores_labels.bin"))
    areas = (("metrics_roc", "roc", "ROC AUC"), ("metrics_ap", "precision", "average precision"))
    for name, part, words in areas:
        ours = pipeline.part(name, part, *given, **PARTS)
        what = f"{words} of 10,000,000 scores, about ten of a value, equal to 1e-9"
        beside(figures, name, "sklearn", what, ours, ">= 5 x", lambda part=part, name=name: (
            pipeline.peer(f"{part}/sklearn", *given, ours=name, **PEER), False))
    given = (pipeline.path("few_scores.bin"), pipeline.path("few_scores_labels.bin"))
    ours = pipeline.part("metrics_resamples", "resamples", *given, str(RESAMPLES), KEY, **PARTS)
    what = (f"ROC AUC of {RESAMPLES:,} resamples of 20,000 scores, areas equal to 1e-12; the peer "
            f"{PEER_RESAMPLES} of them, times {RESAMPLES // PEER_RESAMPLES}")
    beside(figures, "metrics_resamples", "sklearn", what, ours, ">= 5 x", lambda: (
        times(pipeline.peer("resamples/sklearn", *given, str(PEER_RESAMPLES), KEY, ours="metrics_resamples",
                            **PEER), RESAMPLES / PEER_RESAMPLES), False))
