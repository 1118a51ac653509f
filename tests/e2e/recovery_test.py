#!/usr/bin/env python3
"""What becomes of live attempts when the daemon, its workers or their jobs die: recovery in steps, every
mixture of deaths, an upgrade, a restart of the machine, and process numbers that were given away again.

usage: recovery_test.py BIN [--rows 20000] [NAME_PART...]     the long form is --rows 1000000
"""

import json
import os
import shutil
import signal
import sqlite3
import subprocess

from harness import Daemon, Folder, option, run, session_of, wait_for, workers
from promises import (RECORDING, broken_invariants, check_after_the_end, count_leases, left_result, read_only,
                      stored_jobs)

SIMULATE = ("--simulate", "gpu=8GiB")


ROWS = option("--rows", 20000)
LEFT, LOST, NEVER = 200, 12, 5


def stat_fields(pid):
    with open(f"/proc/{pid}/stat", "rb") as file:
        return file.read().rsplit(b")", 1)[1].split()


def start_ticks(pid):
    return int(stat_fields(pid)[19])


def boot_id():
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


def is_running(pid):
    try:
        return stat_fields(pid)[0] not in (b"Z", b"X")
    except (OSError, IndexError):
        return False


def wait_gone(pids):
    wait_for(lambda: not any(is_running(pid) for pid in pids), what="the end of all of them")


def assert_killed(done):
    """The job itself was killed, and its worker lived to say so."""
    outcome = done["outcome"]
    assert (done["state"], outcome["code"], outcome["signal"]) == ("failed", "signal", 9), done


def stranger():
    """A process that is none of ours, leader of its session and group."""
    return subprocess.Popen(["sleep", "1000"], start_new_session=True)


def database_of(folder):
    return sqlite3.connect(os.path.join(folder.data, "nightshift.db"))


def worker_of(folder, job, attempt=1):
    database = read_only(folder)
    row = database.execute("SELECT worker_pid FROM attempt WHERE job_id = ? AND number = ?", (job, attempt))
    pid = row.fetchone()[0]
    database.close()
    return pid


def endless(daemon, **fields):
    job = daemon.command("sh", "-c", "sleep 1000 & sleep 1000; true", cpu=0, **fields)
    daemon.wait_state(job, "running")
    worker = worker_of(daemon.folder, job)
    wait_for(lambda: len(session_of(worker)) >= 4, what="the command and its child")
    return job, worker


# --- recovery in steps ------------------------------------------------------------------------

class Rows:
    """Writes jobs into the database of a stopped daemon: copies of one that it stored itself."""

    def __init__(self, folder, template, device):
        self.folder, self.device = folder, device
        self.database = database_of(folder)
        self.database.row_factory = sqlite3.Row
        row = self.database.execute("SELECT * FROM job WHERE id = ?", (template,)).fetchone()
        self.job = dict(row)
        row = self.database.execute("SELECT * FROM job_spec WHERE job_id = ?", (template,)).fetchone()
        self.spec = dict(row)
        self.next = template + 1

    def insert(self, table, rows):
        names = list(rows[0])
        marks = ", ".join("?" * len(names))
        self.database.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})",
                                  [list(row.values()) for row in rows])

    def add(self, count, state, attempt=None, **job):
        """`count` jobs; `attempt`: columns of the one attempt each of them has."""
        ids = list(range(self.next, self.next + count))
        self.next += count
        row = {**self.job, "state": state, "held": 0, "attempt": 0 if attempt is None else 1, **job}
        self.insert("job", [{**row, "id": i, "order_key": i} for i in ids])
        self.insert("job_spec", [{**self.spec, "job_id": i} for i in ids])
        event = {"at_ms": 1, "topic": "job", "actor": "test", "data": "{}"}
        self.insert("event", [{**event, "kind": "submitted", "job_id": i} for i in ids])
        if job.get("ended_at_ms"):
            self.insert("event", [{**event, "kind": state, "job_id": i} for i in ids])
        if attempt is not None:
            self.insert("attempt", [{"job_id": i, "number": 1, "token": f"token {i}", "device": self.device,
                                     "granted_at_ms": 1, **attempt} for i in ids])
        if attempt is not None and "end_kind" not in attempt:
            lease = {"number": 1, "device": self.device, "budget": 0}
            self.insert("lease", [{**lease, "job_id": i} for i in ids])
        return ids

    def leave_result(self, job, exit_code):
        folder = os.path.join(self.folder.data, "jobs", str(job), "1")
        os.makedirs(folder, mode=0o700)
        with open(os.path.join(folder, "result.json"), "w", encoding="utf-8") as file:
            json.dump({"protocol": PROTOCOL, "job": job, "attempt": 1, "exit_code": exit_code,
                       "started_at_ms": 1, "ended_at_ms": 2, "peak_vram": 0, "artifacts": []}, file)


