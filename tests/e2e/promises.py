"""The promises that hold after every crash, looked up in what is on the disk: the database by SQL of its
own, the attempts' folders, the processes, and a file that jobs append to.

A job that takes part runs RECORDING: at its end it appends `ID/ATTEMPT WORDS` to the record with O_APPEND.
"""

import collections
import json
import os
import sqlite3

from harness import TERMINAL, workers

# sh -c RECORDING sh RECORD WORDS...
RECORDING = 'f=$1; shift; echo "$NIGHTSHIFT_JOB_ID/$NIGHTSHIFT_ATTEMPT $*" >> "$f"'

# Each has rows only when something is wrong.
BROKEN = {
    "a job that ended has no outcome, or the other way round": """
        SELECT id FROM job WHERE (ended_at_ms IS NULL) <> (outcome_code IS NULL) OR
        (ended_at_ms IS NULL) <> (state NOT IN ('succeeded', 'failed', 'cancelled', 'skipped', 'expired'))""",
    "more than one live attempt": """
        SELECT job_id FROM attempt WHERE end_kind IS NULL GROUP BY job_id HAVING COUNT(*) > 1""",
    "a live state without its live attempt": """
        SELECT id FROM job WHERE (state IN ('starting', 'running', 'yielding', 'parked', 'stopping')) <>
        EXISTS
        (SELECT 1 FROM attempt WHERE job_id = job.id AND number = job.attempt AND end_kind IS NULL)""",
    "a live attempt without its lease": """
        SELECT job_id FROM attempt a WHERE end_kind IS NULL AND NOT EXISTS (SELECT 1 FROM lease l WHERE
        l.job_id = a.job_id AND l.number = a.number AND is_reclaiming = 0)""",
    "granted more than a card of 8 GiB has": """
        SELECT device FROM lease WHERE is_reclaiming = 0 GROUP BY device HAVING SUM(budget) > 8589934592""",
    "an unmet dependency on a job that ended": """
        SELECT dep.job_id FROM dep JOIN job c ON c.id = dep.job_id JOIN job p ON p.id = dep.on_job
        WHERE dep.is_met = 0 AND c.state = 'waiting' AND p.ended_at_ms IS NOT NULL""",
    "a wrong count of dependencies": """
        SELECT id FROM job WHERE state = 'waiting' AND deps_open <>
        (SELECT COUNT(*) FROM dep WHERE job_id = job.id AND is_met = 0)""",
    "a gap in the numbers of events": """
        SELECT MAX(seq) FROM event HAVING COUNT(*) > 0 AND MAX(seq) - MIN(seq) + 1 <> COUNT(*)""",
    "an end without its one event": """
        SELECT id FROM job WHERE ended_at_ms IS NOT NULL AND (SELECT COUNT(*) FROM event e WHERE e.job_id <> 0
        AND e.job_id = job.id AND
        e.kind IN ('succeeded', 'failed', 'cancelled', 'skipped', 'expired')) <> 1""",
    "a job without the event of its submit": """
        SELECT id FROM job WHERE
        (SELECT COUNT(*) FROM event e
        WHERE e.job_id <> 0 AND e.job_id = job.id AND kind = 'submitted') <> 1""",
    "two good ends of one job": """
        SELECT job_id FROM attempt WHERE end_kind = 'ok' GROUP BY job_id HAVING COUNT(*) > 1""",
    "a success without a good end, or the other way round": """
        SELECT id FROM job WHERE (state = 'succeeded') <> EXISTS
        (SELECT 1 FROM attempt WHERE job_id = job.id AND end_kind = 'ok')""",
    "a nominal time with the wrong jobs": """
        SELECT s.name FROM schedule s JOIN schedule_fire f ON f.schedule_id = s.id WHERE f.decision = 'run'
        AND (SELECT COUNT(*) FROM job WHERE schedule = s.name AND schedule_nominal_ms = f.nominal_ms) <>
        json_array_length(s.jobs)""",
    "a reference to a row that is not there": "SELECT 1 FROM pragma_foreign_key_check",
}

