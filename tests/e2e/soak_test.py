#!/usr/bin/env python3
"""Ordinary work in one daemon's folder, with something killed all the time. What the daemon holds at the end
is what it held before.

usage: soak_test.py BIN; NIGHTSHIFT_SOAK_HOURS=72 for a job a second and a kill a minute for three days,
instead of some minutes at a quicker pace. NIGHTSHIFT_SOAK_SEED repeats a run.

The daemon itself is among the victims for the first third of the time. Then one daemon lives to the end, as a
new one would hide what it gathers, and both halves of its life are compared.
"""

import http.client
import os
import random
import signal
import statistics
import threading
import time

from harness import TERMINAL, Daemon, Folder, run, wait_for, workers
from promises import broken_invariants, count_leases, read_only

SIMULATE = ("--simulate", "gpu=8GiB")
HOURS = float(os.environ.get("NIGHTSHIFT_SOAK_HOURS", "0"))
SEED = int(os.environ.get("NIGHTSHIFT_SOAK_SEED", "20261128"))
# The daemon forgets once a minute what is past its retention: each half is one such minute, or many.
TIME_S = HOURS * 3600 or 180
PER_MINUTE = 60 if HOURS else 120
KILL_EVERY_S = 60 if HOURS else 8
KEEP_S = 30 * 60 if HOURS else 10
SAMPLE_EVERY_S = max(1.0, TIME_S / 5000)
# How much more the second half may hold than the first. Memory comes in whole arenas of malloc, and the file
# of the database in the size that its largest transaction needed. Without any forgetting the short form sees
# five thirds.
RATIO_MAX = {"rss_kib": 1.25, "descriptors": 1.25, "threads": 1.25, "database_kib": 1.5, "folders": 1.4}
# Events are forgotten by their own age, so that a job that is kept may be older than its first ones.
FORGOTTEN = {"a job without the event of its submit", "an end without its one event"}


def status_of(pid, field):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(field))


def kib_of(folder):
    """The database with its log, as the disk sees it."""
    names = ("nightshift.db", "nightshift.db-wal")
    paths = [os.path.join(folder.data, name) for name in names]
    return sum(os.stat(path).st_blocks for path in paths if os.path.exists(path)) // 2


