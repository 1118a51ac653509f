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
import contextlib
import http.client
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import traceback

from harness import TERMINAL, Daemon, Folder, end_workers, workers
from promises import RECORDING, check_after_the_end, count_leases, left_result, read_only, read_record

SIMULATE = ("--simulate", "gpu=8GiB")
WAYS = ("exit", "kill", "other")
LIMIT_S = 120
BESIDE = int(os.environ.get("JOBS", "6"))
# The n-th time is meant: points that are passed often die at another of their moments in each way.
COUNTS = {"tick.": (1, 3, 7), "commit.": (1, 4, 9), "answer.": (1, 3, 6), "submit.": (1, 2, 4),
          "spawn.": (1, 2, 3), "identity.": (1, 2, 3), "hello.": (1, 2, 3), "start.sent": (1, 2, 3),
          "running.": (1, 2, 3),
          "grant.": (1, 2, 3), "done.": (1, 2, 3), "end.": (1, 2, 3), "bye.": (1, 2, 3), "exit.": (1, 2, 3),
          "lease.": (1, 2, 3), "fire.job_": (1, 2, 2), "file.": (1, 1, 2)}
# Reached on the way down, when the night is over.
LATE = ("down.", "wal.")
# The first start makes its files: died in there, the folder is half made.
EARLY = ("start.", "file.", "control.", "http.", "commit.")
DIED = {"exit": 86, "kill": -signal.SIGKILL}


def state_of(pid):
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rsplit(b")", 1)[1].split()[0].decode()
    except (OSError, IndexError):
        return ""


