"""Benchmarks of the kernels: the GPU beside the CPU reference, measured by a program of their own."""

import os
import subprocess

WHAT = {
    "knn": "100,000 queries in a bank of 1,000 rows of 81, k = 1",
    "knn_k5": "100,000 queries in a bank of 20,000 rows of 81, k = 5",
    "coreset": "2,000 greedy picks out of 200,000 rows of 96",
    "generate": "2,000 sequences generated",
    "features": "2,000 sequences drawn, and their 75 + 6 columns, double",
    "features32": "the same in single precision",
    "dream": "DREAM, an epoch over 40,960 rows of 81 in batches of 32, draws included",
    "dream_4096": "the same in batches of 4,096",
    "metrics": "10 M scores with ties to their steps",
    "cusum": "CUSUM of 100,000 series of 60",
    "window": "windows over 100,000 series of 60",
    "pelt": "PELT of 100,000 series of 60",
    "nms": "8,400 boxes of six classes around 60 objects",
}
UNITS = {"bytes": "B/s", "fp32": "flop/s", "fp64": "flop/s", "half": "flop/s"}


def gpu(bin_folder, figures):
    """Nothing is printed where no GPU answers. Of each kernel the share of what the card can do."""
    program = os.path.join(bin_folder, "nightshift_kernels_bench")
    done = subprocess.run([program], stdout=subprocess.PIPE, text=True, check=True, timeout=600)
    limits = {}
    for line in done.stdout.splitlines():
        kind, name, *cells = line.split()
        if kind == "limit":
            limits[name] = float(cells[0])
            figures.add(f"gpu_limit/{name}", "what the card can do at most", limits[name], UNITS[name])
        elif kind == "row":
            cpu_s, gpu_s = map(float, cells)
            figures.compare(name, "cpu", f"{WHAT[name]}: GPU beside all cores", cpu_s, gpu_s)
        else:
            kernel, seconds, unit, amount = cells[0], float(cells[1]), cells[2], float(cells[3])
            figures.add(f"gpu_kernel/{name}/{kernel}", "by the device's clock", seconds, "s")
            if unit != "-" and seconds > 0:
                share = amount / seconds / limits[unit]
                aim = ">= 70 %" if unit == "bytes" else ">= 50 %"
                figures.add(f"gpu_share/{name}/{kernel}/{unit}", "of what the card can do", 100 * share, "%",
                            aim)


BENCHMARKS = {"gpu": gpu}
