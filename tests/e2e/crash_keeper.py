"""Keeps a daemon running that dies at one crash point, and asks it as a careful client does."""

import contextlib
import http.client
import json
import os
import signal
import threading
import time
import traceback

from harness import TERMINAL, Daemon, workers

SIMULATE = ("--simulate", "gpu=8GiB")
WAYS = ("exit", "kill", "other")
LIMIT_S = 120
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
# Ids in the night's order: 2 before the change of daemons, 2 of the schedule's fire, then as submitted.
VICTIMS = {"records a": 5, "records victim": 8}


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


def daemon_log(folder, lines=20):
    with open(os.path.join(folder.root, "daemon.log"), encoding="utf-8", errors="replace") as file:
        return "".join(file.readlines()[-lines:])


class Keeper:
    """One point, one way, one folder: keeps the daemon running and asks it until it answers."""

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