def children_of(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", "rb") as file:
            return [int(child) for child in file.read().split()]
    except OSError:
        return []


class Case:
    """One point, one way, one folder: drives the night and keeps the daemon running."""

    def __init__(self, bin_folder, folder, point, way):
        self.folder, self.point, self.way = folder, point, way
        self.is_worker_point = point.startswith("worker.")
        # Which job's worker is meant: the one that saves, else the first small one.
        self.victim = "records victim" if "checkpoint" in point else "records a"
        counts = next((value for prefix, value in COUNTS.items() if point.startswith(prefix)), (1, 1, 1))
        self.count = counts[WAYS.index(way)]
        self.is_late = point.startswith(LATE)
        self.is_fresh = way == "exit" and point.startswith(EARLY)
        self.daemon = Daemon(bin_folder, folder, *SIMULATE)
        self.record = os.path.join(folder.root, "기록.txt")
        self.acknowledged = {}
        self.killed_workers = 0
        self.is_resumed = False
        self.is_reached = False
        self.deadline = time.monotonic() + LIMIT_S
        self.over = threading.Event()
        self.trouble = None

    # --- processes ---------------------------------------------------------------------------
    def arm(self):
        how = "stop" if self.way == "other" else self.way
        scope = f"@{VICTIMS[self.victim]}/1" if self.is_worker_point else ""
        count = f":{self.count}" if not self.is_worker_point else ""
        self.daemon.environment = {"NIGHTSHIFT_CRASH_AT": f"{self.point}{count}{scope},{how}"}

    def begin(self, is_armed):
        """Spawns the daemon; keep() notices when it is ready, dead or standing still."""
        if is_armed:
            self.arm()
        else:
            self.daemon.environment = {}
        self.daemon.port = None
        self.daemon.spawn()
        self.daemon.notify.setblocking(False)

    def keep(self):
        try:
            while not self.over.wait(0.02):
                self.look()
                assert time.monotonic() < self.deadline, "the night took too long"
        except Exception:
            self.trouble = traceback.format_exc()

    def look(self):
        """Dead: started again. Ready: its address is read. Standing: see stand()."""
        daemon = self.daemon
        code = daemon.process.poll()
        if code is not None:
            self.note_death(code)
            daemon.notify.close()
            self.begin(is_armed=False)
            return
        if daemon.port is None:
            try:
                if b"READY=1" in daemon.notify.recv(4096):
                    daemon.read_instance()
            except (BlockingIOError, FileNotFoundError, ValueError):
                pass
        if self.way == "other" and not self.is_reached:
            self.stand()

    def note_death(self, code):
        assert not self.is_reached, f"nightshiftd ended again, with {code}"
        if self.is_worker_point and self.way == "other":
            raise AssertionError(f"nightshiftd ended with {code} by itself")
        assert code == DIED.get(self.way), f"nightshiftd ended with {code}: {daemon_log(self.folder)}"
        self.is_reached = True

    def stand(self):
        """`other`: somebody stopped itself at the point, so kill whom it talks to and let it go on."""
        pid = self.daemon.process.pid
        if not self.is_worker_point:
            if state_of(pid) != "T":
                return
            for worker in workers(self.folder.data):
                with contextlib.suppress(ProcessLookupError):  # it may just have ended
                    os.kill(worker, signal.SIGKILL)
                    self.killed_workers += 1
            self.is_reached = True
            os.kill(pid, signal.SIGCONT)
            return
        for worker in children_of(pid):
            if state_of(worker) == "T":
                self.is_reached = True
                self.daemon.kill()
                self.daemon.notify.close()
                self.begin(is_armed=False)
                os.kill(worker, signal.SIGCONT)
                return

    # --- the client --------------------------------------------------------------------------
    def ask(self, method, path, body=None, key=None, ndjson=None):
        """Asks until there is an answer, as a careful client does. Status and body."""
        while True:
            assert self.trouble is None, self.trouble
            assert time.monotonic() < self.deadline, f"no answer to {method} {path}"
            port, header = self.daemon.port, getattr(self.daemon, "header", None)
            if port is None or header is None:
                time.sleep(0.01)
                continue
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            try:
                headers = {"Authorization": header}
                if key:
                    headers["Idempotency-Key"] = key
                data = None
                if ndjson is not None:
                    data, headers["Content-Type"] = ndjson.encode(), "application/x-ndjson"
                elif body is not None:
                    data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
                connection.request(method, path, data, headers)
                answer = connection.getresponse()
                content = answer.read()
                if answer.status != 503:
                    return answer.status, content
            except (OSError, http.client.HTTPException, ValueError):
                pass   # killed, not there yet, or gone in the middle of its answer
            finally:
                connection.close()
            time.sleep(0.01)

    def create(self, path, body=None):
        key = f"{path}-{(body or {}).get('name', '')}".encode().hex()
        status, content = self.ask("POST", path, body, key)
        assert status == 201, (path, status, content)
        return json.loads(content)

    def submit(self, name, script, **fields):
        body = {"kind": "command", "name": name, "class": "synthesis", "cpu": 0,
                "command": ["sh", "-c", script, "sh", self.record, name], **fields}
        self.acknowledged[name] = self.create("/api/v1/jobs", body)["id"]
        return self.acknowledged[name]

    def gate(self, name):
        """A fifo on which a job waits for its word. Held open, so that nobody blocks in open()."""
        path = os.path.join(self.folder.root, name)
        os.mkfifo(path)
        return path, os.open(path, os.O_RDWR | os.O_CLOEXEC)

    def job(self, job):
        return json.loads(self.ask("GET", f"/api/v1/jobs/{job}")[1])

    def wait_for(self, job, *states):
        while True:
            found = self.job(job)
            if found["state"] in states or found["state"] in TERMINAL:
                return found
            self.ask("GET", f"/api/v1/jobs/{job}?wait=200ms&until=changed")

    # --- the night ---------------------------------------------------------------------------
    def run(self):
        self.resident_gate, self.resident_fd = self.gate("resident")
        self.orphan_gate, self.orphan_fd = self.gate("orphan")
        self.never_gate, self.never_fd = self.gate("never")
        keeper = threading.Thread(target=self.keep)
        try:
            self.begin(is_armed=self.is_fresh)
            keeper.start()
            self.first_part()
            if not self.is_fresh:
                self.change_of_daemons(keeper)
                keeper = threading.Thread(target=self.keep)
                keeper.start()
            self.second_part()
            jobs = self.go_down(keeper)
        finally:
            self.over.set()
            if keeper.is_alive():
                keeper.join()
            if self.daemon.process is not None and self.daemon.process.poll() is None:
                self.daemon.kill()
            end_workers(self.folder.data)
            for fd in (self.resident_fd, self.orphan_fd, self.never_fd):
                os.close(fd)
        return jobs

    def first_part(self):
        resident = self.submit("records resident", f'read x < "{self.resident_gate}"; {RECORDING}')
        orphan = self.submit("records orphan", f'read x < "{self.orphan_gate}"; {RECORDING}')
        chain = [self.member("records chain", i) for i in range(2)]
        self.create("/api/v1/schedules", {"name": "nightly", "cron": "0 22 1 1 *", "timezone": "Asia/Seoul",
                                          "overlap": "queue", "jobs": chain})
        self.wait_for(resident, "running")
        self.wait_for(orphan, "running")

    def change_of_daemons(self, keeper):
        """kill -9; one job ends meanwhile, of which only its result is left, and a schedule becomes due. The
        next daemon is the armed one."""
        self.over.set()
        keeper.join()
        self.over.clear()
        self.daemon.kill()
        self.daemon.notify.close()
        os.write(self.orphan_fd, b"go\n")
        while left_result(self.folder, self.acknowledged["records orphan"], 1) is None:
            assert time.monotonic() < self.deadline, "the orphan left no result"
            time.sleep(0.01)
        database = sqlite3.connect(os.path.join(self.folder.data, "nightshift.db"))
        worker = database.execute("SELECT worker_pid FROM attempt WHERE job_id = ?",
                                  (self.acknowledged["records orphan"],)).fetchone()[0]
        os.kill(worker, signal.SIGKILL)
        with database:
            database.execute("UPDATE schedule SET next_fire_ms = ?", (int(time.time() * 1000) - 1000,))
        database.close()
        self.begin(is_armed=True)

    def second_part(self):
        if self.is_fresh:
            os.write(self.orphan_fd, b"go\n")
        self.submit("records a", RECORDING)
        lines = [json.dumps(self.member("records batch", i)) for i in range(2)]
        self.batch("\n".join(lines) + "\n")
        self.preemption()
        self.cancel()
        self.retry()
        self.create("/api/v1/schedules", {"name": "yearly", "cron": "0 6 1 1 *", "job": {"kind": "sleep"}})
        made = self.create("/api/v1/schedules/nightly/run")["jobs"]
        assert len(made) == 2 and made[0] < made[1], made
        self.run_by_hand = made
        status, answer = self.ask("PUT", "/api/v1/policy", {"preemption": {"grace": "30s"}})
        assert status == 200, answer

    def member(self, name, place):
        """The place-th job of a chain."""
        return {"kind": "command", "name": f"{name} {place}", "class": "synthesis", "cpu": 0,
                "command": ["sh", "-c", RECORDING, "sh", self.record, f"{name} {place}"],
                "after": [f"job:#{place - 1}"] if place else []}

    def batch(self, lines):
        """An answer that was cut short is asked for again: the same key gives the same ids."""
        while True:
            status, content = self.ask("POST", "/api/v1/jobs:batch", key="the-batch", ndjson=lines)
            assert status == 200, (status, content)
            rows = [json.loads(row) for row in content.splitlines()]
            if len(rows) == 2:
                break
        assert all("id" in row for row in rows), rows
        for i, row in enumerate(rows):
            self.acknowledged[f"records batch {i}"] = row["id"]

    def preemption(self):
        listening = os.path.join(self.folder.root, "listening")
        script = ('if [ -e "$NIGHTSHIFT_CHECKPOINT_DIR/s" ]; then set -- "$1" resumed; fi; '
                  f'if [ "$NIGHTSHIFT_ATTEMPT" -gt 1 ]; then {RECORDING}; exit 0; fi; '
                  'trap \'echo x > "$NIGHTSHIFT_CHECKPOINT_DIR/s"; exit 85\' TERM; '
                  f'echo x > "{listening}"; read x < "{self.never_gate}" & wait')
        victim = self.submit("records victim", script, vram="6GiB", checkpoint="signal",
                             **{"class": "training"})
        # `running` means that the shell was started: one that is asked to yield before its trap ends without
        # a checkpoint.
        while not os.path.exists(listening) and self.wait_for(victim, "running")["state"] not in TERMINAL:
            time.sleep(0.01)
        self.submit("records urgent", RECORDING, vram="6GiB", **{"class": "inference"})

    def cancel(self):
        job = self.submit("cancelled", f'read x < "{self.never_gate}"')
        found = self.wait_for(job, "running")
        status, answer = self.ask("POST", f"/api/v1/jobs/{job}/cancel")
        # Asked again after its answer was lost, or its worker was killed before.
        assert status == 200 or (status == 409 and (self.is_reached or found["state"] in TERMINAL)), answer

    def retry(self):
        job = self.submit("records failure", f"{RECORDING}; exit 3")
        found = self.wait_for(job)
        assert found["state"] == "failed", found
        again = self.create(f"/api/v1/jobs/{job}/retry")["id"]
        assert again != job
        self.failures = [job, again]

    def go_down(self, keeper):
        """SIGTERM; a point on the way down is died at here, with the resident job still running."""
        self.wait_for_ends()
        self.over.set()
        keeper.join()
        assert self.trouble is None, self.trouble
        code = self.terminate()
        if not self.is_late:
            assert code == 0, f"nightshiftd stopped with {code}"
        else:
            if code != 0:
                self.note_death(code)
            assert self.is_reached, "was not reached"
            self.over.clear()
            self.begin(is_armed=False)
            keeper = threading.Thread(target=self.keep)
            keeper.start()
            self.wait_for_ends()
            self.over.set()
            keeper.join()
            assert self.trouble is None, self.trouble
            assert self.terminate() == 0
        assert not os.path.exists(os.path.join(self.folder.data, "instance.json"))
        return self.check()

    def wait_for_ends(self):
        """Every job has ended and its process is gone; but the resident one while it is still needed. The
        daemon has answered, so that it is listening to signals by now."""
        has_resident = self.is_late and not self.is_reached
        if not has_resident:
            os.write(self.resident_fd, b"go\n")
        assert self.ask("GET", "/api/v1/status")[0] == 200
        database = read_only(self.folder)
        rows = database.execute("SELECT id, name FROM job WHERE ended_at_ms IS NULL ORDER BY id").fetchall()
        database.close()
        for job, name in rows:
            if not has_resident or name != "records resident":
                self.wait_for(job)
        while count_leases(self.folder) > (1 if has_resident else 0):
            assert self.trouble is None and time.monotonic() < self.deadline, self.trouble or "a lease stays"
            time.sleep(0.05)

    def terminate(self):
        process = self.daemon.process
        process.terminate()
        while process.poll() is None:
            assert time.monotonic() < self.deadline, "nightshiftd does not stop"
            if self.way == "other" and not self.is_reached:
                self.stand()
            time.sleep(0.01)
        self.daemon.notify.close()
        return process.returncode

    # --- what has to be true -------------------------------------------------------------------
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
        return len(jobs)

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


# Ids in the night's order: 2 before the change of daemons, 2 of the schedule's fire, then as submitted.
VICTIMS = {"records a": 5, "records victim": 8}


def daemon_log(folder, lines=20):
    with open(os.path.join(folder.root, "daemon.log"), encoding="utf-8", errors="replace") as file:
        return "".join(file.readlines()[-lines:])


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
