#!/usr/bin/env python3
"""A full night through the daemon: every kind, five data sets at each level, and the table of accuracy.

usage: night.py [--bin DIR] [--preset 10k] [--sets 5] [--levels easy,standard,hard] [--keep DIR]

One `jobs:batch` holds the whole night. Seeds of the data sets come from the commit that is checked out, so
nobody can have tuned to them. Results: tests/bench/results/night.json and night.md. Exit: 0 every job
succeeded (bars that were missed are in the table), 1 a job did not.
"""

import argparse
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import night_figures  # noqa: E402
import night_plan  # noqa: E402
from daemon import Daemon  # noqa: E402  (after the path)

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RESULTS = os.path.join(ROOT, "tests", "bench", "results")
NIGHT_S = 24 * 3600
ENDED = {"succeeded", "failed", "cancelled"}
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
    parser.add_argument("--keep", metavar="DIR", help="the data folder, kept at the end")
    arguments = parser.parse_args()
    made_of = commit()
    plan, studies = night_plan.Plan(), []
    # First, because its models of time take longest.
    exported = night_plan.add_reference(plan, arguments.preset)
    for level in arguments.levels.split(","):
        for number in range(arguments.sets):
            seed = night_plan.seed_of(made_of, level, number)
            studies.append(night_plan.add_study(plan, arguments.preset, level, seed))
    night_plan.add_other_kinds(plan, studies[-1])
    start = time.monotonic()
    daemon = Daemon(os.path.abspath(arguments.bin), folder=arguments.keep)
    try:
        daemon.json("PUT", "/api/v1/policy", POLICY)
        ids = submit(daemon, plan)
        jobs = wait(daemon, ids)
        bundles = os.path.join(
            daemon.folder, "jobs", str(ids[night_plan.place_of(exported)]), "1", "output", "bundles"
        )
        ids.append(daemon.submit(kind="import", name="night import", params={"path": bundles}))
        jobs += wait(daemon, ids[-1:])
        kinds = by_kind([job for job in jobs if job])
        table = night_figures.summary(studies_of(daemon, studies, ids, jobs))
    finally:
        daemon.close()
    document = {
        "commit": made_of,
        "preset": arguments.preset,
        "sets": arguments.sets,
        "cores": os.cpu_count(),
        "seconds": round(time.monotonic() - start),
        "kinds": kinds,
        "accuracy": table,
    }
    os.makedirs(RESULTS, exist_ok=True)
    with open(os.path.join(RESULTS, "night.json"), "w", encoding="utf-8") as file:
        json.dump(document, file, indent=1)
        file.write("\n")
    with open(os.path.join(RESULTS, "night.md"), "w", encoding="utf-8") as file:
        file.write(night_figures.markdown(table))
    print(night_figures.markdown(table))
    for kind, row in kinds.items():
        print(f"{kind:<18} {row['succeeded']}/{row['of']} succeeded, {row['seconds']} s")
    return 0 if all(row["succeeded"] == row["of"] for row in kinds.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
