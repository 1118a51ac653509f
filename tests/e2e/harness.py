"""What the end-to-end suites share: a daemon in a folder of its own, an HTTP client, and a runner.

usage of a suite: python3 tests/e2e/NAME_test.py BIN [NAME_PART...]
BIN is the folder of the built programs. The last line is `N passed, N failed, N skipped`.
"""

import concurrent.futures
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

READY_LIMIT_S = 60
INSIDE = "--inside-mount"
TERMINAL = {"succeeded", "failed", "cancelled", "skipped", "expired"}


class Skip(Exception):
    pass


class Folder:
    """A temporary data folder whose name has Korean letters and a space."""

    def __init__(self):
        self.root = tempfile.mkdtemp(prefix="nightshift 야간 ")
        self.data = os.path.join(self.root, "데이터 폴더")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.root, ignore_errors=True)


class Daemon:
    """One nightshiftd. start() returns when it is ready; it says so by sd_notify, so nothing sleeps."""

    def __init__(self, bin_folder, folder, *arguments, environment=None, inherits=()):
        self.bin, self.folder, self.arguments = bin_folder, folder, list(arguments)
        self.inherits = inherits    # descriptors that whoever starts it forgot to close
        self.environment = environment or {}
        self.process = None
        self.port = None

    def spawn(self):
        address = os.path.join(self.folder.root, f"notify-{time.monotonic_ns()}")
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(address)
        environment = dict(os.environ, NOTIFY_SOCKET=address, **self.environment)
        with open(os.path.join(self.folder.root, "daemon.log"), "ab") as log:
            self.process = subprocess.Popen(
                [os.path.join(self.bin, "nightshiftd"), "--data", self.folder.data, "--listen", "127.0.0.1:0"]
                + self.arguments,
                env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                pass_fds=self.inherits)
        return self

    def start(self):
        return self.spawn().wait_ready()

    def wait_ready(self):
        deadline = time.monotonic() + READY_LIMIT_S
        self.notify.settimeout(0.2)
        while True:
            try:
                if b"READY=1" in self.notify.recv(4096):
                    break
            except socket.timeout:
                if self.process.poll() is not None:
                    code = self.process.returncode
                    raise AssertionError(f"nightshiftd ended with {code}: {self.log_tail()}")
                if time.monotonic() > deadline:
                    raise AssertionError("nightshiftd was not ready in time: " + self.log_tail())
        self.read_instance()
        return self

    def read_instance(self):
        with open(os.path.join(self.folder.data, "instance.json"), encoding="utf-8") as file:
            self.instance = json.load(file)
        self.port = self.instance["port"]
        with open(os.path.join(self.folder.data, "auth.hdr"), encoding="ascii") as file:
            self.header = file.read().strip().split(": ", 1)[1]

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError("nightshiftd did not stop on SIGTERM")
        return self.process.returncode

    def log_tail(self):
        with open(os.path.join(self.folder.root, "daemon.log"), encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[-15:])

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        end_workers(self.folder.data)

    # --- HTTP --------------------------------------------------------------------------------
    def request(self, method, path, body=None, headers=None, timeout=60):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            fields = {"Authorization": self.header, **(headers or {})}
            data = None
            if body is not None:
                data = json.dumps(body).encode()
                fields.setdefault("Content-Type", "application/json")
            connection.request(method, path, data, fields)
            answer = connection.getresponse()
            content = answer.read()
            return answer.status, json.loads(content) if content[:1] in b"{[" and content else content
        finally:
            connection.close()

    def get(self, path, **options):
        status, body = self.request("GET", path, **options)
        assert status == 200, f"GET {path}: {status} {body}"
        return body

    def post(self, path, body=None, expect=(200, 201, 202, 204), headers=None):
        status, answer = self.request("POST", path, body, headers)
        assert status in expect, f"POST {path}: {status} {answer}"
        return answer

    def submit(self, kind, **fields):
        return self.post("/api/v1/jobs", {"kind": kind, **fields}, expect=(201,))["id"]

    def set_policy(self, policy):
        status, answer = self.request("PUT", "/api/v1/policy", policy)
        assert status == 200, (status, answer)
        return answer

    def sleep_job(self, seconds, **fields):
        return self.submit("sleep", params={"seconds": seconds}, **fields)

    def command(self, *argv, **fields):
        return self.submit("command", command=list(argv), **fields)

    def job(self, job):
        return self.get(f"/api/v1/jobs/{job}")

    def wait_until(self, job, is_reached, limit_s=60):
        """Long-polls the job until `is_reached(job)`."""
        deadline = time.monotonic() + limit_s
        while True:
            found = self.job(job)
            if is_reached(found):
                return found
            words = f"job {job} stayed {found['state']}: {found} {self.log_tail()}"
            assert time.monotonic() < deadline, words
            self.get(f"/api/v1/jobs/{job}?wait=250ms&until=changed")

    def wait_state(self, job, *states, limit_s=60):
        return self.wait_until(job, lambda found: found["state"] in states, limit_s)

    def finish(self, job, limit_s=60):
        deadline = time.monotonic() + limit_s
        while True:
            found = self.get(f"/api/v1/jobs/{job}?wait=10s&until=finished")
            if found["state"] in TERMINAL:
                return found
            words = f"job {job} did not end: {found} {self.log_tail()}"
            assert time.monotonic() < deadline, words

    def events(self, job):
        return self.get(f"/api/v1/jobs/{job}/events")["events"]


