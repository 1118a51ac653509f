"""anomalib and torchvision as peers, in the virtual environment that has PyTorch."""

import importlib.util
import os
import sys
import types

import numpy as np

from peer_measure import measure, require

SEED = 7
BOXES, PICTURE = 20_000, 1000


def prepare_boxes(_, put, random):
    """As a detector gives them: several boxes about each thing, of scores that never tie."""
    things = random.uniform(0, PICTURE, (BOXES // 10, 2))
    at = things[random.integers(0, len(things), BOXES)] + random.normal(0, 4, (BOXES, 2))
    size = random.uniform(10, 60, (BOXES, 2))
    put("boxes", np.hstack([at, at + size]).astype(np.float32))
    put("box_scores", random.permutation(np.linspace(0.01, 0.99, BOXES)).astype(np.float32))


def anomalib_sampler():
    """The class in its own file. The packages above it would import every model and Lightning with them, so
    they are only told where their files lie."""
    folder = importlib.util.find_spec("anomalib").submodule_search_locations[0]
    reduction = ".models.components.dimensionality_reduction"
    for name in ("", ".models", ".models.components", ".models.components.sampling", reduction):
        package = types.ModuleType("anomalib" + name)
        package.__path__ = [os.path.join(folder, *name.split("."))]
        sys.modules["anomalib" + name] = package
    from anomalib.models.components.dimensionality_reduction import random_projection
    sys.modules["anomalib" + reduction].SparseRandomProjection = random_projection.SparseRandomProjection
    from anomalib.models.components.sampling import k_center_greedy
    k_center_greedy.tqdm = lambda steps, **_: steps        # no bar to draw
    return k_center_greedy.KCenterGreedy


def coreset(runs, ours, rows_file, columns, count, _):
    import torch
    torch.set_num_threads(1)
    rows = np.fromfile(rows_file, np.float64).reshape(-1, int(columns), 1).astype(np.float32)
    # With a third dimension nothing is projected: the rows themselves are compared, as by ours.
    sampler = anomalib_sampler()(torch.from_numpy(rows), (int(count) + 0.5) / len(rows))

    def pick():
        torch.manual_seed(SEED)
        return sampler.select_coreset_idxs()

    with torch.no_grad():
        require(pick() == np.fromfile(ours, np.int32).tolist(), "other picks")
        return measure(runs, pick, is_warm=True)


def first_pick(_, __, rows):
    """Where anomalib begins: it draws the first row."""
    import torch
    torch.manual_seed(SEED)
    return {"start": int(torch.randint(high=int(rows), size=(1,)))}


def boxes(runs, ours, boxes_file, scores_file, threshold):
    import torch
    from torchvision.ops import nms
    torch.set_num_threads(1)
    corners = torch.from_numpy(np.fromfile(boxes_file, np.float32).reshape(-1, 4))
    scores = torch.from_numpy(np.fromfile(scores_file, np.float32))
    require(nms(corners, scores, float(threshold)).tolist() == np.fromfile(ours, np.int64).tolist(),
            "other boxes are kept")
    return measure(runs, lambda: nms(corners, scores, float(threshold)))


WORKS = {"coreset/anomalib": coreset, "coreset/start": first_pick, "nms/torchvision": boxes}
