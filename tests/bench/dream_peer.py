"""PyTorch as the peer of DREAM's kernels, run by the Python of its virtual environment, one thread.

usage: dream_peer.py prepare FOLDER                                      arrays that both sides read
       dream_peer.py step/eager|step/compiled RUNS OURS FOLDER ROWS      compares 100 losses, then measures
       dream_peer.py score/eager|score/compiled RUNS OURS FOLDER ROWS    rows.bin or million.bin

Prints one JSON object: `unlike` says what differs from ours, else `cpu_s` and `wall_s` of each run.
"""

import json
import os
import sys

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from peer_measure import Unlike, measure, require, require_close  # noqa: E402  (after the path)

COLUMNS, HIDDEN, LATENT, WEIGHT = 81, (64, 32, 16), 8, 0.5
BATCHES = {32: 100, 4096: 8}        # rows of a batch, and how many
ROWS = 138 * 32 - 24                # 4,392, as the reference's epoch was timed with
MILLION = 1_000_000
LIKE = 1e-5


def widths():
    encoder = (COLUMNS, *HIDDEN, LATENT)
    return encoder, encoder[::-1], (2 * COLUMNS, min(64, 2 * COLUMNS), 1)


def prepare(folder):
    random = np.random.default_rng(20261128)

    def write(name, values):
        values.astype(np.float32, copy=False).tofile(os.path.join(folder, name + ".bin"))

    parts = []
    for stack in widths():
        for inner, outer in zip(stack, stack[1:]):
            bound = inner ** -0.5
            parts.append(random.uniform(-bound, bound, outer * inner + outer))
    write("weights", np.concatenate(parts))
    write("rows", random.normal(0, 1, (ROWS, COLUMNS)))
    write("million", random.standard_normal((MILLION, COLUMNS), dtype=np.float32))
    for rows, count in BATCHES.items():
        clean = random.normal(0, 1, (count, rows, COLUMNS)).astype(np.float32)
        labels = random.random((count, rows)) < 0.5
        factors = random.uniform(1.1, 1.8, (count, rows, COLUMNS))
        write(f"{rows}_clean", clean)
        write(f"{rows}_anomalous", np.where(labels[:, :, None], clean * factors, clean))
        write(f"{rows}_labels", labels)


def array_of(folder, name, *shape):
    import torch
    return torch.from_numpy(np.fromfile(os.path.join(folder, name + ".bin"), np.float32).reshape(shape))


def network(folder):
    """The reference's two nets without dropout, with our weights."""
    import torch
    from torch import nn

    def stack(sizes):
        layers = []
        for inner, outer in zip(sizes, sizes[1:]):
            layers += [nn.Linear(inner, outer), nn.ReLU()]
        return nn.Sequential(*layers[:-1])

    class Pair(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder, self.decoder, self.discriminator = (stack(sizes) for sizes in widths())

        def forward(self, rows):
            given_back = self.decoder(self.encoder(rows))
            seen = torch.cat([rows, given_back], dim=1)
            return given_back, torch.sigmoid(self.discriminator(seen)).squeeze(1)

    pair, at = Pair(), 0
    weights = array_of(folder, "weights", -1)
    with torch.no_grad():
        for parameter in pair.parameters():
            parameter.copy_(weights[at:at + parameter.numel()].view_as(parameter))
            at += parameter.numel()
    require(at == len(weights), f"{len(weights)} weights for {at} parameters")
    return pair


def step(is_compiled, runs, ours, folder, rows):
    import torch
    from torch.nn import functional
    rows = int(rows)
    clean = array_of(folder, f"{rows}_clean", -1, rows, COLUMNS)
    anomalous = array_of(folder, f"{rows}_anomalous", -1, rows, COLUMNS)
    labels = array_of(folder, f"{rows}_labels", -1, rows)
    pair = network(folder)
    # The fused Adam is the quickest on a CPU; the reference's class takes the default.
    adam = torch.optim.Adam(pair.parameters(), lr=1e-3, weight_decay=1e-5, fused=is_compiled)

    def losses_of(seen, wanted, label):
        given_back, probability = pair(seen)
        reconstruction = functional.mse_loss(given_back, wanted)
        discriminator = functional.binary_cross_entropy(probability, label)
        return reconstruction + WEIGHT * discriminator, reconstruction, discriminator

    forward = torch.compile(losses_of, mode="max-autotune", fullgraph=True) if is_compiled else losses_of

    def every_batch():
        losses = []
        for seen, wanted, label in zip(anomalous, clean, labels):
            adam.zero_grad(set_to_none=not is_compiled)
            found = forward(seen, wanted, label)
            found[0].backward()
            adam.step()
            losses.append([loss.item() for loss in found])
        return losses

    theirs = np.array(every_batch())
    mine = np.fromfile(ours, np.float64).reshape(-1, 3)
    require(np.all(np.abs(mine - theirs) <= LIKE * np.abs(theirs)),
            f"losses are {np.max(np.abs(mine / theirs - 1)):.1e} apart, {LIKE:.0e} allowed")
    return measure(runs, every_batch)


def score(is_compiled, runs, ours, folder, rows):
    import torch
    rows = array_of(folder, rows, -1, COLUMNS)
    pair = network(folder).eval()

    def scores():
        given_back, probability = pair(rows)
        return ((rows - given_back) ** 2).mean(dim=1) * (1 + WEIGHT * probability)

    run = torch.compile(scores, mode="max-autotune", fullgraph=True) if is_compiled else scores
    with torch.no_grad():
        theirs = run().numpy().astype(np.float64)
        require_close(np.fromfile(ours, np.float64), theirs, 1e-6, "scores")
        return measure(runs, run)


def main():
    work, *given = sys.argv[1:]
    if work == "prepare":
        prepare(*given)
        print("{}")
        return
    import torch
    torch.set_num_threads(1)
    name, way = work.split("/")
    runs, ours, *rest = given
    try:
        answer = {"step": step, "score": score}[name](way == "compiled", int(runs), ours, *rest)
        print(json.dumps({**answer, "version": torch.__version__}))
    except Unlike as unlike:
        print(json.dumps({"unlike": str(unlike)}))


if __name__ == "__main__":
    main()
