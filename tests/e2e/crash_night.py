"""The small night that every crash point is died at in: chain, batch, preemption, cancel, retry, schedule."""

import json
import os
import signal
import sqlite3
import threading
import time

from crash_keeper import Keeper
from harness import TERMINAL, end_workers
from promises import RECORDING, count_leases, left_result, read_only


class Night(Keeper):
    """Drives one night to its end; whoever derives from it says in check() what has to be true then."""

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
            self.go_down(keeper)
            self.check()
        finally:
            self.over.set()
            if keeper.is_alive():
                keeper.join()
            if self.daemon.process is not None and self.daemon.process.poll() is None:
                self.daemon.kill()
            end_workers(self.folder.data)
            for fd in (self.resident_fd, self.orphan_fd, self.never_fd):
                os.close(fd)

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