class Soak:
    def __init__(self, daemon, folder):
        self.daemon, self.folder = daemon, folder
        self.chance = random.Random(SEED)
        self.started = time.monotonic()
        self.until = self.started + TIME_S
        self.daemon_lives_from = self.started + TIME_S / 3
        self.samples = []
        self.victims = []
        self.killed = {"daemon": 0, "worker": 0, "program": 0}
        self.submitted = 0
        self.newest = []
        self.lock = threading.Lock()        # held while the daemon is away

    def pace(self):
        """Submits until the time is over, PER_MINUTE on average, of all that people submit."""
        due = self.started
        while time.monotonic() < self.until:
            due += 60 / PER_MINUTE
            time.sleep(max(0, due - time.monotonic()))
            with self.lock:
                try:
                    self.newest.append(self.submit())
                    self.submitted += 1
                    del self.newest[:-200]
                except (OSError, http.client.HTTPException):
                    continue                # a daemon that did not come back shows at the end

    def submit(self):
        kind = self.chance.random()
        fields = {"cpu": 0, "class": self.chance.choice(["training", "synthesis", "evaluation"]),
                  "retries": self.chance.choice([0, 1])}
        if kind < 0.5:
            script = "echo $NIGHTSHIFT_JOB_ID; exit $(($NIGHTSHIFT_JOB_ID % 3))"
            return self.daemon.command("sh", "-c", script, **fields)
        if kind < 0.6:
            script = "sleep 2 & setsid sleep 3 & head -c 300000 /dev/zero"
            return self.daemon.command("sh", "-c", script, **fields)
        if kind < 0.7:
            return self.daemon.sleep_job(1, vram="1GiB", **fields)
        if kind < 0.8:
            return self.daemon.sleep_job(0, vram="6GiB", **dict(fields, **{"class": "inference"}))
        if kind < 0.9 and self.newest:
            return self.daemon.sleep_job(0, after=[{"job": self.newest[-1], "on": "any"}], **fields)
        return self.daemon.sleep_job(0, name="이름 " + "x" * self.chance.randint(0, 100), **fields)

    def kill_something(self):
        if not self.victims:
            self.victims = ["daemon", "worker", "program"]
            self.chance.shuffle(self.victims)
        victim = self.victims.pop()
        if victim == "daemon":
            if time.monotonic() > self.daemon_lives_from:
                return
            with self.lock:
                self.daemon.kill()
                self.daemon.start()
        else:
            wait_for(lambda: self.kill_below(victim), limit_s=120, what=f"a {victim} to kill")
        self.killed[victim] += 1

    def kill_below(self, victim):
        """Kills some worker, or what runs under it. False when all have ended by themselves."""
        for pid in self.chance.sample(alive := workers(self.folder.data), len(alive)):
            try:
                if victim == "program":
                    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
                        pid = int(file.read().split()[0])
                os.kill(pid, signal.SIGKILL)
                return True
            except (OSError, IndexError):
                continue
        return False

    def read_as_people_do(self):
        with self.lock:
            for path in ("/api/v1/jobs?limit=50", "/api/v1/status", "/metrics", "/api/v1/gpu"):
                self.daemon.get(path)
            if self.newest:
                job = self.chance.choice(self.newest)
                self.daemon.request("GET", f"/api/v1/jobs/{job}/log?tail=10")
                if self.chance.random() < 0.2:
                    self.daemon.request("POST", f"/api/v1/jobs/{job}/cancel")

    def sample(self):
        pid = self.daemon.process.pid
        self.samples.append({
            "pid": pid,
            "rss_kib": status_of(pid, "VmRSS"),
            "descriptors": len(os.listdir(f"/proc/{pid}/fd")),
            "threads": len(os.listdir(f"/proc/{pid}/task")),
            "database_kib": kib_of(self.folder),
            "folders": len(os.listdir(os.path.join(self.folder.data, "jobs")))})

    def run(self):
        pacing = threading.Thread(target=self.pace)
        pacing.start()
        kill_at = self.started + KILL_EVERY_S
        try:
            while time.monotonic() < self.until:
                self.read_as_people_do()
                if time.monotonic() >= self.daemon_lives_from:
                    self.sample()
                if time.monotonic() >= kill_at:
                    self.kill_something()
                    kill_at += KILL_EVERY_S * self.chance.uniform(0.5, 1.5)
                time.sleep(SAMPLE_EVERY_S)
        finally:
            self.until = 0
            pacing.join(120)

    def halves(self, name):
        """Medians of the first and the second half of the last daemon's life."""
        half = len(self.samples) // 2
        assert half >= 10 and len({sample["pid"] for sample in self.samples}) == 1, len(self.samples)
        return (statistics.median(sample[name] for sample in self.samples[:half]),
                statistics.median(sample[name] for sample in self.samples[-half:]))


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return file.read().split()


def test_nothing_grows(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        daemon.set_policy({"retention": dict.fromkeys(("jobs", "logs", "checkpoints"), f"{KEEP_S}s"),
                           "limits": {"running": 16}})
        soak = Soak(daemon, folder)
        soak.run()
        figures = {name: soak.halves(name) for name in RATIO_MAX}
        print(f"      {soak.submitted} jobs in {TIME_S:.0f} s, killed {soak.killed} (seed {SEED})")
        for name, (first, second) in figures.items():
            print(f"      {name:<14} {first:>10.0f} {second:>10.0f}  ratio {second / first:.2f}")
        assert soak.submitted >= TIME_S / 60 * PER_MINUTE / 2 and all(soak.killed.values()), soak.killed
        for job in daemon.get("/api/v1/jobs?state=active&limit=200")["jobs"]:
            assert daemon.finish(job["id"], limit_s=300)["state"] in TERMINAL
        wait_for(lambda: not workers(folder.data) and count_leases(folder) == 0, what="the end of the last")
        wait_for(lambda: children_of(daemon.process.pid) == [], what="the burial of the last")
        with read_only(folder) as database:
            assert set(broken_invariants(database)) <= FORGOTTEN, broken_invariants(database)
        assert daemon.get("/api/v1/selfcheck")["ok"]
        for name, (first, second) in figures.items():
            assert second <= first * RATIO_MAX[name], f"{name} grew from {first} to {second}"


run([value for name, value in list(globals().items()) if name.startswith("test_")])
