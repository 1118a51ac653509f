#include "jobs/models/scorer.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "jobs/models/dream_model.h"
#include "jobs/models/patchcore.h"
#include "jobs/runtime/job_impl.h"
#include "kernels/device.h"

namespace nightshift::jobs {
namespace {

/// Rows between two looks at whether to stop: some 10 ms to 1 s of work.
constexpr std::int64_t kBlockRows = 16'384;

std::vector<double> patchcore_block(const Model& model, std::span<const double> values,
                                    const ScoreOptions& options) {
    PatchCoreOptions search;
    const nlohmann::json settings = nlohmann::json::parse(model.settings_json);
    search.k = settings.value("k", 1);
    search.threads = options.threads;
    search.use_cuda = options.use_cuda;
    search.precision = settings.value("precision", "fp64") == "fp32" ? PatchCoreOptions::Precision::kFp32
                                                                     : PatchCoreOptions::Precision::kFp64;
    const auto columns = static_cast<std::int64_t>(model.features.size());
    const Tensor& bank = model.tensor("bank");
    if (bank.size() % model.features.size() != 0 || search.k < 1 ||
        static_cast<std::int64_t>(bank.size()) < search.k * columns) {
        throw JobError("bad_model",
                       "the bank of model '" + options.name + "' does not fit its features; train again");
    }
    return std::visit(
        [&](const auto& numbers) {
            const std::vector<double> wide(numbers.begin(), numbers.end());
            return patchcore_scores(wide, values, columns, search);
        },
        bank.values);
}

std::vector<double> dream_block(const DreamModel& dream, std::span<const double> values) {
    const std::vector<float> narrow(values.begin(), values.end());
    const std::vector<float> scores = dream.run(narrow).score;
    return {scores.begin(), scores.end()};
}

}  // namespace

bool can_use_cuda(JobContext& context) {
    if (context.device() != ComputeDevice::kCuda) return false;
    if (kernels::cuda_available()) return true;
    context.log("warning: computing on the CPU: " + std::string(kernels::cuda_unavailable_reason()));
    return false;
}

std::vector<double> score_rows(const Model& model, const FeatureSet& set, const ScoreOptions& options) {
    std::vector<double> values = select_features(set, model.features, options.name);
    if (model.normalizer) {
        model.normalizer->apply(values);
    } else {
        require_finite(values, model.features, set.origin);
    }
    const std::size_t width = model.features.size();
    const auto rows = static_cast<std::int64_t>(values.size() / width);
    std::optional<DreamModel> dream;
    if (model.kind == "dream") {
        dream = dream_of_model(model);
    } else if (model.kind != "patchcore") {
        throw JobError("bad_model", "model '" + options.name + "' is of kind '" + model.kind +
                                        "', which this build cannot score; it knows patchcore and dream");
    }
    std::vector<double> scores;
    scores.reserve(static_cast<std::size_t>(rows));
    for (std::int64_t begin = 0; begin < rows; begin += kBlockRows) {
        if (options.tick) options.tick(static_cast<double>(begin) / static_cast<double>(rows));
        const auto count = static_cast<std::size_t>(std::min(kBlockRows, rows - begin));
        const auto block =
            std::span<const double>(values).subspan(static_cast<std::size_t>(begin) * width, count * width);
        const std::vector<double> part =
            dream ? dream_block(*dream, block) : patchcore_block(model, block, options);
        scores.insert(scores.end(), part.begin(), part.end());
    }
    return scores;
}

}  // namespace nightshift::jobs
