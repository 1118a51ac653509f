"""How near each kernel is to what the machine can do: its operations and bytes beside limits of the same run.

A kernel is bound by whichever of its needs takes longest at the measured rate: multiply-adds (`fma32`,
`fma64`, `pairs16`: two operations each), other operations of as many lanes (half of these), divisions and
roots, or bytes from memory. Operations are counted in the source: what a compiler saves or adds shows as
percent.
"""

import subprocess

import drawing

POINTS = 230                            # of a panel
FRAMES_SMALL, SEQUENCES_SMALL = 60, 125
DREAM_PRODUCTS = 2 * (81 * 64 + 64 * 32 + 32 * 16 + 16 * 8) + 162 * 64 + 64

# A point of a frame: its direction (28), the sums along the panel (2), the camera (8), half a Philox block of
# ten rounds of twelve (60), a pair of normals with a root (57), both added (2), clipped and stored (14).
GENERATE_POINT = 28 + 2 + 8 + 60 + 57 + 2 + 14
# A point of a frame: motion (17), three columns of sum, maximum and squares (15); two roots and a division.
FEATURES_POINT, FEATURES_DIVISIONS = 17 + 15, 3
# A sample: mean and deviation (4), both sums (6), what an alarm asks (2).
CUSUM_SAMPLE = 4 + 6 + 2
# A row: score, label and key once (20 bytes), the counts (8), eight passes that read and write it (128), and
# the merge of both classes (8).
RANKED_ROW_BYTES = 20 + 8 + 8 * 16 + 8
# A draw: ten rounds of twelve for one word, its place and its count.
RESAMPLED_DRAW = 120 + 4
# A sample of PELT: sums and squares before it (3); of every fifth the places that are left, here a level of
# 200 samples: 40 of 8 operations and a division.
PELT_SAMPLE, PELT_DIVISIONS = 3 + 40 * 8 / 5, 40 / 5


def needs_of_step(rows, steps):
    """Forward once, backward twice, but for the gradient of what goes in; Adam once a step."""
    products = rows * steps * (6 * DREAM_PRODUCTS - 2 * 81 * 64)
    return {"fma32": products, "bytes": rows * steps * (2 * 81 + 1) * 4}


def needs_of_knn(queries, bank, columns=81):
    """The product of the filter; bank and queries are read once, results written once."""
    return {"pairs16": 2 * queries * bank * columns, "bytes": 4 * columns * (queries + bank) + 12 * queries}


def needs_of_coreset(rows, columns, picks):
    """The plain loop: every row at every pick. What the triangle inequality passes over counts as done."""
    return {"op64": 3 * rows * columns * picks, "bytes": 8 * rows * columns * picks}


def points_of(sequences):
    return sequences * POINTS * FRAMES_SMALL


# Name of a row: what its kernel needs for the work of that row.
NEEDS = {
    "generate_memory/reference": {"op32": GENERATE_POINT * points_of(1180), "bytes": 4 * points_of(1180)},
    "features_fp64/pandas": {"op64": FEATURES_POINT * points_of(SEQUENCES_SMALL),
                             "div64": FEATURES_DIVISIONS * points_of(SEQUENCES_SMALL),
                             "bytes": 4 * points_of(SEQUENCES_SMALL)},
    "features_fp32/pandas": {"op32": FEATURES_POINT * points_of(SEQUENCES_SMALL),
                             "bytes": 4 * points_of(SEQUENCES_SMALL)},
    "dream_step/torch-compiled": needs_of_step(32, 100),
    "dream_step_4096/torch-compiled": needs_of_step(4096, 8),
    "dream_score_million/torch-eager": {"fma32": 2 * DREAM_PRODUCTS * 1_000_000, "bytes": 81 * 4 * 1_000_000},
    "knn/faiss": needs_of_knn(7625, 1000),
    "knn_100k/faiss": needs_of_knn(2000, 100_000),
    "coreset_50k/anomalib": needs_of_coreset(50_000, 100, 500),
    "coreset_200k/anomalib": needs_of_coreset(200_000, 96, 200),
    "cusum_many/python": {"op64": CUSUM_SAMPLE * 6_000_000, "bytes": 8 * 6_000_000},
    "pelt_100k/ruptures": {"op64": PELT_SAMPLE * 100_000, "div64": PELT_DIVISIONS * 100_000,
                           "bytes": 8 * 100_000},
    "metrics_roc/sklearn": {"op64": 4 * 10_000_000, "bytes": RANKED_ROW_BYTES * 10_000_000},
    "metrics_resamples/sklearn": {"op32": RESAMPLED_DRAW * 20_000_000, "bytes": 4 * 20_000},
    "cache_write/feather": {"bytes": 2 * 8 * 81_000_000},
}
WORDS = {"fma32": "multiply-adds, fp32", "fma64": "multiply-adds, fp64",
         "pairs16": "multiply-adds, 16 bits", "op32": "operations, 32 bits",
         "op64": "operations, fp64", "div64": "divisions", "bytes": "memory"}


