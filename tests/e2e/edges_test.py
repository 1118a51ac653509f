#!/usr/bin/env python3
"""Moments that lie side by side: a daemon that stood still while a schedule was due, and a job that ends in
the very moment in which somebody cancels it, wants its place, or finds it overdue."""

import os
import signal
import sqlite3
import threading
import time

from harness import TERMINAL, Daemon, Folder, run, wait_for
from promises import broken_invariants, read_only

SIMULATE = ("--simulate", "gpu=8GiB")
POLICIES = ("once", "skip", "all")
MINUTE_S = 60


# --- a daemon that stood still ------------------------------------------------------------------

def add_schedules(daemon, cron):
    for missed in POLICIES:
        daemon.post("/api/v1/schedules", {
            "name": missed, "cron": cron, "timezone": "Asia/Seoul", "missed": missed, "overlap": "queue",
            "jobs": [{"kind": "sleep", "params": {"seconds": 0}},
                     {"kind": "sleep", "params": {"seconds": 0}, "after": ["job:#0"]}]})


def fires_of(folder):
    """Nominal times that ran and the numbers of jobs of each, by schedule."""
    database = read_only(folder)
    assert broken_invariants(database) == []
    rows = database.execute(
        "SELECT s.name, f.nominal_ms, f.decision, (SELECT COUNT(*) FROM job WHERE schedule = s.name AND "
        "schedule_nominal_ms = f.nominal_ms) FROM schedule s JOIN schedule_fire f "
        "ON f.schedule_id = s.id").fetchall()
    database.close()
    found = {missed: [] for missed in POLICIES}
    for name, nominal, decision, jobs in rows:
        found[name].append((nominal, decision, jobs))
    return found


