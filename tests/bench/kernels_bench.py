"""Benchmarks of the kernels: the GPU beside the CPU reference, measured by a program of their own."""

import os
import subprocess

PEERS = {
    "knn": "20,000 queries in a bank of 10,000 rows of 60, k = 5",
    "coreset": "1,000 greedy picks out of 50,000 rows of 60",
    "generate": "2,000 sequences generated",
}


def measure(bin_folder, figures, wanted):
    program = os.path.join(bin_folder, "nightshift_kernels_bench")
    done = subprocess.run([program], stdout=subprocess.PIPE, text=True, check=True, timeout=600)
    for line in done.stdout.splitlines():
        name, peer_s, ours_s = line.split()
        if name == wanted:
            figures.compare(name, "cpu", f"{PEERS[name]}: GPU beside CPU", float(peer_s), float(ours_s))


BENCHMARKS = {
    name: lambda bin_folder, figures, wanted=name: measure(bin_folder, figures, wanted) for name in PEERS
}