def workers(data_folder):
    """Pids of the workers that run in this data folder."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/cmdline", "rb") as file:
                argv = file.read().split(b"\0")
            if b"attempt" in argv[1:2] and os.readlink(f"/proc/{name}/cwd") == os.path.realpath(data_folder):
                found.append(int(name))
        except OSError:
            continue
    return found


def session_of(pid):
    """Pids of the processes in the session of a worker, which leads it."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    fields = file.read().rsplit(b")", 1)[1].split()
                if int(fields[3]) == pid and fields[0] != b"Z":
                    found.append(int(name))
            except (OSError, IndexError):
                continue
    return found


def end_workers(data_folder):
    """At the end of a test: nothing of it stays behind."""
    if not os.path.isdir(data_folder):
        return
    for worker in workers(data_folder):
        for pid in session_of(worker):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


def wait_for(condition, limit_s=30, what="the condition"):
    """For what has no address to long-poll: files and processes. Looks 50 times a second."""
    deadline = time.monotonic() + limit_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"{what} did not come about in {limit_s} s"
        time.sleep(0.02)


def in_own_mount(suite, name):
    """Runs function `name` of a suite again in a mount namespace, where this user may mount a small disk: as
    `SUITE --inside-mount NAME BIN`."""
    if shutil.which("unshare") is None:
        raise Skip("no unshare(1)")
    probe = subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True)
    if probe.returncode != 0:
        raise Skip("this user may not mount a disk of its own: " + probe.stderr.decode().strip())
    done = subprocess.run(["unshare", "-rm", sys.executable, os.path.abspath(suite), INSIDE, name,
                           os.path.abspath(sys.argv[1])], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr


def option(name, default):
    """Takes `name N` out of the arguments."""
    if name not in sys.argv:
        return default
    at = sys.argv.index(name)
    value = int(sys.argv[at + 1])
    del sys.argv[at:at + 2]
    return value


def run_one(test, bin_folder):
    """What became of one test, as the word and the lines to print."""
    name = test.__name__.removeprefix("test_")
    started = time.monotonic()
    try:
        test(bin_folder)
        return "ok", f"{name} ({time.monotonic() - started:.1f} s)"
    except Skip as reason:
        return "skip", f"{name}: {reason}"
    except Exception:
        return "FAIL", f"{name} ({time.monotonic() - started:.1f} s)\n{traceback.format_exc()}"


def run(tests, at_once=1):
    """Runs test functions `f(bin_folder)` whose name contains one of the arguments, all without. `at_once`:
    more than one for tests that mostly wait."""
    if len(sys.argv) < 2 or not os.path.isdir(sys.argv[1]):
        raise SystemExit(__doc__)
    bin_folder, wanted = os.path.abspath(sys.argv[1]), sys.argv[2:]
    counts = {"ok": 0, "FAIL": 0, "skip": 0}
    chosen = [test for test in tests if not wanted or any(part in test.__name__ for part in wanted)]
    with concurrent.futures.ThreadPoolExecutor(max_workers=at_once) as pool:
        running = [pool.submit(run_one, test, bin_folder) for test in chosen]
        for done in concurrent.futures.as_completed(running):
            word, words = done.result()
            counts[word] += 1
            print(f"{word:5} {words}", flush=True)
    print(f"{counts['ok']} passed, {counts['FAIL']} failed, {counts['skip']} skipped", flush=True)
    raise SystemExit(1 if counts["FAIL"] else 0)
