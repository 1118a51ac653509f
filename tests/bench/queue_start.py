"""How fast jobs start: the first one, the next one, many short ones."""

import json
import os
import statistics
import time

from daemon import Daemon
from measure import Stamps, fsync_times, quantile
from peers import each_peer

LAUNCHES = 40
PEER_LAUNCHES = 10
TURNS = 60
PEER_TURNS = 15
SHORT_JOBS = int(os.environ.get("NIGHTSHIFT_BENCH_JOBS", "10000"))
SLOTS = 8


def running_limit(daemon, count):
    daemon.json("PUT", "/api/v1/policy", {"limits": {"running": count}})


def command(argv):
    # No CPU slot is asked for, so that only the number of running jobs limits them, as with the peers.
    return {"kind": "command", "command": argv, "cpu": 0}


def launch(bin_folder, figures):
    """From sending the submit to the first instruction of the job, on an empty queue."""
    times = []
    with Daemon(bin_folder, "--simulate", "gpu=8GiB") as daemon:
        stamps = Stamps(bin_folder, daemon.folder)
        fsync = statistics.median(fsync_times(daemon.folder, 100))
        for _ in range(LAUNCHES):
            stamps.forget()
            start = time.time()
            job = daemon.submit(**command(stamps.command()))
            times.append(stamps.wait(1)[0] - start)
            daemon.wait_for(job, lambda found: found["state"] == "succeeded")
    p50 = statistics.median(times)
    what = "submit to the first instruction of the job, p50"
    figures.compare("launch", "fsync", what, fsync, p50, "2 fsync + 5 ms")
    figures.add("launch_p99", "the same, slowest", quantile(times, 0.99) * 1000, "ms")

    def beside(peer):
        stamps = Stamps(bin_folder, peer.folder)
        theirs = []
        while len(theirs) < PEER_LAUNCHES and (len(theirs) < 3 or peer.left_s() > 0):
            stamps.forget()
            start = time.time()
            peer.add(stamps.command())
            theirs.append(stamps.wait(1)[0] - start)
            time.sleep(0.5)  # its job's end is not what is measured
        median = statistics.median(theirs)
        figures.compare("launch", peer.name, f"{what}, beside {peer.name}", median, p50, "5 x")

    each_peer(figures, 1, beside)


def gaps(seconds):
    return [later - earlier for earlier, later in zip(seconds, seconds[1:])]


def turnaround(bin_folder, figures):
    """Jobs of a millisecond in a row: between two first instructions lie one end and one start."""
    with Daemon(bin_folder, "--simulate", "gpu=8GiB") as daemon:
        running_limit(daemon, 1)
        stamps = Stamps(bin_folder, daemon.folder)
        fsync = statistics.median(fsync_times(daemon.folder, 100))
        line = json.dumps(command(stamps.command())).encode() + b"\n"
        daemon.request("POST", "/api/v1/jobs:batch", line * TURNS, "application/x-ndjson")
        p50 = statistics.median(gaps(stamps.wait(TURNS)))
    what = "end of a job to the first instruction of the next, p50"
    figures.compare("turnaround", "fsync", what, fsync, p50, "2 fsync + 10 ms")

    def beside(peer):
        stamps = Stamps(bin_folder, peer.folder)
        for _ in range(PEER_TURNS):
            peer.add(stamps.command())
        theirs = statistics.median(gaps(stamps.wait_until(peer.end, PEER_TURNS, least=3)))
        figures.compare("turnaround", peer.name, f"{what}, beside {peer.name}", theirs, p50)

    each_peer(figures, 1, beside)


def throughput(bin_folder, figures):
    """Jobs of a millisecond, eight at a time; peers run as many as fit into their time."""
    with Daemon(bin_folder, "--simulate", "gpu=8GiB") as daemon:
        running_limit(daemon, SLOTS)
        stamps = Stamps(bin_folder, daemon.folder)
        line = json.dumps(command(stamps.command())).encode() + b"\n"
        cpu, start = daemon.cpu_s(), time.monotonic()
        daemon.request("POST", "/api/v1/jobs:batch", line * SHORT_JOBS, "application/x-ndjson")
        stamps.wait(SHORT_JOBS, timeout_s=3600)
        ours = (time.monotonic() - start) / SHORT_JOBS
        cpu = daemon.cpu_s() - cpu
    figures.add("throughput", f"{SHORT_JOBS:,} short jobs, {SLOTS} at a time", 1 / ours, "jobs/s")
    figures.add("throughput_cpu", "processor time of the daemon for one", cpu / SHORT_JOBS * 1000, "ms")

    def beside(peer):
        stamps = Stamps(bin_folder, peer.folder)
        added, start = 0, time.monotonic()
        limit_s = peer.left_s()
        while peer.left_s() > limit_s / 2 and added < SHORT_JOBS:
            peer.add(stamps.command())
            added += 1
        begun = stamps.wait_until(peer.end, added, least=1)
        theirs = (time.monotonic() - start) / len(begun)
        aim = "3 x" if peer.name in ("pueue", "gflow") else ""
        what = f"seconds for a short job, beside {peer.name}"
        figures.compare("throughput", peer.name, what, theirs, ours, aim)

    each_peer(figures, SLOTS, beside)
