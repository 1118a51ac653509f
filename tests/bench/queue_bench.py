"""Benchmarks of the queue: the daemon's own work, with jobs that do nothing."""

import json
import os
import statistics
import time
from datetime import datetime

from daemon import Daemon

SUBMITS = 400
LAUNCHES = 30
PREEMPTIONS = 10
WAITING = 100_000
GIB = 1 << 30


def fsync_times(folder, count):
    """Appends a page and syncs it, as a commit of a write-ahead log has to."""
    times = []
    path = os.path.join(folder, "fsync.probe")
    with open(path, "wb", buffering=0) as file:
        for _ in range(count):
            start = time.perf_counter()
            file.write(b"x" * 4096)
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - start)
    os.unlink(path)
    return times


def quantile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def submit(bin_folder, figures):
    """A single client, one submit after the other, each answered after its commit; fsync interleaved."""
    ours, peer = [], []
    with Daemon(bin_folder, "--simulate", "gpu=8GiB") as daemon:
        daemon.json("POST", "/api/v1/queue/pause", {"reason": "benchmark"})
        for _ in range(SUBMITS):
            start = time.perf_counter()
            daemon.submit(kind="sleep", params={"seconds": 1})
            ours.append(time.perf_counter() - start)
            peer += fsync_times(daemon.folder, 1)
    figures.compare(
        "submit",
        "fsync",
        "durable submit, p50, beside one fsync",
        statistics.median(peer),
        statistics.median(ours),
    )
    figures.compare(
        "submit_p99",
        "fsync",
        "durable submit, p99, beside one fsync's p99",
        quantile(peer, 0.99),
        quantile(ours, 0.99),
    )


def batch(bin_folder, figures):
    lines = b"".join(
        json.dumps({"kind": "sleep", "params": {"seconds": 1}}).encode() + b"\n" for _ in range(10_000)
    )
    with Daemon(bin_folder, "--simulate", "gpu=8GiB") as daemon:
        daemon.json("POST", "/api/v1/queue/pause", {"reason": "benchmark"})
        start = time.perf_counter()
        daemon.request("POST", "/api/v1/jobs:batch", lines, "application/x-ndjson")
        figures.add(
            "batch", "10,000 submits in one batch", 10_000 / (time.perf_counter() - start), "jobs/s"
        )


def idle(bin_folder, figures):
    ready = []
    for _ in range(5):
        with Daemon(bin_folder, "--simulate", "gpu=8GiB") as daemon:
            ready.append(daemon.ready_s)
    figures.add("ready", "start of `nightshiftd` to ready", statistics.median(ready), "s", "0.3 s")
    with Daemon(bin_folder, "--simulate", "gpu=8GiB") as daemon:
        time.sleep(3)
        figures.add("idle", "memory of the daemon, idle", daemon.rss_mib(), "MiB", "25 MiB")


def scale(bin_folder, figures):
    """100,000 jobs wait for memory that one running job holds, so that every pass has to plan."""
    with Daemon(bin_folder, "--simulate", "gpu=8GiB") as daemon:
        holder = daemon.submit(kind="sleep", params={"seconds": 3600}, vram=7 * GIB, preemptible=False)
        daemon.wait_for(holder, lambda job: job["state"] == "running")
        line = json.dumps({"kind": "sleep", "params": {"seconds": 1}, "vram": 4 * GIB}).encode() + b"\n"
        start = time.perf_counter()
        for _ in range(WAITING // 10_000):
            daemon.request("POST", "/api/v1/jobs:batch", line * 10_000, "application/x-ndjson")
        figures.add(
            "scale_batch",
            f"{WAITING:,} submits in batches of 10,000",
            WAITING / (time.perf_counter() - start),
            "jobs/s",
        )
        time.sleep(3)
        figures.add("scale", f"memory of the daemon with {WAITING:,} waiting jobs", daemon.rss_mib(), "MiB")
        times = []
        for _ in range(100):
            start = time.perf_counter()
            daemon.submit(kind="sleep", params={"seconds": 1}, vram=4 * GIB)
            times.append(time.perf_counter() - start)
        figures.add(
            "scale_submit",
            f"durable submit behind {WAITING:,} waiting jobs, p50",
            statistics.median(times) * 1000,
            "ms",
        )
        daemon.json("POST", f"/api/v1/jobs/{holder}/cancel")


def launch(bin_folder, figures):
    """From sending the submit to the first instruction of the user's program, which prints the time."""
    times = []
    with Daemon(bin_folder, "--simulate", "gpu=8GiB") as daemon:
        for _ in range(LAUNCHES):
            start = time.time()
            job = daemon.submit(kind="command", command=["/bin/date", "+%s.%N"])
            done = daemon.wait_for(job, lambda found: found["state"] in ("succeeded", "failed"))
            if done["state"] != "succeeded":
                raise RuntimeError(f"job {job}: {done['outcome']}")
            log = daemon.request("GET", f"/api/v1/jobs/{job}/log").decode()
            times.append(float(log.split()[-1]) - start)
    figures.add(
        "launch", "submit to the first instruction of the job, p50", statistics.median(times) * 1000, "ms"
    )
    figures.add("launch_p99", "the same, slowest", max(times) * 1000, "ms")


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
    for name in ("nightshiftd", "nightshift", "nightshift-worker"):
        figures.add(
            f"size_{name}", f"size of `{name}`", os.path.getsize(os.path.join(bin_folder, name)) / 1e6, "MB"
        )


def seconds_of(rfc3339):
    return datetime.fromisoformat(rfc3339.replace("Z", "+00:00")).timestamp()


BENCHMARKS = {
    "submit": submit,
    "batch": batch,
    "idle": idle,
    "scale": scale,
    "launch": launch,
    "preempt": preempt,
    "sizes": sizes,
}
