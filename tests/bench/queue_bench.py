"""The benchmarks of the queue by name, and two of the product beside them."""

import os
import statistics
from datetime import datetime

from daemon import Daemon
from queue_scale import GIB, idle, scale
from queue_start import launch, throughput, turnaround
from queue_submit import batch, submit, submit64

PREEMPTIONS = 10


def preempt(bin_folder, figures):
    """From the submit of an inference job that does not fit to its start, over the training's checkpoint."""
    times = []
    with Daemon(bin_folder, "--simulate", "gpu=8GiB") as daemon:
        training = daemon.submit(
            kind="sleep", params={"seconds": 3600}, vram=5 * GIB, preemptible=True, **{"class": "training"}
        )
        for _ in range(PREEMPTIONS):
            daemon.wait_for(training, lambda job: job["state"] == "running")
            job = daemon.submit(
                kind="sleep", params={"seconds": 0.05}, vram=4 * GIB, **{"class": "inference"}
            )
            done = daemon.wait_for(job, lambda found: found["state"] in ("succeeded", "failed"))
            times.append(seconds_of(done["started_at"]) - seconds_of(done["created_at"]))
        count = daemon.json("GET", f"/api/v1/jobs/{training}")["preemptions"]
        if count < PREEMPTIONS:
            raise RuntimeError(f"the training made way {count} times in {PREEMPTIONS}")
        daemon.json("POST", f"/api/v1/jobs/{training}/cancel")
    figures.add(
        "preempt",
        "submit of an inference job to its start, the training saving first, p50",
        statistics.median(times) * 1000,
        "ms",
    )


def sizes(bin_folder, figures):
    for name in ("nightshiftd", "nightshift", "nightshift-worker", "nightshift-command"):
        figures.add(
            f"size_{name}", f"size of `{name}`", os.path.getsize(os.path.join(bin_folder, name)) / 1e6, "MB"
        )


def seconds_of(rfc3339):
    return datetime.fromisoformat(rfc3339.replace("Z", "+00:00")).timestamp()


BENCHMARKS = {
    "submit": submit,
    "submit64": submit64,
    "batch": batch,
    "launch": launch,
    "turnaround": turnaround,
    "throughput": throughput,
    "scale": scale,
    "idle": idle,
}
BESIDE = {"preempt": preempt, "sizes": sizes}
