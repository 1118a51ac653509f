// Times DREAM on one thread and leaves what it computed for a peer to compare with.
// usage: nightshift_dream_bench RUNS OUT step FOLDER ROWS   every batch of FOLDER once, one step each
//        nightshift_dream_bench RUNS OUT epoch FOLDER       one epoch of train.dream over rows.bin, batch 32
//        nightshift_dream_bench RUNS OUT score FOLDER NAME  scores of NAME.bin
// FOLDER holds float32 arrays that dream_peer.py prepared. Losses and scores are written as float64.
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "jobs/models/dream_training.h"
#include "jobs/models/native_dream_engine.h"
#include "kernels/dream_step.h"
#include "tests/bench/part_timer.h"

namespace {

using namespace nightshift;
using namespace nightshift::bench;
namespace fs = std::filesystem;

constexpr std::int64_t kColumns = 81;
constexpr double kLearningRate = 1e-3, kWeightDecay = 1e-5;

jobs::DreamShape shape() {
    jobs::DreamShape shape;
    shape.columns = kColumns;
    return shape;
}

void step(int runs, const fs::path& out, const fs::path& folder, std::int64_t rows) {
    const auto part = [&](const char* name) {
        return read_numbers<float>(folder / (std::to_string(rows) + "_" + name + ".bin"));
    };
    const std::vector<float> clean = part("clean"), anomalous = part("anomalous"), labels = part("labels");
    std::vector<float> parameters = read_numbers<float>(folder / "weights.bin");
    const std::vector<float> zeros(parameters.size());
    const auto engine = kernels::make_dream_step_cpu(
        {jobs::dream_net(shape()), {kLearningRate, kWeightDecay}, jobs::kDiscriminatorWeight});
    engine->set_state({std::move(parameters), zeros, zeros, 0});
    const auto values = static_cast<std::size_t>(rows * kColumns);
    const auto every_batch = [&](std::vector<double>* losses) {
        for (std::size_t at = 0, row = 0; at < clean.size();
             at += values, row += static_cast<std::size_t>(rows)) {
            const kernels::DreamStepLosses found =
                engine->step({rows,
                              std::span(clean).subspan(at, values),
                              std::span(anomalous).subspan(at, values),
                              std::span(labels).subspan(row, static_cast<std::size_t>(rows)),
                              {}});
            if (losses != nullptr)
                losses->insert(losses->end(), {found.total, found.reconstruction, found.discriminator});
        }
    };
    std::vector<double> losses;
    every_batch(&losses);
    write_numbers(out, losses);
    measure(runs, [&] { every_batch(nullptr); });
}

void epoch(int runs, const fs::path& folder) {
    // Names that give the reference's number of scaled columns: 63 of 81.
    std::vector<std::string> names;
    for (std::int64_t j = 0; j < kColumns; ++j)
        names.push_back((j < 63 ? "strain_max_" : "bend_") + std::to_string(j));
    jobs::DreamTrainingOptions options;
    options.epochs = 1 << 30;
    options.engine.shape = shape();
    options.engine.learning_rate = kLearningRate;
    jobs::DreamTraining loop(jobs::shared_rows(kColumns, read_numbers<float>(folder / "rows.bin")),
                             jobs::shared_rows(kColumns, {}), names, options, jobs::make_native_dream_engine);
    measure(runs, [&] {
        for (std::int64_t i = 0; i < loop.batches_per_epoch(); ++i) loop.advance();
    });
}

void score(int runs, const fs::path& out, const fs::path& folder, const std::string& name) {
    const jobs::DreamModel model(shape(), read_numbers<float>(folder / "weights.bin"));
    const std::vector<float> rows = read_numbers<float>(folder / (name + ".bin"));
    const std::vector<float> scores = model.scores(rows);
    write_numbers(out, std::vector<double>(scores.begin(), scores.end()));
    measure(runs, [&] { model.scores(rows); });
}

}  // namespace

int main(int count, char** words) {
    const auto work = [](int runs, const fs::path& out, const std::string& name,
                         const std::vector<std::string>& rest) {
        if (name == "step") {
            step(runs, out, rest.at(0), std::stoll(rest.at(1)));
        } else if (name == "epoch") {
            epoch(runs, rest.at(0));
        } else if (name == "score") {
            score(runs, out, rest.at(0), rest.at(1));
        } else {
            throw std::invalid_argument("no name '" + name + "'; it can be step, epoch or score");
        }
    };
    return bench::run_work("nightshift_dream_bench", count, words, work);
}
