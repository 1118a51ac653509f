#include <doctest/doctest.h>

#include <fstream>

#include "jobs/runtime/job_impl.h"
#include "jobs/runtime/reference.h"
#include "jobs/runtime/result_file.h"
#include "tests/support/scratch_folder.h"

using namespace nightshift;
using namespace nightshift::jobs;
namespace fs = std::filesystem;

namespace {

/// An attempt folder of job 12 with what a generate leaves.
struct Parent {
    tests::ScratchFolder data;
    fs::path folder = data.path() / "jobs" / "12" / "1";
    std::vector<wire::Input> inputs{{JobId{12}, folder.string()}};

    explicit Parent(bool is_declaring) {
        fs::create_directories(folder / "output" / "dataset");
        std::ofstream(folder / "output" / "dataset" / "shard-0.bin") << "shard";
        std::ofstream(folder / "output" / "features.csv") << "a,b\n";
        std::vector<std::pair<std::string, std::string>> declared;
        if (is_declaring) declared.emplace_back("dataset/", "dataset");
        wire::ResultFile result;
        result.attempt = {JobId{12}, 1};
        result.done.exit_code = 0;
        result.artifacts = list_artifacts(folder / "output", declared, true);
        write_result(folder, result);
    }
    std::string problem(const std::string& reference, const std::string& type) const {
        try {
            resolve_reference(reference, type, inputs, data.path());
        } catch (const JobError& error) {
            CHECK(error.code() == "no_such_input");
            return error.what();
        }
        return "";
    }
};

}  // namespace

TEST_CASE("reference: job:ID is the parent's artifact of the type") {
    const Parent parent(true);
    CHECK(resolve_reference("job:12", "dataset", parent.inputs, "/") == parent.folder / "output" / "dataset");
    CHECK(resolve_reference("job:12", "table", parent.inputs, "/") ==
          parent.folder / "output" / "features.csv");
}

TEST_CASE("reference: a program that declares nothing may name its folders after the types") {
    const Parent parent(false);
    CHECK(resolve_reference("job:12", "dataset", parent.inputs, "/") == parent.folder / "output" / "dataset");
}

TEST_CASE("reference: a failure says what is there instead") {
    const Parent parent(true);
    CHECK(parent.problem("job:12", "model")
              .find("job 12 has no model: it left dataset (dataset), features.csv (file)") !=
          std::string::npos);
    CHECK(parent.problem("job:13", "dataset").find("job 13 was not handed") != std::string::npos);
    CHECK(parent.problem("job:x", "dataset").find("job:12") != std::string::npos);
    CHECK(parent.problem("no/such", "table").find("there is no table at") != std::string::npos);
    CHECK(parent.problem("", "table").find("no table was given") != std::string::npos);
    fs::remove_all(parent.folder / "output" / "dataset");
    CHECK(parent.problem("job:12", "dataset").find("is gone; run job 12 again") != std::string::npos);
}

TEST_CASE("reference: paths are relative to the base, a stand-alone output may be given whole") {
    const tests::ScratchFolder folder;
    fs::create_directories(folder.path() / "out" / "model");
    fs::create_directories(folder.path() / "out" / ".nightshift");
    CHECK(resolve_reference("out/model", "model", {}, folder.path()) == folder.path() / "out" / "model");
    wire::ResultFile result;
    result.artifacts = {{"model", "model", Bytes{1}, ""}};
    write_result(folder.path() / "out" / ".nightshift", result);
    CHECK(resolve_reference("out", "model", {}, folder.path()) == folder.path() / "out" / "model");
}
