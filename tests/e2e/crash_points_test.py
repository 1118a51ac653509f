#!/usr/bin/env python3
"""Every crash point of the programs times three ways to die, each in the middle of a small night: after the
restart all promises hold (promises.py). The points come from `nightshiftd --crash-points`, so a new one is
tested as soon as it exists, and one that is never reached is a failure.

usage: crash_points_test.py BIN [PART_OF_POINT...]      e.g. crash_points_test.py build/dev/bin tick. grant
Ways: exit, kill = the program ends itself there; other = it stops there, and while it stands its counterpart
is killed -9: the workers where it is the daemon, the daemon where it is a worker.
JOBS=n cases run beside one another (6), KEEP=1 leaves the folder of a failed case.
"""

import concurrent.futures
import os
import shutil
import subprocess
import sys
import time
import traceback

from crash_keeper import VICTIMS, WAYS, daemon_log
from crash_night import Night
from harness import Folder
from promises import check_after_the_end, read_record

BESIDE = int(os.environ.get("JOBS", "6"))


class Case(Night):
    """What has to be true after the night."""

    def check(self):
        if self.is_worker_point:
            self.check_worker_log()
        else:
            assert self.is_reached, "was not reached"
        said = daemon_log(self.folder, 10 ** 9).count(f"crash point {self.point}\n")
        assert said == (0 if self.is_worker_point else 1), f"reached {said} times"
        is_cruel = self.killed_workers > 0 or (self.is_worker_point and self.way != "other")
        jobs = check_after_the_end(self.folder, self.acknowledged, self.record, is_cruel, ["records failure"])
        by_name = {}
        for job in jobs.values():
            by_name.setdefault(job.name, []).append(job)
        chains = by_name["records chain 0"] + by_name["records chain 1"]
        fires = [job for job in chains if job.nominal]
        assert len(fires) == (0 if self.is_fresh else 2), fires
        by_hand = [job.id for job in chains if not job.nominal]
        assert sorted(by_hand) == sorted(self.run_by_hand), (by_hand, self.run_by_hand)
        failures = by_name["records failure"]
        assert sorted(job.id for job in failures) == self.failures, failures
        assert len(jobs) == len(self.acknowledged) + 1 + len(fires) + 2, sorted(by_name)
        for job in jobs.values():
            self.check_end(job, is_cruel)
        if not is_cruel:
            self.check_victim(jobs[self.acknowledged["records victim"]])

    def check_victim(self, victim):
        """A daemon that dies between the grant and the spawn leaves an attempt that never ran, and none of
        the later ones is preempted; every other one was, and went on from its checkpoint."""
        first = victim.attempts[0]
        if first.end == "lost" and first.pid is None:
            return
        assert first.end == "preempted", victim
        words = read_record(self.record)
        assert words[(victim.id, victim.attempts[-1].number)] == "resumed", (victim, words)
        self.is_resumed = True

    def check_end(self, job, is_cruel):
        lost = is_cruel and job.state == "failed" and job.outcome == "lost"
        skipped = is_cruel and job.state == "skipped"
        if job.name == "cancelled":
            assert job.state == "cancelled" or lost, job
        elif job.name == "records failure":
            assert lost or (job.state, job.outcome) == ("failed", "exit_code"), job
        else:
            assert job.state == "succeeded" or lost or skipped, job

    def check_worker_log(self):
        job = self.acknowledged[self.victim]
        assert job == VICTIMS[self.victim], f"the night has changed: {self.victim} is job {job}"
        log = os.path.join(self.folder.data, "jobs", str(job), "1", "stdout.log")
        with open(log, encoding="utf-8") as file:
            assert f"crash point {self.point}\n" in file.read(), "was not reached"


def run_case(bin_folder, point, way):
    """None when all is well, else what is wrong."""
    folder = Folder()
    case = Case(bin_folder, folder, point, way)
    try:
        case.run()
    except Exception:
        text = traceback.format_exc() + (f"\n{case.trouble}" if case.trouble else "")
        if os.path.exists(os.path.join(folder.root, "daemon.log")):
            text += "\n" + daemon_log(folder)
        if os.environ.get("KEEP"):
            return text + f"\nthe folder is {folder.root}", case
        shutil.rmtree(folder.root, ignore_errors=True)
        return text, case
    shutil.rmtree(folder.root, ignore_errors=True)
    return None, case


def main():
    if len(sys.argv) < 2 or not os.path.isdir(sys.argv[1]):
        raise SystemExit(__doc__)
    bin_folder, wanted = os.path.abspath(sys.argv[1]), sys.argv[2:]
    listing = subprocess.run([os.path.join(bin_folder, "nightshiftd"), "--crash-points"], capture_output=True,
                             text=True, check=True).stdout
    points = [point for point in listing.split() if not wanted or any(part in point for part in wanted)]
    assert wanted or len(points) >= 40, f"only {len(points)} crash points"
    cases = [(point, way) for point in points for way in WAYS]
    started, passed, failed, killed, resumed = time.monotonic(), 0, 0, 0, 0
    with concurrent.futures.ThreadPoolExecutor(BESIDE) as pool:
        running = {pool.submit(run_case, bin_folder, *case): case for case in cases}
        for done in concurrent.futures.as_completed(running):
            point, way = running[done]
            trouble, case = done.result()
            killed += case.killed_workers
            resumed += case.is_resumed
            if trouble is None:
                passed += 1
                continue
            failed += 1
            print(f"FAIL  {point} {way}\n{trouble}", flush=True)
    took = time.monotonic() - started
    print(f"      {len(points)} points, {killed} workers killed beside them, {resumed} nights with a resumed "
          f"job, {took:.0f} s")
    if not wanted and resumed < len(cases) // 3:
        failed += 1
        print(f"FAIL  only {resumed} of {len(cases)} nights went on from a checkpoint")
    print(f"{passed} passed, {failed} failed, 0 skipped", flush=True)
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