class Standstill(threading.Thread):
    """SIGSTOP across a due minute takes up to a minute of real time, so it runs beside the other tests."""

    def __init__(self, bin_folder):
        super().__init__()
        self.bin, self.trouble = bin_folder, None

    def run(self):
        try:
            self.stand_still()
        except BaseException as error:
            self.trouble = error

    def stand_still(self):
        with Folder() as folder, Daemon(self.bin, folder, *SIMULATE) as daemon:
            add_schedules(daemon, "* * * * *")
            minute = int(time.time()) // MINUTE_S + 1
            os.kill(daemon.process.pid, signal.SIGSTOP)
            while time.time() < minute * MINUTE_S + 0.5:
                time.sleep(minute * MINUTE_S + 0.6 - time.time())
            os.kill(daemon.process.pid, signal.SIGCONT)
            # A minute is due that the daemon did not see: each schedule fires it, once, whatever its policy,
            # for it is not over yet. Where that takes long the next minute may come, with its own fire.
            wait_for(lambda: all(fires_of(folder).values()), what="the fires")
            until = int(time.time()) // MINUTE_S
            for missed, fires in fires_of(folder).items():
                nominals = [nominal // 60000 for nominal, _, _ in fires]
                assert nominals == list(range(minute, minute + len(nominals))), fires
                assert nominals[-1] <= until and {fire[1:] for fire in fires} == {("run", 2)}, (missed, fires)


STANDSTILL = {}


def test_a_daemon_that_was_down_for_hours_catches_up_by_policy(bin_folder):
    STANDSTILL["thread"] = Standstill(bin_folder)
    STANDSTILL["thread"].start()
    with Folder() as folder:
        with Daemon(bin_folder, folder, *SIMULATE) as daemon:
            add_schedules(daemon, "0 * * * *")
            daemon.stop()
        hour = int(time.time()) // 3600
        # The last daemon ran five hours ago, and the newest fire is older than a minute.
        if time.time() - hour * 3600 < 90:
            hour -= 1
        with sqlite3.connect(os.path.join(folder.data, "nightshift.db")) as database:
            database.execute("UPDATE schedule SET next_fire_ms = ?", ((hour - 4) * 3600 * 1000,))
        database.close()
        with Daemon(bin_folder, folder, *SIMULATE) as daemon:
            wait_for(lambda: all(fires_of(folder).values()), what="the fires")
            found = fires_of(folder)
            ran = {missed: [fire for fire in fires if fire[1] == "run"] for missed, fires in found.items()}
            assert len(ran["once"]) == 1 and ran["once"][0][0] // 3600000 >= hour, found
            assert len(ran["skip"]) <= 1 and not any(f[0] // 3600000 <= hour for f in ran["skip"]), found
            assert [fire[0] // 3600000 for fire in ran["all"]][:5] == list(range(hour - 4, hour + 1)), found
            for fires in found.values():
                assert all(jobs == (2 if decision == "run" else 0) for _, decision, jobs in fires), found
            daemon.kill()
            daemon.start()
            assert fires_of(folder) == found, "fired again after a restart"


# --- the same moment ------------------------------------------------------------------------------

def state_of(pid):
    with open(f"/proc/{pid}/stat", "rb") as file:
        return file.read().rsplit(b")", 1)[1].split()[0]


def wait_standing(pid):
    wait_for(lambda: state_of(pid) == b"T", what="the process at its crash point")


def go_on(pid):
    os.kill(pid, signal.SIGCONT)


class Race:
    """One job, one request, one order of their moments. The job waits for a word on a fifo and exits 0."""

    def __init__(self, bin_folder, request, point=""):
        self.bin, self.request, self.point = bin_folder, request, point
        self.folder = Folder()

    def __enter__(self):
        environment = {"NIGHTSHIFT_CRASH_AT": self.point + ",stop"} if self.point else {}
        self.daemon = Daemon(self.bin, self.folder, *SIMULATE, environment=environment).start()
        self.gate = os.path.join(self.folder.root, "gate")
        os.mkfifo(self.gate)
        self.word = os.open(self.gate, os.O_RDWR | os.O_CLOEXEC)
        return self

    def __exit__(self, *_):
        go_on(self.daemon.process.pid)
        os.close(self.word)
        self.daemon.__exit__()
        self.folder.__exit__()

    def submit(self, script):
        fields = {"time_limit": "1500ms"} if self.request == "time limit" else {}
        self.job = self.daemon.command("sh", "-c", script.format(gate=self.gate), cpu=0,
                                       checkpoint="signal", **fields)
        self.daemon.wait_state(self.job, "running")
        database = read_only(self.folder)
        self.worker = database.execute("SELECT worker_pid FROM attempt").fetchone()[0]
        database.close()

    def say(self):
        os.write(self.word, b"go\n")

    def let_the_limit_pass(self):
        until = time.monotonic() + (1.6 if self.request == "time limit" else 0)
        wait_for(lambda: time.monotonic() > until, what="the time limit")

    def ask(self, expect=(200,)):
        """A time limit asks by itself."""
        if self.request == "time limit":
            return
        verb = {"cancel": "cancel", "yield": "preempt"}[self.request]
        status, answer = self.daemon.request("POST", f"/api/v1/jobs/{self.job}/{verb}")
        assert status in expect, (status, answer)

    def asked(self):
        """The request is stored: the job is yielding or stopping."""
        self.daemon.wait_state(self.job, "yielding", "stopping", *TERMINAL)

    def check(self, *states):
        done = self.daemon.wait_until(self.job, lambda job: job["state"] in TERMINAL, 60)
        assert done["state"] in states and done["attempt"] == 1, (self.request, self.point, done)
        if done["state"] == "succeeded":
            assert done["outcome"]["exit_code"] == 0, done
        events = [event["kind"] for event in self.daemon.events(self.job)]
        assert sum(events.count(kind) for kind in ("succeeded", "failed", "cancelled")) == 1, events


WAITS = 'read x < "{gate}"; exit 0'
HEARS = "trap 'exit 0' TERM; read x < \"{gate}\" & wait"


def ends_for(request):
    """Where the request was stored before the end: an answered cancel counts, all else keeps its 0."""
    return "cancelled" if request == "cancel" else "succeeded"


def each_request(test):
    def all_requests(bin_folder):
        for request in ("cancel", "yield", "time limit"):
            test(bin_folder, request)
    all_requests.__name__ = test.__name__
    return all_requests


@each_request
def test_the_end_is_stored_then_the_request_comes(bin_folder, request):
    with Race(bin_folder, request) as race:
        race.submit(WAITS)
        race.say()
        race.daemon.finish(race.job)
        race.ask(expect=(409,))
        race.check("succeeded")


@each_request
def test_the_end_is_read_and_not_stored_when_the_request_comes(bin_folder, request):
    with Race(bin_folder, request, "done.received") as race:
        race.submit(WAITS)
        race.say()
        wait_standing(race.daemon.process.pid)
        asking = threading.Thread(target=race.ask, kwargs={"expect": (200, 409)})
        asking.start()          # its bytes wait in the socket
        race.let_the_limit_pass()
        go_on(race.daemon.process.pid)
        asking.join()
        race.check("succeeded", "cancelled" if request == "cancel" else "succeeded")


def ask_while_the_worker_stands(bin_folder, request, moment):
    with Race(bin_folder, request, moment) as race:
        race.submit(WAITS)
        race.say()
        wait_standing(race.worker)
        race.ask()
        race.asked()
        go_on(race.worker)
        race.check(ends_for(request))


@each_request
def test_the_job_has_ended_and_its_worker_has_not_said_so(bin_folder, request):
    ask_while_the_worker_stands(bin_folder, request, "worker.result_left")


@each_request
def test_the_job_has_ended_and_its_worker_does_not_know_yet(bin_folder, request):
    ask_while_the_worker_stands(bin_folder, request, "worker.command_ended")


@each_request
def test_the_request_is_sent_and_not_read_when_the_job_ends(bin_folder, request):
    with Race(bin_folder, request) as race:
        race.submit(WAITS)
        os.kill(race.worker, signal.SIGSTOP)
        race.ask()
        race.asked()
        race.say()
        with open(f"/proc/{race.worker}/task/{race.worker}/children", encoding="ascii") as file:
            command = int(file.read().split()[0])
        wait_for(lambda: state_of(command) == b"Z", what="the end of the command")
        go_on(race.worker)
        race.check(ends_for(request))


@each_request
def test_the_request_makes_the_job_end_well(bin_folder, request):
    with Race(bin_folder, request) as race:
        race.submit(HEARS)
        race.ask()
        race.check(ends_for(request))


def test_z_a_daemon_that_stood_still_fires_a_due_minute_once(bin_folder):
    thread = STANDSTILL.get("thread")
    if thread is None:
        thread = Standstill(bin_folder)
        thread.start()
    thread.join()
    if thread.trouble is not None:
        raise thread.trouble


run([value for name, value in list(globals().items()) if name.startswith("test_")])
