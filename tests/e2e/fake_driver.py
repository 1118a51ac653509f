"""The daemon's NVIDIA driver, played by tests/support/fake_nvml: one card of 8 GiB whose memory, processes,
faults and silences a test writes down while the daemon runs.
"""

import json
import os

from harness import Daemon, wait_for

MIB, GIB = 1 << 20, 1 << 30
UUID = "GPU-fa4e0000-0000-4000-8000-000000000001"
FOREIGN_PID = 1                                   # of no job of ours
MEMORY = "nvmlDeviceGetMemoryInfo_v2"             # what a sample asks first
LOST, MISMATCH, UNKNOWN = 15, 18, 999


class FakeDriver:
    """Sizes are bytes. Every change reaches the daemon whole, with its next sample."""

    def __init__(self, bin_folder, folder, **script):
        self.path = os.path.join(folder.root, "그래픽 driver.json")
        self.environment = {"LD_LIBRARY_PATH": os.path.join(bin_folder, "fake-nvml"),
                            "NIGHTSHIFT_FAKE_NVML": self.path}
        self.script = {"gpus": [{"uuid": UUID, "name": "Fake RTX 8", "total": 8 * GIB, "used": 0,
                                 "temperature_c": 55, "power_mw": 120000, "processes": []}], **script}
        self.write()

    def write(self):
        with open(self.path + ".new", "w", encoding="utf-8") as file:
            json.dump(self.script, file)
        os.replace(self.path + ".new", self.path)

    def change(self, **script):
        self.script.update(script)
        self.write()

    def memory(self, jobs=None, foreign=0, residue=0, is_told=True):
        """`jobs`: what the process of each pid holds. `residue`: what no process is named for. Without
        `is_told` the driver does not say which process holds what."""
        rows = [{"pid": pid, "used": used if is_told else None} for pid, used in (jobs or {}).items()]
        if foreign:
            rows.append({"pid": FOREIGN_PID, "used": foreign if is_told else None, "graphics": True})
        card = self.script["gpus"][0]
        card["processes"] = rows
        card["used"] = sum((jobs or {}).values()) + foreign + residue
        self.write()

    def calls(self, what=""):
        """(milliseconds, words) of what the daemon asked that begins with `what`, oldest first."""
        try:
            with open(self.path + ".log", encoding="utf-8") as file:
                rows = [line.rstrip("\n").split(" ", 1) for line in file if line.endswith("\n")]
        except FileNotFoundError:
            return []
        return [(int(at), words) for at, words in rows if words.startswith(what)]

    def seen(self):
        """Returns when the daemon has taken in a sample that was begun after this call."""
        before = len(self.calls(MEMORY))
        # The second is asked for once the first one has arrived.
        wait_for(lambda: len(self.calls(MEMORY)) >= before + 2, what="samples of the driver")


class GpuDaemon(Daemon):
    """A daemon whose driver is played."""

    def __init__(self, bin_folder, folder, driver, *arguments):
        super().__init__(bin_folder, folder, *arguments, environment=driver.environment)

    def card(self):
        return self.get("/api/v1/gpu")["devices"][0]

    def gates(self, job):
        """What keeps a job, by code."""
        return {gate["code"]: gate for gate in self.get(f"/api/v1/jobs/{job}/why")["gates"]}

    def kinds(self, job):
        return [event["kind"] for event in self.events(job)]

    def wait_gate(self, job, code, limit_s=30):
        """The gate, once it is closed for a job that has not started."""
        def look():
            found = self.job(job)
            assert found["state"] == "waiting", (found, self.kinds(job), self.log_tail())
            return self.gates(job).get(code)
        return wait_for(look, limit_s, f"gate {code} of job {job} (closed: {list(self.gates(job))})")

    def start_held(self, folder, **fields):
        held = Held(self, folder, **fields)
        held.started()
        return held


class Held:
    """A command that runs until the test says how its attempt ends."""

    def __init__(self, daemon, folder, words="", **fields):
        Held.count = getattr(Held, "count", 0) + 1
        self.daemon, self.end_file = daemon, os.path.join(folder.root, f"끝 {Held.count}")
        script = 'while [ ! -s "$1.$NIGHTSHIFT_ATTEMPT" ]; do sleep 0.1; done; '
        if words:
            script += f"echo '{words}' >&2; "
        self.id = daemon.command("sh", "-c", script + 'exit "$(cat "$1.$NIGHTSHIFT_ATTEMPT")"', "sh",
                                 self.end_file, **fields)

    def started(self, attempt=1):
        self.daemon.wait_until(
            self.id, lambda job: job["state"] == "running" and job["attempt"] == attempt)
        return self.pid()

    def pid(self):
        return worker_pid(self.daemon, self.id)

    def end(self, code=0, attempt=1):
        with open(self.end_file + ".new", "w", encoding="ascii") as file:
            file.write(str(code))
        os.replace(self.end_file + ".new", f"{self.end_file}.{attempt}")


def worker_pid(daemon, job):
    """The leader of the session of a job's newest attempt."""
    started = [event for event in daemon.events(job) if event["kind"] == "started"]
    return started[-1]["data"]["pid"]


def assert_adds_up(gate):
    detail = gate["detail"]
    left = (detail["capacity"] - detail["safety"] - detail["foreign"] - detail["held"] - detail["headroom"])
    assert detail["available"] == max(0, left), gate
    assert detail["available"] < detail["needed"], gate


def quick_grace(folder):
    """Arguments for a policy under which a victim has a second to save."""
    path = os.path.join(folder.root, "policy.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"preemption": {"grace": "1s"}}, file)
    return "--policy", path
