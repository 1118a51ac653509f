#!/usr/bin/env python3
"""The ledger against a driver that lies, falters, forgets and falls silent: the real daemon with
tests/support/fake_nvml as its libnvidia-ml.so.1. Needs no GPU.
"""

from fake_driver import (GIB, LOST, MEMORY, MIB, MISMATCH, UNKNOWN, UUID, FakeDriver, GpuDaemon, Held,
                         assert_adds_up, quick_grace, worker_pid)
from harness import Folder, run, wait_for

CLASSES = ("inference", "training", "evaluation", "synthesis")


# --- other programs, and what the driver says of them ---------------------------------------------

def test_other_programs_that_grow_are_never_granted(bin_folder):
    with Folder() as folder:
        driver = FakeDriver(bin_folder, folder)
        driver.memory(foreign=GIB)
        with GpuDaemon(bin_folder, folder, driver) as daemon:
            wait_for(lambda: daemon.card()["foreign"] == GIB, what="the first sample")
            # Nothing of ours runs, so nobody looks at the card for seconds. Meanwhile a game starts.
            driver.memory(foreign=5 * GIB)
            first = Held(daemon, folder, vram="4GiB")
            gate = daemon.wait_gate(first.id, "vram_foreign")
            assert_adds_up(gate)
            assert gate["detail"]["foreign"] == 5 * GIB and gate["detail"]["held"] == 0, gate
            assert "starting" not in daemon.kinds(first.id)
            # Before it knew, it waited for a look at the card, not for memory that nobody gives back.
            waited_for = {span["code"] for span in daemon.get(f"/api/v1/jobs/{first.id}/why")["history"]}
            assert "vram_sample_pending" in waited_for, waited_for
            assert "vram_release_pending" not in waited_for, waited_for
            driver.memory(foreign=2 * GIB)
            pid = first.started()
            # It grows again before the job has allocated anything: the budget stays the job's own.
            driver.memory(foreign=3 * GIB + 200 * MIB)
            driver.seen()
            second = Held(daemon, folder, vram="1GiB")
            vram = [gate for code, gate in daemon.gates(second.id).items() if code.startswith("vram_")]
            assert len(vram) == 1 and vram[0]["detail"]["held"] == 4 * GIB, vram
            assert_adds_up(vram[0])
            driver.memory({pid: 4 * GIB}, foreign=3 * GIB + 200 * MIB)
            driver.seen()
            card = daemon.card()
            assert card["foreign"] + card["held"] + card["safety"] <= card["total"], card
            assert "starting" not in daemon.kinds(second.id)
            assert daemon.job(first.id)["attempt"] == 1


def test_memory_that_is_not_told_by_process_counts_once(bin_folder):
    with Folder() as folder:
        driver = FakeDriver(bin_folder, folder)
        with GpuDaemon(bin_folder, folder, driver) as daemon:
            first = daemon.start_held(folder, vram="3GiB")
            driver.memory({first.pid(): 3 * GIB}, is_told=False)
            driver.seen()
            assert daemon.card()["foreign"] == 0, daemon.card()
            second = daemon.start_held(folder, vram="3GiB")
            driver.memory({first.pid(): 3 * GIB, second.pid(): 3 * GIB}, foreign=GIB, is_told=False)
            driver.seen()
            third = Held(daemon, folder, vram="1GiB")
            gate = next(gate for code, gate in daemon.gates(third.id).items() if code.startswith("vram_"))
            assert gate["detail"]["held"] == 6 * GIB and gate["detail"]["foreign"] == GIB, gate
            assert_adds_up(gate)


