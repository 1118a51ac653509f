#include "daemon/cli/demo_night.h"

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "daemon/cli/client.h"
#include "daemon/cli/failure.h"
#include "daemon/cli/fields.h"
#include "daemon/cli/launch.h"
#include "scheduler/units.h"

namespace nightshift::cli {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr Bytes kUsableMin = gibibytes(1);
/// Long enough that a score can arrive while it trains: some fifteen seconds on two cores.
constexpr int kDreamEpochs = 1200;
constexpr int kSeed = 20261121;

std::string reference(std::int64_t job) {
    return "job:" + std::to_string(job);
}

json job(const char* name, const char* kind, json params) {
    return {{"name", std::string(kDemoPrefix) + name},
            {"kind", kind},
            {"params", std::move(params)},
            {"labels", {{"demo", "night"}}}};
}

}  // namespace

DemoBudgets budgets_of(Client& client) {
    const json reply = client.get("/api/v1/gpu");
    DemoBudgets budgets;
    std::int64_t total_max = -1;
    for (const json& device : array_at(reply, "devices")) {
        const std::int64_t total = number_at(device, "total");
        if (total <= total_max) continue;
        total_max = total;
        budgets.device = text_at(device, "name");
        budgets.usable = total - number_at(device, "safety") - number_at(device, "foreign") -
                         number_at(device, "headroom");
    }
    if (budgets.usable < kUsableMin.value) {
        throw Failure(kExitRefused,
                      "the demo needs 1 GiB that jobs may use; there is " +
                          size_text(std::max<std::int64_t>(0, budgets.usable)),
                      "Lower the safety margin or the headroom of the policy, or run it on a simulated GPU: "
                      "`nightshift down`, then `nightshift up --simulate gpu=8GiB`.");
    }
    // Whole MiB, so that the numbers read well.
    const auto share = [&](int percent) { return budgets.usable / 100 * percent >> 20 << 20; };
    budgets.training = share(70);
    budgets.score = share(60);
    budgets.command = share(45);
    return budgets;
}

std::string find_bundles() {
    std::vector<fs::path> places;
    if (const char* folder = std::getenv("NIGHTSHIFT_DEMO_DATA"); folder != nullptr)
        places.emplace_back(folder);
    const fs::path program = program_folder();
    places.push_back(program / "../share/nightshift/bundles");
    // build/<preset>/bin of a source tree.
    places.push_back(program / "../../../tests/data/bundles");
    std::error_code error;
    for (const fs::path& place : places) {
        const fs::path folder = fs::weakly_canonical(place, error);
        if (!error && fs::is_directory(folder, error)) return folder.string();
    }
    throw Failure(
        kExitFailed, "the reference's text bundles are not beside this program",
        "Run the demo of the source tree (packaging/run), or name their folder in NIGHTSHIFT_DEMO_DATA.");
}

json import_job(const std::string& folder) {
    return job("import", "import", {{"path", folder}});
}

json generate_job() {
    return job("generate", "generate", {{"preset", "small"}, {"seed", kSeed}});
}

json extract_job(std::int64_t dataset) {
    return job("extract", "extract",
               {{"dataset", reference(dataset)}, {"set", "native"}, {"format", "feather"}});
}

json patchcore_job(std::int64_t features) {
    return job("patchcore", "train.patchcore",
               {{"features", reference(features)}, {"sampling", "greedy"}, {"bank", 0.5}, {"k", 3}});
}

json dream_job(std::int64_t features, std::int64_t after, const DemoBudgets& budgets) {
    json body =
        job("dream", "train.dream",
            {{"features", reference(features)}, {"epochs", kDreamEpochs}, {"batch", 32}, {"seed", kSeed}});
    body["vram"] = budgets.training;
    // The score needs PatchCore's model while DREAM trains.
    body["after"] = json::array({{{"job", after}, {"on", "success"}}});
    return body;
}

json evaluate_job(std::int64_t features, std::int64_t dataset, std::int64_t patchcore, std::int64_t dream) {
    return job("evaluate", "evaluate",
               {{"features", reference(features)},
                {"dataset", reference(dataset)},
                {"models", {reference(patchcore), reference(dream)}},
                {"goal", "1"}});
}

json command_job(const DemoBudgets& budgets) {
    // Any program works; this one shows the environment, progress and output folder that it gets.
    constexpr const char* kScript =
        "echo \"job $NIGHTSHIFT_JOB_ID may use $NIGHTSHIFT_VRAM_BYTES bytes\"\n"
        "for step in 1 2 3 4; do\n"
        "  echo \"step $step of 4\"\n"
        "  echo \"{\\\"step\\\": $step, \\\"steps\\\": 4}\" >> \"$NIGHTSHIFT_PROGRESS\"\n"
        "  sleep 0.5\n"
        "done\n"
        "echo finished > \"$NIGHTSHIFT_OUTPUT/note.txt\"\n";
    json body = {{"name", std::string(kDemoPrefix) + "command"},
                 {"kind", "command"},
                 {"command", {"/bin/sh", "-c", kScript}},
                 {"vram", budgets.command},
                 {"labels", {{"demo", "night"}}}};
    return body;
}

json score_job(std::int64_t model, std::int64_t dataset, const DemoBudgets& budgets) {
    json body = job("score", "score", {{"model", reference(model)}, {"dataset", reference(dataset)}});
    body["class"] = "inference";
    body["vram"] = budgets.score;
    return body;
}

json nightly_schedule() {
    json chain = json::array();
    chain.push_back(job("nightly-generate", "generate", {{"preset", "small"}}));
    chain.push_back(job("nightly-extract", "extract", {{"dataset", "job:#0"}}));
    chain.push_back(job("nightly-train", "train.patchcore", {{"features", "job:#1"}}));
    return {{"name", kDemoSchedule}, {"cron", "0 22 * * mon-fri"}, {"timezone", "Asia/Seoul"},
            {"missed", "once"},      {"overlap", "skip"},          {"jobs", std::move(chain)}};
}

}  // namespace nightshift::cli
