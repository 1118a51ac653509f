"""What grows with the number of waiting jobs, and what an idle daemon costs."""

import itertools
import os
import shutil
import statistics
import time
from urllib.parse import quote

from daemon import Daemon, scratch_folder
from measure import fsync_times
from queue_submit import batch_lines, send_batch

GIB = 1 << 30
ALL_SIZES = "1000,10000,100000,1000000"
SIZES = [int(size) for size in os.environ.get("NIGHTSHIFT_BENCH_SIZES", ALL_SIZES).split(",")]
CHUNK = 100_000
ASKS = 30
IDLE_S = 10
#: Waits for memory that one running job holds, so that every pass has something to plan.
WAITING = {"kind": "sleep", "name": "crack 40", "params": {"seconds": 1}, "vram": 4 * GIB}


def ask(daemon, path):
    start = time.perf_counter()
    daemon.request("GET", path)
    return time.perf_counter() - start


def pages(last_id):
    """Every filter the API offers, alone and together, from the newest page and from deep inside."""
    choices = [
        ["", "state=waiting", "state=failed", "state=active"],
        ["", "kind=sleep", "kind=command"],
        ["", "class=synthesis", "class=training,inference"],
        ["", "q=" + quote("crack 4"), "q=" + quote("no such name")],
        ["", "schedule=nightly"],
        ["", f"cursor={last_id // 2}"],
        ["limit=50"],
    ]
    return ["/api/v1/jobs?" + "&".join(filter(None, one)) for one in itertools.product(*choices)]


def pass_ms(daemon, job):
    """Mean time of a planning pass: holding and releasing a candidate makes one each."""
    made, spent = (daemon.metric("nightshift_plan_seconds_" + part) for part in ("count", "sum"))
    for _ in range(ASKS):
        daemon.json("POST", f"/api/v1/jobs/{job}/hold")
        daemon.json("POST", f"/api/v1/jobs/{job}/release")
    made = daemon.metric("nightshift_plan_seconds_count") - made
    return (daemon.metric("nightshift_plan_seconds_sum") - spent) / max(made, 1) * 1000


def measure_size(daemon, figures, size, waiting):
    grow = figures.grow
    took = 0.0
    while waiting < size:
        count = min(CHUNK, size - waiting)
        took = send_batch(daemon, batch_lines(count, WAITING)) / count
        waiting += count
    if took:
        grow("submit in a batch", "us", size, took * 1e6)
    newest = daemon.json("GET", "/api/v1/jobs?limit=1")["jobs"][0]["id"]
    submits = []
    for _ in range(ASKS):
        start = time.perf_counter()
        daemon.json("POST", "/api/v1/jobs", WAITING)
        submits.append(time.perf_counter() - start)
    whys = [ask(daemon, f"/api/v1/jobs/{job}/why") for job in (2, newest) for _ in range(ASKS)]
    lists = {path: statistics.median(ask(daemon, path) for _ in range(3)) for path in pages(newest)}
    slowest = max(lists, key=lists.get)
    grow("durable submit", "ms", size, statistics.median(submits) * 1000)
    grow("planner pass", "ms", size, pass_ms(daemon, 2))
    grow("why", "ms", size, statistics.median(whys) * 1000)
    grow("list page, median", "ms", size, statistics.median(lists.values()) * 1000)
    grow("list page, slowest filter", "ms", size, lists[slowest] * 1000)
    grow("memory", "MiB", size, daemon.rss_mib())
    figures.note(f"slowest list page at {size:,} jobs: {slowest}")
    return waiting + ASKS


def first_decision_s(bin_folder, folder):
    with Daemon(bin_folder, "--simulate", "gpu=8GiB", folder=folder) as daemon:
        start = time.monotonic() - daemon.ready_s
        while daemon.metric("nightshift_plan_seconds_count") < 1:
            time.sleep(0.001)
        return time.monotonic() - start


def scale(bin_folder, figures):
    folder = scratch_folder()
    try:
        waiting = 0
        with Daemon(bin_folder, "--simulate", "gpu=8GiB", folder=folder) as daemon:
            # The usual limit is a million; the submits that are measured come on top.
            daemon.json("PUT", "/api/v1/policy", {"limits": {"waiting": 2 * max(SIZES)}})
            body = {"kind": "sleep", "params": {"seconds": 3600}, "vram": 7 * GIB, "preemptible": False}
            holder = daemon.submit(**body)
            daemon.wait_for(holder, lambda job: job["state"] == "running")
        for size in SIZES:
            with Daemon(bin_folder, "--simulate", "gpu=8GiB", folder=folder) as daemon:
                waiting = measure_size(daemon, figures, size, waiting)
            figures.grow("start to the first decision", "s", size, first_decision_s(bin_folder, folder))
        with Daemon(bin_folder, "--simulate", "gpu=8GiB", folder=folder) as daemon:
            daemon.json("POST", f"/api/v1/jobs/{holder}/cancel")
            daemon.wait_for(holder, lambda job: job["state"] == "cancelled")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    aims = {
        "planner pass": "1 ms", "why": "5 ms", "list page, slowest filter": "10 ms", "memory": "64 MiB",
        "start to the first decision": "1 s",
    }  # fmt: skip
    for name, curve in figures.growth.items():
        jobs, value = curve["points"][-1]
        figures.add("scale_" + name.replace(" ", "_").replace(",", ""), f"{name} with {jobs:,} waiting jobs",
                    value, curve["unit"], aims.get(name, ""))  # fmt: skip


def idle(bin_folder, figures):
    ready = []
    for _ in range(5):
        with Daemon(bin_folder, "--simulate", "gpu=8GiB") as daemon:
            ready.append(daemon.ready_s)
    figures.add("ready", "start of `nightshiftd` to ready", statistics.median(ready), "s", "0.3 s")
    with Daemon(bin_folder, "--simulate", "gpu=8GiB") as daemon:
        time.sleep(5)  # what follows the start is over
        cpu, wakeups = daemon.cpu_s(), daemon.wakeups()
        time.sleep(IDLE_S)
        figures.add("idle_cpu", "processor time, idle", (daemon.cpu_s() - cpu) / IDLE_S * 100, "%", "0.1 %")
        figures.add("idle_wakeups", "wake-ups, idle", (daemon.wakeups() - wakeups) / IDLE_S, "1/s", "1/s")
        figures.add("idle", "memory of the daemon, idle", daemon.rss_mib(), "MiB", "25 MiB")
        disk = statistics.median(fsync_times(daemon.folder, 200))
        figures.add("fsync", "one fsync of this disk, p50", disk * 1000, "ms")