PROTOCOL = 1
GONE = {"worker_boot": boot_id(), "worker_pid": 4194303, "worker_ticks": 1, "running_at_ms": 2}


def state_of(folder, first):
    """All that recovery may change, but for the event that says it took place, which is of no job."""
    database = read_only(folder)
    rows = [database.execute(sql, (first,)).fetchall() for sql in (
        "SELECT * FROM job WHERE id >= ? ORDER BY id",
        "SELECT * FROM attempt WHERE job_id >= ? ORDER BY job_id",
        "SELECT * FROM lease WHERE job_id >= ? ORDER BY job_id",
        "SELECT kind, job_id, data FROM event WHERE job_id >= ? ORDER BY seq")]
    database.close()
    return rows


def die_at(bin_folder, folder, point):
    environment = {"NIGHTSHIFT_CRASH_AT": point + ",kill"}
    daemon = Daemon(bin_folder, folder, *SIMULATE, environment=environment).spawn()
    assert daemon.process.wait(120) == -signal.SIGKILL, (point, daemon.log_tail())
    daemon.notify.close()


def test_recovery_that_is_killed_at_every_step_comes_to_the_same_end(bin_folder):
    with Folder() as folder, stranger() as adopted:
        try:
            recover_in_steps(bin_folder, folder, adopted)
        finally:
            adopted.kill()


