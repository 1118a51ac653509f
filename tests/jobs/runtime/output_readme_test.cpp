#include "jobs/runtime/output_readme.h"

#include <doctest/doctest.h>

#include <filesystem>

#include <nlohmann/json.hpp>

#include "jobs/runtime/durable_file.h"
#include "tests/jobs/models/fake_context.h"
#include "tests/jobs/models/temporary_folder.h"

using namespace nightshift::jobs;
using nightshift::tests::FakeContext;
using nightshift::tests::TemporaryFolder;

namespace {

/// Writes a README of its own, or fails, or neither.
class SmallJob final : public JobImpl {
  public:
    explicit SmallJob(std::string how) : how_(std::move(how)) {}
    void run(JobContext& context) override {
        if (how_ == "fails") throw JobError("broken", "on purpose");
        if (how_ == "own") write_durably(context.output() / "README.txt", "mine");
    }

  private:
    std::string how_;
};

Kind small_kind() {
    Kind kind;
    kind.name = "small";
    kind.summary_en = "Does little";
    kind.summary_ko = "작은 일";
    kind.artifacts = {{"out.csv", "a row a thing, px", "한 행에 하나, px"}};
    kind.make = [](const nlohmann::json& params) { return std::make_unique<SmallJob>(params.at("how")); };
    return kind;
}

std::string readme_after(const char* how, FakeContext& context) {
    make_documented_job(small_kind(), {{"how", how}})->run(context);
    return read_text(context.output() / "README.txt", 1 << 16);
}

}  // namespace

TEST_CASE("output readme: says what made the folder, what lies in it, and with which parameters") {
    const TemporaryFolder folder;
    FakeContext context(folder.path() / "a");
    const std::string text = readme_after("plain", context);
    for (const char* part : {"small: Does little", "작은 일", "out.csv  a row a thing, px", "한 행에 하나",
                             "\"how\": \"plain\""}) {
        CAPTURE(part);
        CHECK(text.find(part) != std::string::npos);
    }
    CHECK(context.artifacts.at("README.txt") == "file");
}

TEST_CASE("output readme: a job's own stays, and a job that fails leaves none") {
    const TemporaryFolder folder;
    FakeContext own(folder.path() / "a"), failed(folder.path() / "b");
    CHECK(readme_after("own", own) == "mine");
    CHECK_THROWS_AS(readme_after("fails", failed), JobError);
    CHECK(std::filesystem::is_empty(failed.output()));
}

TEST_CASE("output readme: every artifact of every kind is described in both languages") {
    for (const Kind& kind : kinds()) {
        for (const ArtifactNote& each : kind.artifacts) {
            CAPTURE(kind.name);
            CAPTURE(each.name);
            CHECK(!each.en.empty());
            CHECK(!each.ko.empty());
            CHECK(output_readme(kind, {}).find(each.name) != std::string::npos);
        }
    }
}
