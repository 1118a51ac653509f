#!/usr/bin/env python3
"""Kills -9 of the daemon at random moments with some twenty jobs in flight, then the count: acknowledged =
stored, every job ran to its end exactly once, every exit was recorded once.

usage: kill_test.py BIN [--kills 200] [--seed N]      the long form is --kills 10000
"""

import http.client
import os
import random
import threading
import time

from harness import Daemon, Folder, option, run, wait_for
from promises import RECORDING, check_after_the_end, count_leases

SIMULATE = ("--simulate", "gpu=8GiB")
SUBMITTERS = 2
# A submitter rests while this many of its jobs are under way.
AHEAD = 10
MOMENT_MAX_S = 0.2


KILLS = option("--kills", 200)
SEED = option("--seed", 20261121)


class Submitter(threading.Thread):
    """Submits jobs that append to one file, and keeps what was acknowledged. A request whose answer never
    came is sent again under the same key, as a careful client does."""

    def __init__(self, number, daemon, record, stop):
        super().__init__()
        self.number, self.daemon_process, self.record, self.stop = number, daemon, record, stop
        self.chance = random.Random(SEED * 10 + number)
        self.acknowledged = {}

    def run(self):
        n = 0
        while not self.stop.is_set():
            n += 1
            name = f"records {self.number} {n}"
            script = f"sleep 0.{self.chance.randint(0, 200):03d}; {RECORDING}"
            body = {"kind": "command", "name": name, "class": "synthesis", "cpu": 0,
                    "command": ["sh", "-c", script, "sh", self.record, str(self.number)]}
            while name not in self.acknowledged:
                try:
                    status, answer = self.daemon_process.request(
                        "POST", "/api/v1/jobs", body, {"Idempotency-Key": name.replace(" ", "-")}, timeout=10)
                    assert status == 201, (status, answer)
                    self.acknowledged[name] = answer["id"]
                except (OSError, http.client.HTTPException, ValueError, AttributeError):
                    time.sleep(0.01)   # no daemon, or one that was killed while it answered
            self.rest()

    def rest(self):
        while not self.stop.is_set():
            try:
                with open(self.record, encoding="utf-8") as file:
                    done = sum(1 for line in file if line.endswith(f" {self.number}\n"))
            except OSError:
                done = 0
            if len(self.acknowledged) - done < AHEAD:
                return
            time.sleep(0.02)


def test_random_kills_lose_and_repeat_nothing(bin_folder):
    chance = random.Random(SEED)
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        record = os.path.join(folder.root, "기록 파일.txt")
        stop = threading.Event()
        submitters = [Submitter(i, daemon, record, stop) for i in range(SUBMITTERS)]
        for submitter in submitters:
            submitter.start()
        try:
            for kill in range(KILLS):
                if kill % 5 == 4:
                    daemon.kill()
                    daemon.spawn()            # killed again while it starts and recovers
                time.sleep(chance.uniform(0, MOMENT_MAX_S))
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
            assert done["state"] == "succeeded", (done, daemon.log_tail())
        wait_for(lambda: count_leases(folder) == 0, what="the end of the last process")
        assert daemon.stop() == 0
        jobs = check_after_the_end(folder, acknowledged, record)
        assert len(jobs) == len(acknowledged), set(job.name for job in jobs.values()) - set(acknowledged)
        print(f"      {KILLS} kills (seed {SEED}), {len(acknowledged)} jobs stored and run once each")


run([value for name, value in list(globals().items()) if name.startswith("test_")])