def recover_in_steps(bin_folder, folder, adopted):
    with Daemon(bin_folder, folder, *SIMULATE) as daemon:
        template = daemon.sleep_job(0, hold=True, cpu=0)
        device = daemon.get("/api/v1/gpu")["devices"][0]["uuid"]
        daemon.post("/api/v1/queue/pause", {"reason": "the test looks at what recovery did"})
        daemon.stop()
    rows = Rows(folder, template, device)
    with rows.database:
        rows.add(ROWS, "succeeded", {"end_kind": "ok", "ended_at_ms": 3, "exit_code": 0},
                 outcome_code="ok", outcome_message="Done.", ended_at_ms=3)
        rows.add(ROWS // 10, "waiting")
        first = rows.next
        left = rows.add(LEFT, "running", GONE, started_at_ms=2)
        lost = rows.add(LOST, "running", GONE, started_at_ms=2)
        never = rows.add(NEVER, "starting", {})
        there = {**GONE, "worker_pid": adopted.pid, "worker_ticks": start_ticks(adopted.pid)}
        alive = rows.add(1, "running", there, started_at_ms=2)
        for job in left:
            rows.leave_result(job, job % 3)
    rows.database.close()
    before = state_of(folder, first)
    total = LEFT + LOST + NEVER + 1
    for step in sorted({1, 2, total // 2, total - 1, total, *range(1, total, 20)}):
        die_at(bin_folder, folder, f"recover.looked:{step}")
        assert state_of(folder, first) == before, f"changed by a recovery that died at look {step}"
    die_at(bin_folder, folder, "recover.ends_stored")
    assert state_of(folder, first) == before, "changed by a recovery that died before its commit"
    die_at(bin_folder, folder, "recover.committed")
    after = state_of(folder, first)
    assert after != before
    for step in ("looked", "ends_stored", "committed", "adopted", "done"):
        die_at(bin_folder, folder, f"recover.{step}")
        assert state_of(folder, first) == after, f"changed by a second recovery that died at {step}"
    with Daemon(bin_folder, folder, *SIMULATE) as daemon:
        check_recovered(daemon, folder, left, lost, never)
        assert daemon.job(alive[0])["state"] == "running" and is_running(adopted.pid)
        adopted.kill()
        adopted.wait()
        assert daemon.finish(alive[0])["outcome"]["code"] == "lost"
        daemon.stop()
    database = read_only(folder)
    assert broken_invariants(database) == []
    database.close()


def check_recovered(daemon, folder, left, lost, never):
    database = read_only(folder)
    jobs = stored_jobs(database)
    ends = dict(database.execute("SELECT job_id, COUNT(*) FROM event WHERE kind IN ('succeeded', 'failed') "
                                 "AND job_id >= ? GROUP BY job_id", (left[0],)).fetchall())
    database.close()
    for job in left:
        told = job % 3
        assert jobs[job].state == ("failed" if told else "succeeded"), jobs[job]
        assert jobs[job].attempts[0].exit_code == told and ends[job] == 1, (jobs[job], ends[job])
    for job in lost:
        assert (jobs[job].state, jobs[job].outcome, ends[job]) == ("failed", "lost", 1), jobs[job]
    for job in never:
        assert jobs[job].state == "waiting" and job not in ends, jobs[job]
    # The queue is paused, so they are still there to be asked.
    assert daemon.job(never[0])["retries_left"] == 0


# --- who dies ---------------------------------------------------------------------------------

def test_daemon_and_all_workers_killed(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        jobs = [endless(daemon) for _ in range(3)]
        kept = endless(daemon, retries=1)
        groups = [session_of(worker) for _, worker in [*jobs, kept]]
        daemon.kill()
        for _, worker in [*jobs, kept]:
            os.kill(worker, signal.SIGKILL)
        daemon.start()
        for job, _ in jobs:
            done = daemon.finish(job, limit_s=20)
            assert (done["state"], done["outcome"]["code"]) == ("failed", "lost"), done
            assert [event["kind"] for event in daemon.events(job)].count("failed") == 1
        again = daemon.wait_state(kept[0], "waiting")
        assert again["retries_left"] == 0, again
        for group in groups:
            wait_gone(group)


def test_all_workers_killed_under_a_living_daemon(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        jobs = [endless(daemon) for _ in range(3)]
        groups = [session_of(worker) for _, worker in jobs]
        for _, worker in jobs:
            os.kill(worker, signal.SIGKILL)
        for job, _ in jobs:
            done = daemon.finish(job, limit_s=20)
            assert (done["state"], done["outcome"]["code"]) == ("failed", "lost"), done
        for group in groups:
            wait_gone(group)
        assert daemon.get("/api/v1/status")["ready"] is True


def command_of(worker):
    """The command itself: the worker's child."""
    return [pid for pid in session_of(worker) if pid != worker and int(stat_fields(pid)[1]) == worker][0]


def test_the_job_alone_killed(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        watched, first = endless(daemon)
        unwatched, second = endless(daemon)
        group = session_of(first) + session_of(second)
        os.kill(command_of(first), signal.SIGKILL)
        done = daemon.finish(watched, limit_s=20)
        assert_killed(done)
        daemon.kill()
        os.kill(command_of(second), signal.SIGKILL)
        wait_for(lambda: left_result(folder, unwatched, 1), what="result.json")
        daemon.start()
        done = daemon.finish(unwatched, limit_s=20)
        assert_killed(done)
        for job in (watched, unwatched):
            assert [event["kind"] for event in daemon.events(job)].count("failed") == 1
        wait_gone(group)


def test_everything_of_the_job_killed_at_once(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        job, worker = endless(daemon)
        group = session_of(worker)
        for pid in group:
            os.kill(pid, signal.SIGSTOP)   # so that none sees another one die
        for pid in group:
            os.kill(pid, signal.SIGKILL)
        done = daemon.finish(job, limit_s=20)
        assert (done["state"], done["outcome"]["code"]) == ("failed", "lost"), done
        assert "signal 9" in done["outcome"]["message"], done
        alone, worker = endless(daemon)
        os.killpg(command_of(worker), signal.SIGKILL)   # its process group, without the worker
        done = daemon.finish(alone, limit_s=20)
        assert_killed(done)


# --- another daemon, another start of the machine, another process -------------------------------

def test_an_upgrade_keeps_jobs_pids_and_logs(bin_folder):
    with Folder() as folder:
        newer = os.path.join(folder.root, "새 판")
        os.mkdir(newer)
        for name in ("nightshiftd", "nightshift-worker"):
            shutil.copy2(os.path.join(bin_folder, name), newer)
        flag = os.path.join(folder.root, "enough")
        script = f'i=0; while [ ! -e "{flag}" ]; do echo line $i; i=$((i+1)); sleep 0.05; done; {RECORDING}'
        record = os.path.join(folder.root, "record")
        older = Daemon(bin_folder, folder, *SIMULATE).start()
        names = [f"records {i}" for i in range(5)]
        acknowledged = {name: older.command("sh", "-c", script, "sh", record, "well", name=name, cpu=0)
                        for name in names}
        jobs = list(acknowledged.values())
        for job in jobs:
            older.wait_state(job, "running")
            wait_for(lambda j=job: older.get(f"/api/v1/jobs/{j}/log"), what="its first line")
        pids = {job: worker_of(folder, job) for job in jobs}
        logs = {job: older.get(f"/api/v1/jobs/{job}/log") for job in jobs}
        assert older.stop() == 0
        with Daemon(newer, folder, *SIMULATE) as daemon:
            assert os.readlink(f"/proc/{daemon.process.pid}/exe").startswith(os.path.realpath(newer))
            for job in jobs:
                assert is_running(pids[job]) and worker_of(folder, job) == pids[job]
                path = f"/api/v1/jobs/{job}/log?from={len(logs[job])}"
                logs[job] += wait_for(lambda p=path: daemon.get(p), what="more of the log")
            open(flag, "w").close()
            for job in jobs:
                done = daemon.finish(job)
                assert done["state"] == "succeeded" and done["attempt"] == 1, done
                logs[job] += daemon.get(f"/api/v1/jobs/{job}/log?from={len(logs[job])}") or b""
                lines = logs[job].decode().split("\n")
                assert lines == [f"line {i}" for i in range(len(lines) - 1)] + [""], logs[job][-300:]
                assert daemon.get(f"/api/v1/jobs/{job}/log") == logs[job]
            wait_for(lambda: count_leases(folder) == 0, what="the end of the last process")
            daemon.stop()
        check_after_the_end(folder, acknowledged, record)


def test_another_boot_id_means_lost_and_costs_nothing(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        flag = os.path.join(folder.root, "second start")
        record = os.path.join(folder.root, "record")
        script = f'[ -e "{flag}" ] || sleep 1000; {RECORDING}'
        acknowledged = {}
        for i in range(3):
            acknowledged[f"records {i}"] = daemon.command("sh", "-c", script, "sh", record, "well", cpu=0,
                                                          retries=i, name=f"records {i}")
        yielding = daemon.command("sh", "-c", f"trap '' TERM; {script}", "sh", record, "well", cpu=0,
                                  name="records 3", checkpoint="signal")
        acknowledged["records 3"] = yielding
        for job in acknowledged.values():
            daemon.wait_state(job, "running")
        daemon.post(f"/api/v1/jobs/{yielding}/preempt")
        assert daemon.job(yielding)["state"] == "yielding"
        daemon.kill()
        for worker in workers(folder.data):
            for pid in session_of(worker):
                os.kill(pid, signal.SIGKILL)
        database = database_of(folder)
        with database:
            database.execute("UPDATE attempt SET worker_boot = 'before', command_boot = 'before'")
            database.execute("UPDATE setting SET value = 'before' WHERE name = 'boot_id'")
        database.close()
        open(flag, "w").close()
        daemon.start()
        for name, job in acknowledged.items():
            done = daemon.finish(job)
            assert done["state"] == "succeeded" and done["attempt"] == 2, done
            assert done["retries_left"] == int(name[-1]) % 3, done
        wait_for(lambda: count_leases(folder) == 0, what="the end of the last process")
        assert daemon.stop() == 0
        jobs = check_after_the_end(folder, acknowledged, record, may_lose=True)
        for job in jobs.values():
            assert [attempt.end for attempt in job.attempts] == ["lost", "ok"], job


def test_a_process_number_that_was_given_away_is_neither_adopted_nor_signalled(bin_folder):
    with Folder() as folder, stranger() as worker_like, stranger() as command_like:
        try:
            with Daemon(bin_folder, folder, *SIMULATE) as daemon:
                job, worker = endless(daemon)
                daemon.kill()
                for pid in session_of(worker):
                    os.kill(pid, signal.SIGKILL)
                database = database_of(folder)
                with database:
                    for what, taken in (("worker", worker_like), ("command", command_like)):
                        database.execute(f"UPDATE attempt SET {what}_pid = ?, {what}_ticks = ?",
                                         (taken.pid, start_ticks(taken.pid) - 1))
                database.close()
                daemon.start()
                done = daemon.finish(job, limit_s=20)
                assert (done["state"], done["outcome"]["code"]) == ("failed", "lost"), done
                daemon.stop()
            assert worker_like.poll() is None and command_like.poll() is None, "a stranger was signalled"
        finally:
            worker_like.kill()
            command_like.kill()


run([value for name, value in list(globals().items()) if name.startswith("test_")])
