"""A daemon on a fresh data folder, and a client that keeps its connection."""

import http.client
import json
import os
import shutil
import subprocess
import tempfile
import time

READY_TIMEOUT_S = 30


def scratch_folder():
    """On a disk, not in memory: /tmp may be a tmpfs, where an fsync costs nothing."""
    folder = tempfile.mkdtemp(prefix="nightshift-bench.", dir=os.environ.get("TMPDIR", "/var/tmp"))
    os.chmod(folder, 0o700)
    return folder


class Daemon:
    def __init__(self, bin_folder, *arguments, folder=None):
        self.is_folder_ours = folder is None
        self.folder = folder or scratch_folder()
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("NIGHTSHIFT_") or name == "NIGHTSHIFT_WORKER"
        }
        self.log = open(os.path.join(self.folder, "daemon.log"), "wb")
        start = time.monotonic()
        self.process = subprocess.Popen(
            [
                os.path.join(bin_folder, "nightshiftd"),
                "--data",
                self.folder,
                "--listen",
                "127.0.0.1:0",
                *arguments,
            ],
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            env=environment,
        )
        self.connection = None
        self.used_at = 0.0
        self.instance = self._wait_until_ready(start)
        self.ready_s = time.monotonic() - start
        with open(os.path.join(self.folder, "auth.hdr"), encoding="utf-8") as file:
            self.authorization = file.read().split(":", 1)[1].strip()

    def _wait_until_ready(self, start):
        path = os.path.join(self.folder, "instance.json")
        while time.monotonic() - start < READY_TIMEOUT_S:
            if self.process.poll() is not None:
                with open(self.log.name, encoding="utf-8", errors="replace") as file:
                    raise RuntimeError(
                        f"nightshiftd ended with {self.process.returncode}:\n{file.read()[-4000:]}"
                    )
            try:
                with open(path, encoding="utf-8") as file:
                    instance = json.load(file)
                probe = http.client.HTTPConnection("127.0.0.1", instance["port"], timeout=5)
                probe.request("GET", "/readyz")
                if probe.getresponse().status == 200:
                    return instance
            except (OSError, ValueError):
                pass
            time.sleep(0.001)
        raise RuntimeError("nightshiftd was not ready in time")

    def request(self, method, path, body=None, content_type="application/json"):
        # A connection that did nothing for a while was closed by the daemon: half of its 30 s is safe.
        if self.connection is None or time.monotonic() - self.used_at > 15:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.instance["port"], timeout=600)
        headers = {"Authorization": self.authorization}
        if body is not None:
            headers["Content-Type"] = content_type
        self.connection.request(method, path, body, headers)
        response = self.connection.getresponse()
        data = response.read()
        self.used_at = time.monotonic()
        if response.status >= 400:
            raise RuntimeError(f"{method} {path}: {response.status} {data[:500]!r}")
        return data

    def json(self, method, path, body=None):
        data = self.request(method, path, None if body is None else json.dumps(body).encode())
        return json.loads(data) if data else None

    def submit(self, **body):
        return self.json("POST", "/api/v1/jobs", body)["id"]

    def wait_for(self, job, reached, timeout_s=60):
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            found = self.json("GET", f"/api/v1/jobs/{job}")
            if reached(found):
                return found
            time.sleep(0.002)
        raise RuntimeError(f"job {job} did not get there: {found}")

    def metric(self, name):
        for line in self.request("GET", "/metrics").decode().splitlines():
            if line.startswith(name + " "):
                return float(line.split()[1])
        raise RuntimeError(f"the daemon has no metric {name}")

    def cpu_s(self):
        """Processor time of the daemon itself so far."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def wakeups(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            for line in file:
                if line.startswith("voluntary_ctxt_switches:"):
                    return int(line.split()[1])
        return 0

    def rss_mib(self):
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as file:
            for line in file:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) / 1024
        return 0.0

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        if self.is_folder_ours:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
