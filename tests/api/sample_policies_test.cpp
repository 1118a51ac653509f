// The policies in packaging/policies, read as the daemon reads them, and the plans they stand for.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "api/policy_codec.h"
#include "tests/support/night.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

const std::filesystem::path kFolder = std::filesystem::path(NIGHTSHIFT_SOURCE_FOLDER) / "packaging/policies";

Policy sample(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    const FixedZones zones;
    const auto policy = api::parse_policy_text(text.str(), zones);
    CAPTURE(path.string());
    REQUIRE_MESSAGE(policy, (policy ? "" : policy.error().message));
    return *policy;
}

/// Friday 23:00 under a sample, with empty cards.
Night under(const char* name) {
    Night night;
    night.s.policy = sample(kFolder / name);
    return night;
}

std::string device_of(const Plan& plan, int id) {
    for (const Start& start : plan.starts) {
        if (start.job.value == id) return start.device;
    }
    return "none";
}

}  // namespace

TEST_CASE("sample policies: each one is a policy, and what is shown of it reads back") {
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
        const Policy policy = sample(entry.path());
        const FixedZones zones;
        const std::string shown = api::policy_to_json(policy);
        const auto again = api::parse_policy_text(shown, zones);
        REQUIRE(again);
        CHECK(api::policy_to_json(*again) == shown);
        ++count;
    }
    CHECK(count >= 3);
}

TEST_CASE("sample policies: two GPUs, card 0 for inference and idle synthesis, card 1 for training") {
    Night night = under("two-gpus.json");
    DeviceState second = night.s.devices[0];
    second.device.uuid = "GPU-b";
    second.device.index = 1;
    night.s.devices.push_back(second);
    night.wait(1, JobClass::kTraining, gibibytes(20));
    night.wait(2, JobClass::kSynthesis, gibibytes(20));
    Plan plan = night.plan();
    CHECK(device_of(plan, 1) == "GPU-b");
    CHECK(device_of(plan, 2) == "GPU-a");  // training on the other card is no hindrance
    night.wait(3, JobClass::kInference, gibibytes(20));
    plan = night.plan();
    CHECK(device_of(plan, 3) == "GPU-a");
    CHECK(device_of(plan, 2) == "none");
    CHECK(gate_of(plan, 2, "only_when_idle") != nullptr);
    // Synthesis that runs makes way for inference at once, training does not.
    Night busy = under("two-gpus.json");
    busy.s.devices.push_back(second);
    busy.run(1, JobClass::kSynthesis, gibibytes(20));
    LiveJob& training = busy.run(2, JobClass::kTraining, gibibytes(20));
    training.lease.device = "GPU-b";
    busy.wait(3, JobClass::kInference, gibibytes(20));
    CHECK(yields(busy.plan(), 1));
    CHECK_FALSE(yields(busy.plan(), 2));
}

TEST_CASE("sample policies: one GPU, training at night, inference with headroom, synthesis when idle") {
    Night night = under("one-gpu.json");
    night.wait(1, JobClass::kTraining, gibibytes(21));
    night.wait(2, JobClass::kSynthesis, gibibytes(1));
    CHECK(starts(night.plan(), 1));  // 24 - 0.5 - 2
    CHECK_FALSE(starts(night.plan(), 2));
    night.now = utc(2026, 11, 20, 10);  // office
    CHECK(gate_of(night.plan(), 1, "outside_window") != nullptr);
    CHECK(starts(night.plan(), 2));  // nobody trains
    night.wait(3, JobClass::kInference, gibibytes(4));
    CHECK(starts(night.plan(), 3));
}

TEST_CASE("sample policies: no GPU, the host's memory is the device") {
    Night night = under("no-gpu.json");
    night.s.devices[0].device.uuid = "host";
    night.s.devices[0].device.is_host = true;
    night.s.devices[0].device.total = gibibytes(16);
    night.wait(1, JobClass::kTraining, gibibytes(6));
    night.wait(2, JobClass::kTraining, gibibytes(1));
    night.wait(3, JobClass::kInference, gibibytes(2));
    const Plan plan = night.plan();
    CHECK(device_of(plan, 3) == "host");
    CHECK(device_of(plan, 1) == "host");
    CHECK(gate_of(plan, 2, "group_limit") != nullptr);  // one training job at a time
}
