#include "jobs/models/scorer.h"

#include <algorithm>
#include <optional>

#include <nlohmann/json.hpp>

#include "jobs/models/dream_model.h"
#include "jobs/models/ensemble.h"
#include "jobs/models/model_rows.h"
#include "jobs/models/patchcore.h"
#include "jobs/models/supervised_map.h"
#include "jobs/models/supervised_model.h"
#include "jobs/models/temporal_model.h"
#include "jobs/models/temporal_windows.h"
#include "jobs/runtime/compute_backend.h"
#include "jobs/runtime/job_impl.h"
#include "jobs/runtime/phase.h"

namespace nightshift::jobs {
namespace {

/// Rows between two looks at whether to stop: some 10 ms to 1 s of work.
constexpr std::int64_t kBlockRows = 16'384;
constexpr std::size_t kBlockWindows = 256;
constexpr std::int64_t kBlockMaps = 256;

std::vector<double> patchcore_block(const Model& model, std::span<const double> values,
                                    const ScoreOptions& options) {
    PatchCoreOptions search;
    const nlohmann::json settings = nlohmann::json::parse(model.settings_json);
    search.k = settings.value("k", 1);
    search.threads = options.threads;
    search.backend = options.backend;
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

std::vector<double> dream_block(const DreamModel& dream, std::span<const double> values,
                                const ScoreOptions& options) {
    const std::vector<float> narrow(values.begin(), values.end());
    const std::vector<float> scores =
        options.backend ? dream.scores(narrow, *options.backend) : dream.scores(narrow);
    return {scores.begin(), scores.end()};
}

/// Windows are scored in blocks of one length, then frames by the windows that cover them.
std::vector<double> temporal_scores(const Model& model, const FeatureSet& set, const ModelRows& rows,
                                    const ScoreOptions& options) {
    const TemporalModel temporal = temporal_of_model(model);
    const Windows windows = windows_of(set, temporal.window, !temporal.is_compat);
    if (windows.empty()) {
        throw JobError("bad_table", "model '" + options.name + "' needs a row a frame, and " + set.origin +
                                        " has no sequence that it could see; extract features by frame (set "
                                        "compat21, compat75 or compat81)");
    }
    std::vector<double> scores;
    while (scores.size() < windows.size()) {
        const std::size_t begin = scores.size();
        if (options.tick) options.tick(static_cast<double>(begin) / static_cast<double>(windows.size()));
        std::size_t end = begin + 1;
        while (end < windows.size() && end - begin < kBlockWindows &&
               windows[end].size() == windows[begin].size())
            ++end;
        const std::size_t first_row = windows.begin_of(begin);
        const std::size_t rows_seen = windows.begin_of(end - 1) + windows[end - 1].size() - first_row;
        const std::vector<double> wide = rows.gathered(windows.rows().subspan(first_row, rows_seen));
        const std::vector<float> values(wide.begin(), wide.end());
        const std::vector<double> part =
            window_scores(temporal.shape, temporal.parameters,
                          gathered(values, temporal.shape.columns, windows, begin, end - begin),
                          static_cast<Eigen::Index>(end - begin));
        scores.insert(scores.end(), part.begin(), part.end());
    }
    if (temporal.is_compat && !set.is_plain()) {
        return reference_scores_of_rows(set, reference_frame_scores(set, windows, scores, temporal.is_mean));
    }
    return scores_of_rows(set, windows, scores, temporal.is_mean);
}

/// Maps are made a block at a time, so that a large table needs no more memory than a small one.
std::vector<double> supervised_scores(const Model& model, const FeatureSet& set, const ModelRows& rows,
                                      const ScoreOptions& options) {
    const SupervisedModel supervised = supervised_of_model(model);
    const bool has_map = supervised.shape.has_map;
    if (has_map && (options.dataset == nullptr || set.is_plain())) {
        throw JobError("missing_param", "model '" + options.name +
                                            "' looks at maps of the tracks; give the data set of these "
                                            "features with dataset, or train one without map");
    }
    std::optional<SequenceMaps> source;
    if (has_map) source.emplace(set, *options.dataset);
    std::vector<double> scores;
    while (static_cast<std::int64_t>(scores.size()) < set.rows) {
        const auto begin = static_cast<std::int64_t>(scores.size());
        const std::int64_t count = std::min(has_map ? kBlockMaps : kBlockRows, set.rows - begin);
        const auto tick = [&](std::size_t done) {
            if (options.tick) {
                options.tick(static_cast<double>(begin + static_cast<std::int64_t>(done)) /
                             static_cast<double>(set.rows));
            }
        };
        tick(0);
        std::vector<float> maps;
        if (source) {
            maps = expanded_maps(source->made(begin, count, std::max(options.threads, 1), tick),
                                 supervised.map_normalizer);
        }
        const std::vector<double> wide = rows.block(begin, count);
        const std::vector<float> values(wide.begin(), wide.end());
        const std::vector<float> part =
            supervised_log_odds(supervised.shape, supervised.parameters, values, maps);
        scores.insert(scores.end(), part.begin(), part.end());
    }
    return scores;
}

}  // namespace

ScoreOptions score_options(JobContext& context, std::string name, const Dataset* dataset, std::string phase,
                           std::shared_ptr<kernels::Backend> backend) {
    ScoreOptions options;
    options.threads = context.threads();
    options.backend = backend ? std::move(backend) : compute_backend(context);
    options.name = std::move(name);
    options.dataset = dataset;
    options.tick = [&context, phase = std::move(phase)](double share) {
        context.check(0, {});
        context.progress(phase_at(phase, share));
    };
    return options;
}

std::vector<double> score_rows(const Model& model, const FeatureSet& set, const ScoreOptions& options) {
    if (model.kind == "ensemble") {
        const Ensemble ensemble = ensemble_of_model(model);
        return ensemble_scores(ensemble, member_scores(ensemble, set, options));
    }
    const ModelRows rows(model, set, options.name);
    if (model.kind == "temporal") return temporal_scores(model, set, rows, options);
    if (model.kind == "supervised") return supervised_scores(model, set, rows, options);
    std::optional<DreamModel> dream;
    if (model.kind == "dream") {
        dream = dream_of_model(model);
    } else if (model.kind != "patchcore") {
        throw JobError("bad_model", "model '" + options.name + "' is of kind '" + model.kind +
                                        "', which this build cannot score; it knows patchcore, dream, "
                                        "temporal, supervised and ensemble");
    }
    std::vector<double> scores;
    scores.reserve(static_cast<std::size_t>(set.rows));
    for (std::int64_t begin = 0; begin < set.rows; begin += kBlockRows) {
        if (options.tick) options.tick(static_cast<double>(begin) / static_cast<double>(set.rows));
        const std::vector<double> block = rows.block(begin, std::min(kBlockRows, set.rows - begin));
        const std::vector<double> part =
            dream ? dream_block(*dream, block, options) : patchcore_block(model, block, options);
        scores.insert(scores.end(), part.begin(), part.end());
    }
    return scores;
}

}  // namespace nightshift::jobs