def measure(program):
    """Name to value: 1e9 operations or bytes a second of one core."""
    done = subprocess.run([program], stdout=subprocess.PIPE, text=True, check=True, timeout=600)
    found = {}
    for line in done.stdout.splitlines():
        name, unit, value = line.split()
        found[name] = unit if name == "variant" else float(value)
    return found


def rates_of(machine):
    return {"fma32": machine["fma32"], "fma64": machine["fma64"],
            "pairs16": machine["pairs16"], "op32": machine["fma32"] / 2,
            "op64": machine["fma64"] / 2, "div64": machine["div64"], "bytes": machine["triad_memory"]}


def table(rows, machine):
    """A line a kernel that was measured: bound by, limit, reached (1e9 a second), percent, peer ratio."""
    lines, rates = [], rates_of(machine)
    measured = {row["name"]: row for row in rows if "ratio" in row}
    for name, needs in NEEDS.items():
        if name not in measured:
            continue
        row = measured[name]
        bound = max(needs, key=lambda need: needs[need] / rates[need])
        reached = 1e-9 * needs[bound] / row["ours_s"]
        operations = max(needs.get(kind, 0) for kind in rates if kind != "bytes")
        lines.append({"kernel": name.split("/")[0], "bound by": WORDS[bound], "limit": rates[bound],
                      "reached": reached, "percent": 100 * reached / rates[bound], "peer ratio": row["ratio"],
                      "operations": operations, "bytes": needs["bytes"],
                      "operations_per_s": 1e-9 * operations / row["ours_s"]})
    return lines


def words(lines):
    return [
        f"limit/{line['kernel']} {line['bound by']}: {line['limit']:.1f} G/s, reached {line['reached']:.2f} "
        f"({line['percent']:.0f} %), {line['peer ratio']:.1f} x the peer" for line in lines]


def markdown(lines):
    head = ["| kernel | bound by | limit, 1e9/s | reached | % | peer ratio |", "|---|---|---|---|---|---|"]
    return "\n".join(head + [
        f"| `{line['kernel']}` | {line['bound by']} | {line['limit']:.1f} | {line['reached']:.2f} | "
        f"{line['percent']:.0f} | {line['peer ratio']:.1f} x |" for line in lines])


def draw(path, lines, machine):
    """Operations a second over operations a byte; what moves bytes and computes nothing is left out."""
    shown = [line for line in lines if line["operations"]]
    if not shown:
        return
    low, high = 0.05, 10 * max(line["operations"] / line["bytes"] for line in shown)
    curves = {}
    for roof, need in (("multiply-adds 16 bits", "pairs16"), ("multiply-adds fp32", "fma32"),
                       ("multiply-adds fp64", "fma64")):
        rate = machine[need]
        curves[roof] = [(low, rate), (high, rate)]
    for place in ("memory", "l2", "l1"):
        bandwidth = machine[f"triad_{place}"]
        curves[f"{place}: {bandwidth:.0f} GB/s"] = [(low, low * bandwidth), (machine["fma32"] / bandwidth,
                                                                            machine["fma32"])]
    for line in shown:
        curves[line["kernel"]] = [(line["operations"] / line["bytes"], line["operations_per_s"])]
    drawing.write(path, "Kernels and the roofs of one core", "1e9 operations a second", curves,
                  "operations for each byte of memory")
