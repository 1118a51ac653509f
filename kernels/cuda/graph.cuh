#pragma once

#include <cuda_runtime_api.h>

#include "kernels/cuda/launch.cuh"

namespace nightshift::kernels::cuda {

/// Launches that were recorded once and are then given to the device as one. Empty until record().
class Graph {
  public:
    Graph() = default;
    ~Graph() {
        if (exec_ != nullptr) cudaGraphExecDestroy(exec_);
    }
    Graph(const Graph&) = delete;
    Graph& operator=(const Graph&) = delete;

    bool is_empty() const { return exec_ == nullptr; }

    /// Records what `work` launches on the op's stream, in place of doing it. It may neither allocate nor
    /// copy.
    template <typename Work>
    void record(const Op& op, const Work& work) {
        op.check(cudaStreamBeginCapture(op.stream(), cudaStreamCaptureModeThreadLocal),
                 "cudaStreamBeginCapture");
        cudaGraph_t graph = nullptr;
        op.backend().set_recording(true);
        try {
            work();
            op.backend().set_recording(false);
        } catch (...) {
            op.backend().set_recording(false);
            if (cudaStreamEndCapture(op.stream(), &graph) == cudaSuccess) cudaGraphDestroy(graph);
            throw;
        }
        op.check(cudaStreamEndCapture(op.stream(), &graph), "cudaStreamEndCapture");
        const cudaError_t made = cudaGraphInstantiate(&exec_, graph, 0);
        cudaGraphDestroy(graph);
        op.check(made, "cudaGraphInstantiate");
    }

    void launch(const Op& op) const {
        op.backend().begin_launch("graph");
        op.check(cudaGraphLaunch(exec_, op.stream()), "cudaGraphLaunch");
        op.backend().end_launch();
    }

  private:
    cudaGraphExec_t exec_ = nullptr;
};

}  // namespace nightshift::kernels::cuda
