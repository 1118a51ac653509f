#!/usr/bin/env python3
"""The night contract and the time machine of a real daemon: forecasts, and the past under other rules.

usage: projection_test.py BIN [NAME_PART...]
"""

import datetime

from harness import Daemon, Folder, run

SIMULATE = ("--simulate", "gpu=8GiB")


def three_in_a_row(daemon):
    """Three jobs that cannot share the card: they run one after another."""
    return [daemon.sleep_job(0.4, vram="6GiB", name=f"줄 {n}") for n in range(3)]


def first_plan(daemon, job):
    starting = [e for e in daemon.events(job) if e["kind"] == "starting"]
    return starting[0]["data"]["plan_seq"]


def test_contract_names_the_jobs_in_the_order_of_the_queue(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        first = daemon.sleep_job(600, vram="6GiB", name="first")
        second = daemon.sleep_job(600, vram="6GiB", name="second")
        held = daemon.submit("sleep", params={"seconds": 1}, hold=True)
        daemon.wait_state(first, "running")
        plan = daemon.get("/api/v1/plan?until=23:59&futures=20")
        lines = {line["job"]: line for line in plan["jobs"]}
        assert set(lines) == {first, second, held}, plan
        assert lines[first]["end"]["p50"] < lines[second]["end"]["p50"], plan
        assert lines[second]["start"]["p50"] is not None, plan
        assert lines[held]["verdict"] == "unknown" and lines[held]["chance"] is None, plan
        assert plan["complete"] and plan["futures"] == 20, plan


def test_contract_foresees_the_fires_of_schedules(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        late = daemon.sleep_job(7200, vram="6GiB", priority=-5, hold=True)
        chain = [{"kind": "sleep", "name": "먼저", "params": {"seconds": 60}, "vram": "6GiB"},
                 {"kind": "sleep", "name": "then", "params": {"seconds": 60}, "vram": "6GiB",
                  "after": ["job:#0"]}]
        for name, cron, enabled in (("hourly", "0 * * * *", True), ("off", "0 * * * *", False)):
            daemon.post("/api/v1/schedules", {"name": name, "cron": cron, "timezone": "UTC",
                                              "enabled": enabled, "jobs": chain})
        until = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=3)).isoformat()
        plan = daemon.get("/api/v1/plan?futures=10&until=" + until.replace("+", "%2B"))
        assert [line["job"] for line in plan["jobs"]] == [late], plan
        coming = plan["coming"]
        assert len(coming) == 6 and {line["schedule"] for line in coming} == {"hourly"}, plan
        assert [line["name"] for line in coming] == ["먼저", "then"] * 3, plan
        assert len({line["fires_at"] for line in coming}) == 3, plan
        for first, then in zip(coming[::2], coming[1::2]):
            assert first["start"]["p50"] == first["fires_at"], plan
            assert first["end"]["p50"] <= then["start"]["p50"], plan
        assert coming[0]["verdict"] == "done", plan


