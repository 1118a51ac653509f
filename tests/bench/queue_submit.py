"""How fast jobs get in: one client, 64 clients, one batch. Every answer comes after its commit."""

import json
import statistics
import time

import load
from daemon import Daemon
from measure import fsync_times, quantile
from peers import each_peer

SUBMITS = 400
QUEUED = 500
PEER_ADDS = 20
CONNECTIONS = 64
LOAD_SUBMITS = 20_000
BATCH = 100_000
SLEEP = {"kind": "sleep", "params": {"seconds": 1}}


def paused(daemon):
    daemon.json("POST", "/api/v1/queue/pause", {"reason": "benchmark"})


def batch_lines(count, body):
    return (json.dumps(body).encode() + b"\n") * count


def send_batch(daemon, lines):
    start = time.perf_counter()
    daemon.request("POST", "/api/v1/jobs:batch", lines, "application/x-ndjson")
    return time.perf_counter() - start


def submit(bin_folder, figures):
    """One submit after the other behind 500 waiting jobs; an fsync of the same disk after each."""
    disk = []
    with Daemon(bin_folder, "--simulate", "gpu=8GiB") as daemon:
        paused(daemon)
        send_batch(daemon, batch_lines(QUEUED, SLEEP))
        before = daemon.cpu_s()
        body = json.dumps(SLEEP).encode()
        ours = load.submit_times(daemon, body, SUBMITS, lambda: disk.extend(fsync_times(daemon.folder, 1)))
        cpu_ms = (daemon.cpu_s() - before) / SUBMITS * 1000
    fsync = statistics.median(disk)
    p50 = statistics.median(ours)
    what = f"durable submit behind {QUEUED} waiting jobs, p50"
    figures.compare("submit", "fsync", what, fsync, p50, "fsync + 0.3 ms")
    late = quantile(disk, 0.99), quantile(ours, 0.99)
    figures.compare("submit_p99", "fsync", "the same, p99, beside an fsync's p99", *late)
    figures.add("submit_cpu", "processor time of the daemon for one submit", cpu_ms, "ms")

    def beside(peer):
        peer.pause()
        queued = 0
        while queued < QUEUED and peer.left_s() > 0:
            peer.add(["true"])
            queued += 1
        if queued < QUEUED:
            figures.note(f"{peer.name}: only {queued} jobs were waiting, more took it too long to add")
        times = []
        for _ in range(PEER_ADDS):
            start = time.perf_counter()
            peer.add(["true"])
            times.append(time.perf_counter() - start)
        sentence = f"{what}, beside {peer.name}'s own command"
        figures.compare("submit", peer.name, sentence, statistics.median(times), p50, "3 x")

    each_peer(figures, 1, beside)


def submit64(bin_folder, figures):
    with Daemon(bin_folder, "--simulate", "gpu=8GiB") as daemon:
        paused(daemon)
        load.drive(daemon, json.dumps(SLEEP).encode(), CONNECTIONS, 500)
        fsync = statistics.median(fsync_times(daemon.folder, 100))
        commits, cpu = daemon.metric("nightshift_commits_total"), daemon.cpu_s()
        took = load.drive(daemon, json.dumps(SLEEP).encode(), CONNECTIONS, LOAD_SUBMITS)
        commits = daemon.metric("nightshift_commits_total") - commits
        cpu = daemon.cpu_s() - cpu
    rate = LOAD_SUBMITS / took
    what = f"durable submits over {CONNECTIONS} connections"
    figures.add("submit64", what, rate, "jobs/s", "10,000 jobs/s")
    figures.add(
        "submit64_per_fsync", "the same, for the time of one measured fsync", rate * fsync, "jobs",
        "20 jobs, where the disk is slow",
    )  # fmt: skip
    figures.add("submit64_group", "the same, jobs of one commit", LOAD_SUBMITS / max(commits, 1), "jobs")
    figures.add("submit64_cpu", "the same, processor time of a job", cpu / LOAD_SUBMITS * 1e6, "us")


def batch(bin_folder, figures):
    with Daemon(bin_folder, "--simulate", "gpu=8GiB") as daemon:
        paused(daemon)
        cpu = daemon.cpu_s()
        took = send_batch(daemon, batch_lines(BATCH, SLEEP))
        cpu = daemon.cpu_s() - cpu
        figures.add("batch", f"{BATCH:,} jobs in one `jobs:batch`", took, "s", "4 s")
        figures.add("batch_cpu", "the same, processor time of a job", cpu / BATCH * 1e6, "us")
        figures.add("batch_rss", "memory of the daemon after it", daemon.rss_mib(), "MiB")
