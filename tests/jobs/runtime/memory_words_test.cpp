#include "jobs/runtime/memory_words.h"

#include <doctest/doctest.h>

#include <fstream>

#include "tests/support/scratch_folder.h"

using namespace nightshift;
using namespace nightshift::jobs;

TEST_CASE("memory words: what frameworks print is known, other failures are not") {
    for (const char* words :
         {"torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB",
          "RuntimeError: CUDA error: out of memory", "CUDA_ERROR_OUT_OF_MEMORY: out of memory",
          "RESOURCE_EXHAUSTED: Out of memory while trying to allocate 17179869184 bytes",
          "OOM when allocating tensor with shape[256,1024]"}) {
        CHECK(says_out_of_gpu_memory(words));
    }
    for (const char* words : {"", "MemoryError", "Killed", "CUDA error: an illegal memory access",
                              "std::bad_alloc", "out of memory"}) {
        CHECK_FALSE(says_out_of_gpu_memory(words));
    }
}

TEST_CASE("memory words: only the end of a log counts, and only one that is there") {
    const tests::ScratchFolder folder;
    const auto log = folder / "stdout.log";
    CHECK_FALSE(log_says_out_of_gpu_memory(log));
    std::ofstream(log) << "CUDA out of memory\n";
    CHECK(log_says_out_of_gpu_memory(log));
    std::ofstream(log, std::ios::app) << std::string(1 << 20, '.');
    CHECK_FALSE(log_says_out_of_gpu_memory(log));
    std::ofstream(log, std::ios::app) << "\nCUDA out of memory\nTraceback\n";
    CHECK(log_says_out_of_gpu_memory(log));
}
