#!/usr/bin/env python3
"""A thousand short jobs leave nothing behind in the daemon; many connections find room.

usage: python3 tests/e2e/leak_test.py BIN [NAME_PART...]; NIGHTSHIFT_LEAK_JOBS sets the number of jobs.
"""

import http.client
import json
import os
import resource

from harness import Daemon, Folder, run, wait_for

JOBS = int(os.environ.get("NIGHTSHIFT_LEAK_JOBS", "1000"))
WARM_UP = 20
CONNECTIONS = 1024


def children_of(pid):
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                fields = file.read().rsplit(b")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(name))
    return found


def held_by(pid):
    """What the system counts for a process: descriptors, threads, children (zombies too)."""
    return {
        "descriptors": len(os.listdir(f"/proc/{pid}/fd")),
        "threads": len(os.listdir(f"/proc/{pid}/task")),
        "children": len(children_of(pid)),
    }


def run_short_jobs(daemon, count):
    line = json.dumps({"kind": "command", "command": ["true"], "cpu": 0}) + "\n"
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=120)
    connection.request("POST", "/api/v1/jobs:batch", line * count,
                       {"Authorization": daemon.header, "Content-Type": "application/x-ndjson"})
    answers = [json.loads(row) for row in connection.getresponse().read().splitlines()]
    connection.close()
    ids = [answer["id"] for answer in answers]
    for job in ids:
        done = daemon.finish(job, limit_s=600)
        assert done["state"] == "succeeded", done
    return ids


def test_short_jobs_leave_no_descriptor_thread_or_child(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, "--simulate", "gpu=8GiB") as daemon:
        pid = daemon.process.pid
        run_short_jobs(daemon, WARM_UP)
        wait_for(lambda: not children_of(pid), what="the end of the first workers")
        before = held_by(pid)
        ids = run_short_jobs(daemon, JOBS)
        assert len(set(ids)) == JOBS
        # The last workers and the connection of the last answer go in a moment.
        wait_for(lambda: held_by(pid) == before, what=f"{before} again, now {held_by(pid)}")


def test_a_thousand_connections_are_served_and_jobs_keep_the_limit_they_had(bin_folder):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    connections = []
    try:
        with Folder() as folder:
            daemon = Daemon(bin_folder, folder, "--simulate", "gpu=8GiB")
            # The daemon begins with less than its connections need, as a login shell gives it.
            resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
            daemon.spawn()
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            with StartedDaemon(daemon):
                job = daemon.command("sh", "-c", "ulimit -n > \"$NIGHTSHIFT_OUTPUT/limit\"")
                assert daemon.finish(job)["state"] == "succeeded"
                with open(os.path.join(folder.data, "jobs", str(job), "1", "output", "limit"),
                          encoding="ascii") as file:
                    assert file.read().strip() == "256"
                # Shorter than the 30 s after which an idle connection would make room for the next.
                for _ in range(CONNECTIONS - 8):
                    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=20)
                    connection.request("GET", "/livez")
                    assert connection.getresponse().read().startswith(b"ok")
                    connections.append(connection)
                lines = daemon.get("/metrics").decode().splitlines()
                open_now = [line for line in lines if line.startswith("nightshift_http_connections ")]
                assert float(open_now[0].split()[1]) >= CONNECTIONS - 8, open_now
    finally:
        for connection in connections:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class StartedDaemon:
    """A daemon that was spawned already: waits until it is ready, ends it."""

    def __init__(self, daemon):
        self.daemon = daemon

    def __enter__(self):
        self.daemon.wait_ready()
        return self.daemon

    def __exit__(self, *reason):
        self.daemon.__exit__(*reason)


run([value for name, value in list(globals().items()) if name.startswith("test_")])
