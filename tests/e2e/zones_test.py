#!/usr/bin/env python3
"""The time-zone database is updated while the daemon runs, as a package manager does it."""

import datetime
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time

from harness import INSIDE, Daemon, Folder, Skip, in_own_mount, run, wait_for
from promises import broken_invariants, read_only

SIMULATE = ("--simulate", "gpu=8GiB")
ZONE = "Asia/Seoul"
SYSTEM = "/usr/share/zoneinfo"
HOUR_S, DAY_S = 3600, 86400


class OwnZones:
    """A copy of the system's zones in place of the system's own, inside this mount namespace."""

    def __init__(self, root):
        self.zones = os.path.join(root, "zoneinfo")
        self.rules, self.compiled = os.path.join(root, "rules"), os.path.join(root, "compiled")
        shutil.copytree(SYSTEM, self.zones, symlinks=True)
        subprocess.run(["mount", "--bind", self.zones, SYSTEM], check=True)

    def set_offset(self, hours):
        """New rules: the zone is, and always was, `hours` ahead of UTC."""
        with open(self.rules, "w", encoding="ascii") as file:
            file.write(f"Zone {ZONE} {hours}:00 - KST\n")
        subprocess.run(["zic", "-b", "fat", "-d", self.compiled, self.rules], check=True)
        # A new file takes the old one's place, as with a package manager.
        path = os.path.join(self.zones, ZONE)
        shutil.copy(os.path.join(self.compiled, ZONE), path + ".new")
        os.rename(path + ".new", path)


def nexts(daemon, name, count=3):
    return [row["utc"] for row in daemon.get(f"/api/v1/schedules/{name}/next?count={count}")["next"]]


def stored_next(folder, name):
    with read_only(folder) as database:
        return database.execute("SELECT next_fire_ms FROM schedule WHERE name = ?", (name,)).fetchone()[0]


def fires(folder, name):
    with read_only(folder) as database:
        assert broken_invariants(database) == []
        return [row[0] for row in database.execute(
            "SELECT f.nominal_ms FROM schedule_fire f JOIN schedule s ON s.id = f.schedule_id "
            "WHERE f.decision = 'run' AND s.name = ? ORDER BY 1", (name,))]


def put_back_to(folder, name, nominal):
    """As if the daemon had not run since then."""
    database = sqlite3.connect(os.path.join(folder.data, "nightshift.db"))
    with database:
        database.execute("UPDATE schedule SET next_fire_ms = ? WHERE name = ?", (nominal, name))
    database.close()


def events(folder):
    with read_only(folder) as database:
        return [json.loads(row[0]) for row in database.execute(
            "SELECT data FROM event WHERE topic = 'schedule' AND kind = 'zones_changed' ORDER BY seq")]


def local(at_s, hours):
    return datetime.datetime.fromtimestamp(at_s + hours * HOUR_S, datetime.timezone.utc)


def tick(daemon):
    """The daemon looks in its ticks; without any reason for one there is one a minute."""
    daemon.finish(daemon.sleep_job(0, cpu=0, **{"class": "training"}))


def inside_new_rules(bin_folder):
    with Folder() as folder:
        own = OwnZones(folder.root)
        own.set_offset(9)
        nominal = int(time.time()) // 60 * 60 - 300
        job = {"kind": "sleep", "params": {"seconds": 0}, "class": "training"}
        fires_at = local(nominal, 9)
        with Daemon(bin_folder, folder, *SIMULATE) as daemon:
            for name, cron, zone in (("noon", "0 12 * * *", ZONE), ("fixed", "0 12 * * *", "UTC"),
                                     ("daily", f"{fires_at.minute} {fires_at.hour} * * *", ZONE)):
                daemon.post("/api/v1/schedules",
                            {"name": name, "cron": cron, "timezone": zone, "job": job})
            assert stored_next(folder, "daily") == (nominal + DAY_S) * 1000
            daemon.stop()
            put_back_to(folder, "daily", nominal * 1000)
            daemon.start()
            wait_for(lambda: fires(folder, "daily"), what="the fire of five minutes ago")
            assert fires(folder, "daily") == [nominal * 1000], fires(folder, "daily")
            assert all(at.endswith("T03:00:00.000Z") for at in nexts(daemon, "noon")), nexts(daemon, "noon")
            # Half an hour round this moment by the rules to come; by those of now it is over since long.
            now = time.time()
            span = f"mon-sun {local(now - 900, 8):%H:%M}-{local(now + 900, 8):%H:%M}"
            daemon.set_policy({"windows": {"soon": {"timezone": ZONE, "open": [span]}},
                               "classes": {"synthesis": {"window": "soon"}}})
            waits = daemon.sleep_job(0, cpu=0)
            tick(daemon)
            assert daemon.job(waits)["waiting"]["code"] == "outside_window", daemon.job(waits)
            assert events(folder) == []

            own.set_offset(8)       # the clock is put back: the local time of the fire comes once more today

            def is_noticed():
                tick(daemon)
                return stored_next(folder, "noon") % (DAY_S * 1000) == 4 * HOUR_S * 1000
            wait_for(is_noticed, what="the new rules")
            assert events(folder) == [{"zones": [ZONE]}], events(folder)
            assert daemon.finish(waits)["state"] == "succeeded"
            assert all(at.endswith("T04:00:00.000Z") for at in nexts(daemon, "noon")), nexts(daemon, "noon")
            assert all(at.endswith("T12:00:00.000Z") for at in nexts(daemon, "fixed")), nexts(daemon, "fixed")
            again = stored_next(folder, "daily")
            assert again == (nominal + HOUR_S + DAY_S) * 1000, "it would fire again today"
            assert fires(folder, "daily") == [nominal * 1000], fires(folder, "daily")
            daemon.kill()
            daemon.start()
            assert stored_next(folder, "noon") % (DAY_S * 1000) == 4 * HOUR_S * 1000
            assert events(folder) == [{"zones": [ZONE]}], events(folder)


def test_fires_and_windows_follow_new_rules_without_a_restart(bin_folder):
    if shutil.which("zic") is None:
        raise Skip("no zic(8)")
    in_own_mount(__file__, "inside_new_rules")


if INSIDE in sys.argv:
    globals()[sys.argv[2]](sys.argv[3])
else:
    run([value for name, value in list(globals().items()) if name.startswith("test_")])
