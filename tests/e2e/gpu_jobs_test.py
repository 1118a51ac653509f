#!/usr/bin/env python3
"""Jobs on a GPU beside the same jobs on the CPU. With NIGHTSHIFT_TEST_GPU=required (packaging/gpu-check) the
GPU is a real one; else it is emulated (tests/kernels/emulator): the worker is the real one, its kernels are
the CUDA sources, run by fibers. Everything is small, because that is slow."""

import csv
import json
import os
import subprocess

from harness import Folder, run

COUNTS = {"normal": 24, "crack": 6, "micro_crack": 4}
# As much as a small card gives: 400 MiB of it are for CUDA's own context.
VRAM = "600MiB"


class Bench:
    """Runs a kind on either device; outputs lie below the test's folder."""

    def __init__(self, bin_folder, folder):
        has_gpu = os.environ.get("NIGHTSHIFT_TEST_GPU") == "required"
        self.worker = os.path.join(bin_folder, "nightshift-worker" + ("" if has_gpu else "-emulated"))
        self.folder = folder

    def run(self, kind, device, params, name=None, vram=VRAM):
        out = os.path.join(self.folder.root, f"{name or kind} {device}")
        argv = [self.worker, "run", kind, "--device", device, "--threads", "2", "--vram", vram, "--out", out,
                "--params", json.dumps(params)]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=300)
        self.words = done.stdout + done.stderr
        self.status = done.returncode
        return out

    def good(self, *arguments, **options):
        out = self.run(*arguments, **options)
        assert self.status == 0, self.words
        return out

    def features(self):
        dataset = self.good("generate", "cpu", {"counts": COUNTS, "rng": "philox", "seed": 5}, name="given")
        out = self.good("extract", "cpu", {"dataset": os.path.join(dataset, "dataset"), "format": "csv"})
        return os.path.join(out, "features.csv")


def read(*parts):
    with open(os.path.join(*parts), "rb") as file:
        return file.read()


def scores(out):
    with open(os.path.join(out, "scores.csv"), encoding="utf-8", newline="") as file:
        return [float(row["score"]) for row in csv.DictReader(file)]


def test_generate_draws_the_same_bytes(bin_folder):
    with Folder() as folder:
        bench = Bench(bin_folder, folder)
        params = {"counts": COUNTS, "rng": "philox", "seed": 5, "difficulty": "hard"}
        cpu, gpu = bench.good("generate", "cpu", params), bench.good("generate", "cuda", params)
        assert "GPU memory of our kernels: at most" in bench.words, bench.words
        with open(os.path.join(gpu, ".nightshift", "result.json"), encoding="utf-8") as file:
            assert 400 << 20 < json.load(file)["peak_vram"] < 600 << 20
        for name in ("manifest.json", "dataset/dataset.json"):
            assert read(cpu, name) == read(gpu, name), name


def test_patchcore_picks_and_scores_the_same(bin_folder):
    with Folder() as folder:
        bench = Bench(bin_folder, folder)
        table = bench.features()
        for precision in ("fp64", "fp32"):
            params = {"features": table, "bank": 9, "sampling": "greedy", "k": 2, "precision": precision}
            models = [bench.good("train.patchcore", device, params, name=precision)
                      for device in ("cpu", "cuda")]
            assert read(models[0], "bank.csv") == read(models[1], "bank.csv")
            params = {"features": table, "model": os.path.join(models[0], "model")}
            found = [scores(bench.good("score", device, params, name=f"score {precision}"))
                     for device in ("cpu", "cuda")]
            assert found[0] == found[1] and len(set(found[0])) > 10, found


def test_dream_learns_on_the_gpu_what_it_learns_on_the_cpu(bin_folder):
    with Folder() as folder:
        bench = Bench(bin_folder, folder)
        table = bench.features()
        curves, models = [], []
        for device in ("cpu", "cuda"):
            params = {"features": table, "epochs": 3, "batch": 8, "engine": "native"}
            out = bench.good("train.dream", device, params)
            assert f"engine native {device}" in bench.words, bench.words
            models.append(os.path.join(out, "model"))
            with open(os.path.join(out, "curves.csv"), encoding="utf-8", newline="") as file:
                curves.append([float(row["loss"]) for row in csv.DictReader(file)])
        assert len(curves[0]) == 3, curves
        for cpu, gpu in zip(*curves):
            assert abs(gpu / cpu - 1) < 1e-4, curves
        found = [scores(bench.good("score", device, {"features": table, "model": models[1]}))
                 for device in ("cpu", "cuda")]
        for cpu, gpu in zip(*found):
            assert abs(gpu / cpu - 1) < 1e-4, found


def test_a_budget_that_is_too_small_is_out_of_memory_and_says_who_holds_what(bin_folder):
    with Folder() as folder:
        bench = Bench(bin_folder, folder)
        table = bench.features()
        params = {"features": table, "bank": 9, "sampling": "greedy", "k": 1}
        out = bench.run("train.patchcore", "cuda", params, name="context", vram="300MiB")
        assert bench.status != 0 and "CUDA's own context" in bench.words, bench.words
        bench.run("train.patchcore", "cuda", params, name="room", vram="409601KiB")
        with open(os.path.join(out, ".nightshift", "result.json"), encoding="utf-8") as file:
            assert json.load(file)["error_code"] == "out_of_memory"
        assert bench.status != 0 and "over_budget: " in bench.words, bench.words
        assert "submit the job with a larger vram budget" in bench.words, bench.words


run([value for name, value in list(globals().items()) if name.startswith("test_")])
