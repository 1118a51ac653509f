#!/usr/bin/env python3
"""A full night through the daemon: every kind, five data sets at each level, and the table of accuracy.

usage: night.py [--bin DIR] [--preset 10k] [--sets 5] [--levels easy,standard,hard] [--own] [--keep DIR]

One `jobs:batch` holds the whole night. Seeds of the data sets come from the commit that is checked out, so
nobody can have tuned to them. `--own` leaves out the reference's data set and the kinds that only look: from
generation to report, and nothing else. Results: tests/bench/results/night.json and night.md (with --own
night_PRESET.*). Exit: 0 every job succeeded (bars that were missed are in the table), 1 a job did not.
"""

import argparse
import json
import os
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import night_figures  # noqa: E402
import night_plan  # noqa: E402
from daemon import Daemon  # noqa: E402  (after the path)

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RESULTS = os.path.join(ROOT, "tests", "bench", "results")
NIGHT_S = 24 * 3600
ENDED = {"succeeded", "failed", "cancelled", "skipped"}
# Two cores: one job that computes beside one that reads.
POLICY = {"limits": {"running": 2}}


def commit():
    return subprocess.run(
        ["git", "-C", ROOT, "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()


def submit(daemon, plan):
    """Ids in the plan's order."""
    lines = "\n".join(json.dumps(job) for job in plan.jobs) + "\n"
    answer = daemon.request("POST", "/api/v1/jobs:batch", lines.encode(), "application/x-ndjson").decode()
    rows = sorted((json.loads(line) for line in answer.splitlines()), key=lambda row: row["line"])
    refused = [row for row in rows if "id" not in row]
    if refused:
        raise SystemExit(f"the daemon refused line {refused[0]['line']}: {refused[0]['error']}")
    return [row["id"] for row in rows]


def wait(daemon, ids):
    """The ended jobs. What waits for a job that failed ends with it."""
    jobs = {}
    until = time.monotonic() + NIGHT_S
    while len(jobs) < len(ids) and time.monotonic() < until:
        for job in ids:
            if job in jobs:
                continue
            found = daemon.json("GET", f"/api/v1/jobs/{job}")
            if found["state"] in ENDED:
                jobs[job] = found
                print(f"{len(jobs):>4}/{len(ids)} {found['name']}: {found['state']}", flush=True)
        time.sleep(1)
    return [jobs.get(job) for job in ids]


def artifact(daemon, job, name):
    return daemon.request("GET", f"/api/v1/jobs/{job}/artifacts/{name}").decode()


class MemoryWatch(threading.Thread):
    """The largest resident set of any process below the daemon."""

    def __init__(self, daemon):
        super().__init__(daemon=True)
        self.parent, self.largest_kib, self.is_over = daemon.process.pid, 0, threading.Event()

    def run(self):
        while not self.is_over.wait(0.5):
            waiting = [self.parent]
            while waiting:
                for child in self.children_of(waiting.pop()):
                    waiting.append(child)
                    self.largest_kib = max(self.largest_kib, self.peak_of(child))

    @staticmethod
    def children_of(pid):
        try:
            found = []
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                    found += [int(child) for child in file.read().split()]
            return found
        except OSError:
            return []  # it has ended

    @staticmethod
    def peak_of(pid):
        try:
            with open(f"/proc/{pid}/status", encoding="utf-8") as file:
                return next((int(line.split()[1]) for line in file if line.startswith("VmHWM")), 0)
        except OSError:
            return 0


def by_kind(jobs):
    """{kind: how many succeeded of how many, seconds of all}."""
    out = {}
    for job in jobs:
        row = out.setdefault(job["kind"], {"succeeded": 0, "of": 0, "seconds": 0.0})
        row["of"] += 1
        row["succeeded"] += job["state"] == "succeeded"
        row["seconds"] = round(row["seconds"] + (job["run_time"] or 0), 1)
    return out


def studies_of(daemon, studies, ids, jobs):
    out = []
    for study in studies:
        places = [night_plan.place_of(study[name]) for name in ("goal1", "goal2", "cpd")]
        if any(jobs[place] is None or jobs[place]["state"] != "succeeded" for place in places):
            continue
        reports = [json.loads(artifact(daemon, ids[place], "report.json")) for place in places]
        scores = artifact(daemon, ids[places[0]], "scores.csv")
        out.append((study["level"], night_figures.figures_of(study["level"], *reports, scores)))
    return out


def main():
    parser = argparse.ArgumentParser(description="a full night through the daemon")
    parser.add_argument("--bin", default=os.path.join(ROOT, "build/release/bin"))
    parser.add_argument("--preset", default="10k")
    parser.add_argument("--sets", type=int, default=5)
    parser.add_argument("--levels", default=",".join(night_figures.LEVELS))
    parser.add_argument("--own", action="store_true", help="our own data sets, from generation to report")
    parser.add_argument("--keep", metavar="DIR", help="the data folder, kept at the end")
    arguments = parser.parse_args()
    made_of = commit()
    plan, studies = night_plan.Plan(), []
    # First, because its models of time take longest.
    exported = None if arguments.own else night_plan.add_reference(plan, arguments.preset)
    for level in arguments.levels.split(","):
        for number in range(arguments.sets):
            seed = night_plan.seed_of(made_of, level, number)
            studies.append(night_plan.add_study(plan, arguments.preset, level, seed))
    if not arguments.own:
        night_plan.add_other_kinds(plan, studies[-1])
    daemon = Daemon(os.path.abspath(arguments.bin), folder=arguments.keep)
    memory = MemoryWatch(daemon)
    memory.start()
    start = time.monotonic()
    try:
        daemon.json("PUT", "/api/v1/policy", POLICY)
        ids = submit(daemon, plan)
        jobs = wait(daemon, ids)
        if exported:
            place = night_plan.place_of(exported)
            bundles = os.path.join(daemon.folder, "jobs", str(ids[place]), "1", "output", "bundles")
            ids.append(daemon.submit(kind="import", name="night import", params={"path": bundles}))
            jobs += wait(daemon, ids[-1:])
        seconds = round(time.monotonic() - start)
        kinds = by_kind([job for job in jobs if job])
        table = night_figures.summary(studies_of(daemon, studies, ids, jobs))
    finally:
        memory.is_over.set()
        daemon.close()
    document = {
        "commit": made_of,
        "preset": arguments.preset,
        "sets": arguments.sets,
        "cores": os.cpu_count(),
        "seconds": seconds,
        "largest_worker_mib": round(memory.largest_kib / 1024),
        "kinds": kinds,
        "accuracy": table,
    }
    os.makedirs(RESULTS, exist_ok=True)
    name = f"night_{arguments.preset}" if arguments.own else "night"
    with open(os.path.join(RESULTS, name + ".json"), "w", encoding="utf-8") as file:
        json.dump(document, file, indent=1)
        file.write("\n")
    with open(os.path.join(RESULTS, name + ".md"), "w", encoding="utf-8") as file:
        file.write(night_figures.markdown(table))
    print(night_figures.markdown(table))
    print(f"{seconds} s, the largest worker held {document['largest_worker_mib']} MiB")
    for kind, row in kinds.items():
        print(f"{kind:<18} {row['succeeded']}/{row['of']} succeeded, {row['seconds']} s")
    return 0 if all(row["succeeded"] == row["of"] for row in kinds.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
