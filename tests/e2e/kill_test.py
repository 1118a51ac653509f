#!/usr/bin/env python3
"""A hundred kills -9 of the daemon at random moments with jobs in flight, then the count:
acknowledged = stored, every job ran to its end exactly once, every exit was recorded once.

KILLS=n changes the number, SEED=n the moments.
"""

import http.client
import os
import random
import sqlite3
import threading
import time

from harness import Daemon, Folder, run, workers

KILLS = int(os.environ.get("KILLS", "100"))
SEED = int(os.environ.get("SEED", "20261121"))
SIMULATE = ("--simulate", "gpu=8GiB")
SUBMITTERS = 2
# A submitter rests while this many of its jobs are under way, so that the end is near after the last kill.
AHEAD = 12


class Submitter(threading.Thread):
    """Submits jobs that append their name to one file, and keeps what was acknowledged. A request whose
    answer never came is sent again under the same key, as a careful client does."""

    def __init__(self, number, daemon, record, stop):
        super().__init__()
        self.number, self.daemon_process, self.record, self.stop = number, daemon, record, stop
        self.acknowledged = {}

    def run(self):
        n = 0
        while not self.stop.is_set():
            n += 1
            name = f"{self.number}-{n}"
            script = f'sleep 0.0{random.randint(0, 9)}; echo "$1" >> "$2"'
            body = {"kind": "command", "name": name, "class": "synthesis",
                    "command": ["sh", "-c", script, "sh", name, self.record]}
            while name not in self.acknowledged:
                try:
                    status, answer = self.daemon_process.request(
                        "POST", "/api/v1/jobs", body, {"Idempotency-Key": f"kill-{name}"}, timeout=10)
                    assert status == 201, (status, answer)
                    self.acknowledged[name] = answer["id"]
                except (OSError, http.client.HTTPException, ValueError, AttributeError):
                    time.sleep(0.01)   # no daemon, or one that was killed while it answered
            self.rest()

    def rest(self):
        while not self.stop.is_set():
            try:
                with open(self.record, encoding="ascii") as file:
                    done = sum(1 for line in file if line.startswith(f"{self.number}-"))
            except OSError:
                done = 0
            if len(self.acknowledged) - done < AHEAD:
                return
            time.sleep(0.02)


def job_log(folder, job):
    """What the worker said, for the report of a failure."""
    found = []
    top = os.path.join(folder.data, "jobs", str(job))
    for base, _, names in os.walk(top):
        for name in names:
            if name in ("stdout.log", "result.json"):
                with open(os.path.join(base, name), encoding="utf-8", errors="replace") as file:
                    found.append((os.path.relpath(os.path.join(base, name), top), file.read()[-2000:]))
    return found


def check_database(path):
    """Counted by SQL on the file itself, after the last daemon has stopped."""
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    assert database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert database.execute("SELECT COUNT(*) FROM attempt WHERE end_kind IS NULL").fetchone()[0] == 0
    low, high, count = database.execute("SELECT MIN(seq), MAX(seq), COUNT(*) FROM event").fetchone()
    assert high - low + 1 == count, "event numbers have a gap"
    rows = database.execute(
        "SELECT j.id, j.name, j.state, (SELECT COUNT(*) FROM event e WHERE e.job_id = j.id AND e.kind IN "
        "('succeeded', 'failed', 'cancelled')), (SELECT COUNT(*) FROM attempt a WHERE a.job_id = j.id AND "
        "a.end_kind = 'ok') FROM job j").fetchall()
    leases = database.execute("SELECT COUNT(*) FROM lease").fetchone()[0]
    database.close()
    return rows, leases


def test_a_hundred_kills_lose_and_repeat_nothing(bin_folder):
    chance = random.Random(SEED)
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        record = os.path.join(folder.root, "기록 파일.txt")
        stop = threading.Event()
        submitters = [Submitter(i, daemon, record, stop) for i in range(SUBMITTERS)]
        for submitter in submitters:
            submitter.start()
        try:
            for kill in range(KILLS):
                if kill % 10 == 9:
                    daemon.kill()
                    daemon.spawn()            # killed again while it recovers
                    time.sleep(chance.uniform(0, 0.15))
                else:
                    time.sleep(chance.uniform(0, 0.3))
                daemon.kill()
                daemon.start()
        finally:
            stop.set()
            for submitter in submitters:
                submitter.join(60)
        acknowledged = {}
        for submitter in submitters:
            acknowledged.update(submitter.acknowledged)
        for job in acknowledged.values():
            done = daemon.finish(job, limit_s=90)
            assert done["state"] == "succeeded", (done, job_log(folder, job), daemon.log_tail())
        daemon.stop()
        assert workers(folder.data) == []
        rows, leases = check_database(os.path.join(folder.data, "nightshift.db"))
        stored = {name: job for job, name, *_ in rows}
        assert stored == acknowledged, set(stored.items()) ^ set(acknowledged.items())
        for job, name, state, ends, ran in rows:
            assert state == "succeeded" and ends == 1 and ran == 1, (job, name, state, ends, ran)
        assert leases == 0
        with open(record, encoding="ascii") as file:
            ran = file.read().split()
        assert sorted(ran) == sorted(acknowledged), (len(ran), len(set(ran)), len(acknowledged))
        print(f"      {KILLS} kills, {len(acknowledged)} jobs acknowledged, stored and run once each")


run([value for name, value in list(globals().items()) if name.startswith("test_")])