def test_slow_allocation_is_subtracted_once(bin_folder):
    with Folder() as folder:
        driver = FakeDriver(bin_folder, folder)
        driver.memory(foreign=GIB // 2)
        with GpuDaemon(bin_folder, folder, driver) as daemon:
            slow = daemon.start_held(folder, vram="4GiB")
            pid = slow.pid()
            for used in (0, GIB, 3 * GIB, 4 * GIB):
                driver.memory({pid: used} if used else {}, foreign=GIB // 2)
                driver.seen()
                card = daemon.card()
                assert (card["held"], card["foreign"]) == (4 * GIB, GIB // 2), (used, card)
                assert card["free"] == 3 * GIB, (used, card)
            fits = daemon.start_held(folder, vram="3GiB")
            assert daemon.job(slow.id)["state"] == "running" and fits.pid() != pid


# --- a driver that fails ----------------------------------------------------------------------------

def assert_the_rest_works(daemon, running):
    """Whatever the GPU does: jobs without VRAM run, requests are answered, running jobs are let be."""
    done = daemon.finish(daemon.command("true", vram=0))
    assert done["state"] == "succeeded", done
    assert daemon.get("/api/v1/status")["ready"] is True
    job = daemon.job(running.id)
    assert job["state"] == "running" and job["attempt"] == 1, job


def test_a_lost_gpu_closes_for_all_and_is_tried_again_less_and_less(bin_folder):
    with Folder() as folder:
        driver = FakeDriver(bin_folder, folder)
        with GpuDaemon(bin_folder, folder, driver) as daemon:
            running = daemon.start_held(folder, vram="2GiB")
            driver.memory({running.pid(): 2 * GIB}, foreign=GIB)
            driver.seen()
            loads = len(driver.calls("loaded"))
            driver.change(codes={"*": LOST})
            wait_for(lambda: not daemon.card()["is_healthy"], what="the fault")
            jobs = [daemon.sleep_job(0, vram="1GiB", **{"class": name}) for name in CLASSES]
            for job in jobs:
                gate = daemon.wait_gate(job, "gpu_unhealthy")
                assert "lost" in gate["text"], gate
            assert_the_rest_works(daemon, running)
            card = daemon.card()   # the newest numbers that can be relied on
            assert card["used"] == 3 * GIB and card["foreign"] == GIB and card["held"] == 2 * GIB, card
            tried = wait_for(lambda: (found := driver.calls("nvmlInit_v2"))[loads + 1:] and found[loads:],
                             what="two attempts to reach the GPU")
            first_fault = next(at for at, words in driver.calls(MEMORY) if words.endswith(f" {LOST}"))
            waits = [tried[0][0] - first_fault, tried[1][0] - tried[0][0]]
            assert waits[1] > 2 * waits[0] > 0, waits
            assert "starting" not in [kind for job in jobs for kind in daemon.kinds(job)]
            driver.change(codes={})
            for job in jobs:
                assert daemon.finish(job)["state"] == "succeeded"
            assert daemon.job(running.id)["attempt"] == 1 and daemon.card()["is_healthy"]
            assert daemon.card()["fault"] is None


def test_a_driver_that_was_replaced_is_loaded_anew(bin_folder):
    with Folder() as folder:
        driver = FakeDriver(bin_folder, folder)
        with GpuDaemon(bin_folder, folder, driver) as daemon:
            running = daemon.start_held(folder, vram="2GiB")
            driver.change(generation=2, driver="590.00.00")
            wait_for(lambda: driver.calls("unloaded"), what="the old library to go")
            done = daemon.finish(daemon.sleep_job(0, vram="1GiB"))
            assert done["state"] == "succeeded" and done["attempt"] == 1, done
            card = daemon.card()
            assert card["uuid"] == UUID and card["driver"] == "590.00.00" and card["is_healthy"], card
            assert daemon.job(running.id)["attempt"] == 1
            # Single errors, and functions that a card does not have, are no faults.
            driver.change(codes={MEMORY: UNKNOWN, "nvmlDeviceGetTemperature": UNKNOWN})
            driver.memory({running.pid(): 2 * GIB}, foreign=GIB)
            wait_for(lambda: daemon.card()["foreign"] == GIB, what="the older way to ask")
            card = daemon.card()
            assert card["is_healthy"] and card["temperature_c"] is None, card


def test_a_gpu_that_appears_late_is_used(bin_folder):
    with Folder() as folder:
        driver = FakeDriver(bin_folder, folder, codes={"nvmlInit_v2": MISMATCH})
        with GpuDaemon(bin_folder, folder, driver) as daemon:
            # The daemon is ready before the driver has answered for the first time.
            wait_for(lambda: "restart" in (daemon.card()["fault"] or ""), what="the driver's fault in words")
            card = daemon.card()
            assert not card["is_healthy"] and not card["is_host"], card
            job = daemon.sleep_job(0, vram="1GiB")
            assert "restart" in daemon.wait_gate(job, "gpu_unhealthy")["text"]
            assert daemon.finish(daemon.command("true", vram=0))["state"] == "succeeded"
            driver.change(codes={})
            assert daemon.finish(job)["state"] == "succeeded"
            devices = daemon.get("/api/v1/gpu")["devices"]
            assert [device["uuid"] for device in devices] == [UUID], devices
            # And one that goes away closes the door without taking anything else along.
            cards, running = driver.script["gpus"], daemon.start_held(folder, vram="1GiB")
            driver.change(gpus=[], codes={"*": LOST})
            daemon.wait_gate(daemon.sleep_job(0, vram="1GiB"), "gpu_unhealthy")
            driver.change(codes={})
            wait_for(lambda: driver.calls("nvmlDeviceGetCount_v2 0")[1:], what="a look at no cards")
            assert [device["uuid"] for device in daemon.get("/api/v1/gpu")["devices"]] == [UUID]
            assert_the_rest_works(daemon, running)
            driver.change(gpus=cards)


def test_a_driver_that_blocks_stops_nothing_else(bin_folder):
    with Folder() as folder:
        driver = FakeDriver(bin_folder, folder)
        with GpuDaemon(bin_folder, folder, driver) as daemon:
            running = daemon.start_held(folder, vram="2GiB")
            driver.seen()
            driver.change(blocked=[MEMORY])
            wait_for(lambda: driver.calls("blocked"), what="the block")
            job = daemon.sleep_job(0, vram="1GiB")
            assert_the_rest_works(daemon, running)
            gate = daemon.wait_gate(job, "gpu_unhealthy")
            assert "has not answered" in gate["text"], gate
            assert_the_rest_works(daemon, running)
            assert "starting" not in daemon.kinds(job), "granted on numbers that nobody confirmed"
            # All of that happened while one call was still blocked.
            assert not driver.calls("unblocked"), driver.calls("unblocked")
            driver.change(blocked=[])
            assert daemon.finish(job)["state"] == "succeeded"
            driver.change(blocked=[MEMORY])
            wait_for(lambda: len(driver.calls("blocked")) == 2, what="the second block")
            assert daemon.stop() == 0, "a blocked driver holds up the stop"


# --- more than was asked for, and memory that comes back late --------------------------------------

def test_over_budget_is_granted_while_there_is_room_and_then_costs_the_one_that_took_it(bin_folder):
    with Folder() as folder:
        driver = FakeDriver(bin_folder, folder)
        with GpuDaemon(bin_folder, folder, driver, *quick_grace(folder)) as daemon:
            within = daemon.start_held(folder, vram="2GiB")
            greedy = daemon.start_held(folder, vram="2GiB", retries=1)
            used = {within.pid(): 2 * GIB, greedy.pid(): 4 * GIB}
            driver.memory(used)
            wait_for(lambda: "over_budget" in daemon.kinds(greedy.id), what="the event")
            driver.seen()
            card = daemon.card()
            assert card["held"] == 6 * GIB and card["free"] == card["total"] - card["safety"] - 6 * GIB, card
            assert daemon.job(greedy.id)["state"] == "running"
            used[greedy.pid()] = 6 * GIB
            driver.memory(used)
            wait_for(lambda: "yielding" in daemon.kinds(greedy.id), what="the request to leave")
            wait_for(lambda: daemon.job(greedy.id)["state"] in ("waiting", "starting", "running")
                     and daemon.job(greedy.id)["vram"] > 2 * GIB, what="its way back to the queue")
            driver.memory({within.pid(): 2 * GIB})
            job = daemon.job(greedy.id)
            assert job["vram"] >= 6 * GIB and job["preemptions"] == 0, job
            event = next(event for event in daemon.events(greedy.id) if event["kind"] == "yielding")
            assert event["data"]["reason"] == "over_budget", event
            gate = daemon.wait_gate(greedy.id, "vram_budget")   # beside the other one there is no room for it
            assert_adds_up(gate)
            assert daemon.job(within.id)["state"] == "running" and daemon.job(within.id)["attempt"] == 1
            assert "yielding" not in daemon.kinds(within.id) + daemon.kinds(within.id)


def test_the_next_start_waits_until_the_memory_is_seen_free(bin_folder):
    with Folder() as folder:
        driver = FakeDriver(bin_folder, folder)
        driver.memory(foreign=GIB // 2)
        with GpuDaemon(bin_folder, folder, driver) as daemon:
            first = daemon.start_held(folder, vram="5GiB")
            driver.memory({first.pid(): 5 * GIB}, foreign=GIB // 2)
            driver.seen()
            second = Held(daemon, folder, vram="5GiB")
            daemon.wait_gate(second.id, "vram_budget")
            driver.memory(foreign=GIB // 2, residue=5 * GIB)
            first.end()
            assert daemon.finish(first.id)["state"] == "succeeded"
            for part in (5 * GIB, 4 * GIB, 2 * GIB):      # it comes back piece by piece
                driver.memory(foreign=GIB // 2, residue=part)
                driver.seen()
                gate = daemon.wait_gate(second.id, "vram_release_pending")
                assert_adds_up(gate)
                assert gate["detail"]["foreign"] == GIB // 2, gate
                assert "starting" not in daemon.kinds(second.id)
                card = daemon.card()
                assert [lease["is_reclaiming"] for lease in card["leases"]] == [True], card
            driver.memory(foreign=GIB // 2)
            second.started()
            assert daemon.card()["foreign"] == GIB // 2


def test_memory_that_stays_is_waited_for_with_a_bound(bin_folder):
    with Folder() as folder:
        driver = FakeDriver(bin_folder, folder)
        with GpuDaemon(bin_folder, folder, driver, *quick_grace(folder)) as daemon:
            victim = daemon.sleep_job(600, vram="5GiB", **{"class": "training"})
            daemon.wait_state(victim, "running")
            driver.memory({worker_pid(daemon, victim): 5 * GIB})
            driver.seen()
            urgent = Held(daemon, folder, vram="5GiB", **{"class": "inference"})
            daemon.wait_state(victim, "waiting")
            driver.memory(residue=5 * GIB)                 # its process is gone, its memory is not
            daemon.wait_gate(urgent.id, "vram_release_pending")
            gate = daemon.wait_gate(urgent.id, "vram_foreign")   # nobody's any more, and granted to nobody
            assert_adds_up(gate)
            assert gate["detail"]["foreign"] == 5 * GIB and gate["detail"]["held"] == 0, gate
            overdue = [event for event in daemon.events(victim) if event["kind"] == "release_overdue"]
            assert len(overdue) == 1 and overdue[0]["data"]["bytes"] == 5 * GIB, overdue
            assert "starting" not in daemon.kinds(urgent.id)
            driver.memory()
            urgent.started()


run([value for name, value in list(globals().items()) if name.startswith("test_")], at_once=4)