Stored = collections.namedtuple("Stored", "id name state outcome attempts schedule nominal")
Attempt = collections.namedtuple("Attempt", "number end exit_code signal pid")


def read_only(folder):
    path = os.path.join(folder.data, "nightshift.db")
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True)


def count_leases(folder):
    """A job's lease goes when its process is gone, which is a moment after its end was stored."""
    database = read_only(folder)
    count = database.execute("SELECT COUNT(*) FROM lease").fetchone()[0]
    database.close()
    return count


def broken_invariants(database):
    found = [words for words, sql in BROKEN.items() if database.execute(sql).fetchone() is not None]
    check = database.execute("PRAGMA integrity_check").fetchone()[0]
    return found if check == "ok" else found + [check]


def stored_jobs(database):
    """Every job with its attempts, by id."""
    attempts = collections.defaultdict(list)
    for job, *row in database.execute(
            "SELECT job_id, number, end_kind, exit_code, signal, worker_pid FROM attempt ORDER BY number"):
        attempts[job].append(Attempt(*row))
    return {row[0]: Stored(*row[:4], attempts[row[0]], *row[4:]) for row in database.execute(
        "SELECT id, name, state, outcome_code, schedule, schedule_nominal_ms FROM job")}


def read_record(path):
    """Words by (job, attempt); a line that was written twice is an error."""
    found = {}
    if not os.path.exists(path):
        return found
    with open(path, encoding="utf-8") as file:
        for line in file:
            run, _, words = line.rstrip("\n").partition(" ")
            job, attempt = run.split("/")
            key = (int(job), int(attempt))
            assert key not in found, f"attempt {run} ran to its end twice"
            found[key] = words
    return found


def left_result(folder, job, number):
    """What the attempt left in its folder, if it left a whole one."""
    try:
        path = os.path.join(folder.data, "jobs", str(job), str(number), "result.json")
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return None


def check_after_the_end(folder, acknowledged, record, may_lose=False, copied=()):
    """Once the last daemon has stopped and every job has ended. `acknowledged`: id by name; `may_lose`:
    workers were killed, so attempts may be lost; `copied`: names that were retried once by a person. Returns
    the stored jobs."""
    assert workers(folder.data) == [], "a worker is left"
    database = read_only(folder)
    try:
        broken = broken_invariants(database)
        assert not broken, broken
        jobs = stored_jobs(database)
        leases = database.execute("SELECT COUNT(*) FROM lease").fetchone()[0]
    finally:
        database.close()
    assert leases == 0, f"{leases} leases are left"
    by_name = collections.Counter(job.name for job in jobs.values())
    for name, job in acknowledged.items():
        assert job in jobs and jobs[job].name == name, f"{name} was acknowledged as {job} and is not there"
        assert by_name[name] == (2 if name in copied else 1), f"{name} was stored {by_name[name]} times"
    written = read_record(record)
    for job in jobs.values():
        check_one(folder, job, written, may_lose)
    assert {key[0] for key in written} <= set(jobs), "something ran that is not stored"
    return jobs


def check_one(folder, job, written, may_lose):
    assert job.state in TERMINAL, job
    for attempt in job.attempts:
        assert attempt.end is not None, f"an attempt is still live: {job}"
        result = left_result(folder, job.id, attempt.number)
        if result is not None:
            assert attempt.end != "lost", f"its result was there: {job} {result}"
            if attempt.exit_code is not None or attempt.signal is not None:
                told = (result.get("exit_code"), result.get("signal"))
                assert told == (attempt.exit_code, attempt.signal), (job, result)
        if not may_lose:
            # One whose worker was never told to start has no process that could have been lost.
            assert attempt.end != "lost" or attempt.pid is None, f"lost, and nobody killed its worker: {job}"
        if attempt.end == "ok" and job.name.startswith("records"):
            assert (job.id, attempt.number) in written, f"ended well and left no line: {job}"
    runs = [key for key in written if key[0] == job.id]
    assert len(runs) <= 1, f"ran to its end more than once: {job} {runs}"