def test_contract_tells_what_will_not_be_done(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        daemon.sleep_job(3600 * 24 * 3, vram="6GiB")
        late = daemon.sleep_job(60, vram="6GiB")
        plan = daemon.get("/api/v1/plan?until=23:59")
        line = [line for line in plan["jobs"] if line["job"] == late][0]
        assert line["verdict"] == "no" and line["chance"] == 0, plan


def test_bad_questions_are_refused(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        for path in ("/api/v1/plan", "/api/v1/plan?until=25:00", "/api/v1/plan?until=2020-01-01T00:00:00Z",
                     "/api/v1/plan?until=07:00&futures=0", "/api/v1/plan?until=07:00&what=1"):
            status, body = daemon.request("GET", path)
            assert status == 400 or status == 422, (path, status, body)
        for body in ({}, {"from": "yesterday"}, {"from": 1, "gpu": "huge"},
                     {"from": 1, "policy": {"vrma": {}}},
                     {"from": 1, "form": 2}, {"from": "2001-01-01T00:00:00Z"}):
            status, text = daemon.request("POST", "/api/v1/replay", body)
            assert status == 422, (body, status, text)


def test_replay_agrees_with_what_happened_and_a_larger_card_spares_the_wait(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        jobs = three_in_a_row(daemon)
        for job in jobs:
            assert daemon.finish(job)["state"] == "succeeded"
        begin = first_plan(daemon, jobs[0])
        answer = daemon.post("/api/v1/replay", {"from": begin, "gpu": "24GiB"})
        assert answer["jobs_seen"] == 3 and answer["agreement"] == 1.0, answer
        recorded = answer["recorded"]["classes"]["synthesis"]
        same = answer["same"]["classes"]["synthesis"]
        changed = answer["changed"]["classes"]["synthesis"]
        assert recorded["started"] == same["started"] == changed["started"] == 3, answer
        assert recorded["wait_max_s"] > 0.4 and same["wait_max_s"] > 0.4, answer
        assert changed["wait_max_s"] < same["wait_max_s"] / 2, answer
        assert abs(same["gpu_hours"] - changed["gpu_hours"]) < 1e-4, answer


def test_replay_makes_the_preemptions_of_the_night_again(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        dream = daemon.sleep_job(4, vram="6GiB", name="꿈", **{"class": "training"})
        daemon.wait_state(dream, "running")
        behind = daemon.sleep_job(0.5, vram="5GiB", **{"class": "synthesis"})
        urgent = daemon.sleep_job(0.5, vram="4GiB", **{"class": "inference"})
        for job in (urgent, dream, behind):
            assert daemon.finish(job)["state"] == "succeeded"
        assert daemon.job(dream)["preemptions"] == 1
        begin = first_plan(daemon, dream)
        for change in ({}, {"policy": {}}, {"gpu": "8GiB"}):
            answer = daemon.post("/api/v1/replay", {"from": begin, **change})
            assert answer["jobs_seen"] == 3 and answer["agreement"] == 1.0, answer
            assert answer["moved"] == 0 and answer["jobs"] == [], answer
            for story in ("recorded", "same", "changed"):
                assert answer[story]["preemptions"] == 1, (story, answer)


def test_replay_under_another_policy(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        jobs = three_in_a_row(daemon)
        for job in jobs:
            daemon.finish(job)
        far = (datetime.datetime.now(datetime.timezone.utc).hour + 12) % 24
        closed = {"windows": {"far": {"timezone": "UTC", "open": [f"daily {far:02}:00-{far:02}:30"]}},
                  "classes": {"synthesis": {"window": "far"}}}
        answer = daemon.post("/api/v1/replay", {"from": first_plan(daemon, jobs[0]), "policy": closed})
        assert answer["changed"]["classes"]["synthesis"]["started"] < 3, answer
        assert answer["moved"] >= 1 and answer["jobs"][0]["wait_changed_s"] is None, answer


def test_the_record_survives_a_restart_and_follows_the_policy(bin_folder):
    with Folder() as folder:
        with Daemon(bin_folder, folder, *SIMULATE) as daemon:
            begin = first_plan(daemon, daemon.finish(daemon.sleep_job(0.1, vram="1GiB"))["id"])
        with Daemon(bin_folder, folder, *SIMULATE) as daemon:
            status, body = daemon.request("PUT", "/api/v1/policy", {"vram": {"safety": "1GiB"}},
                                             headers={"If-Match": "*"})
            assert status == 200, body
            job = daemon.sleep_job(0.1, vram="1GiB")
            daemon.finish(job)
            assert first_plan(daemon, job) > begin
            answer = daemon.post("/api/v1/replay", {"from": begin})
            assert answer["jobs_seen"] == 2 and answer["agreement"] == 1.0, answer
            assert answer["moved"] == 0, answer


run([value for name, value in list(globals().items()) if name.startswith("test_")])
