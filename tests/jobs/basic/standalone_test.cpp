#include <doctest/doctest.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <filesystem>

#include <sys/wait.h>

#include <nlohmann/json.hpp>

#include "tests/support/scratch_folder.h"

using nlohmann::json;

namespace {

struct Run {
    int exit_code = 0;
    std::string text;
    /// Lines of stdout that are JSON objects of this type.
    std::vector<json> of_type(const std::string& type) const {
        std::vector<json> found;
        std::size_t from = 0;
        for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', from)) {
            const json line = json::parse(text.substr(from, end - from), nullptr, false);
            if (line.is_object() && line.value("type", "") == type) found.push_back(line);
            from = end + 1;
        }
        return found;
    }
};

Run run_worker(const std::string& arguments) {
    Run run;
    FILE* pipe = ::popen((std::string(NIGHTSHIFT_WORKER_BINARY) + " " + arguments + " 2>&1").c_str(), "r");
    std::array<char, 4096> block{};
    while (const std::size_t bytes = std::fread(block.data(), 1, block.size(), pipe))
        run.text.append(block.data(), bytes);
    const int status = ::pclose(pipe);
    run.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 1000;
    return run;
}

}  // namespace

TEST_CASE("standalone: JSON lines on a pipe, artifacts in the folder") {
    const nightshift::tests::ScratchFolder folder;
    const std::string out = "'" + (folder / "out put").string() + "'";
    const Run run = run_worker("run command --out " + out +
                               " -- sh -c 'echo hello; echo x > \"$NIGHTSHIFT_OUTPUT/a.txt\"'");
    CHECK(run.exit_code == 0);
    CHECK(run.text.find("hello\n") != std::string::npos);
    const auto results = run.of_type("result");
    REQUIRE(results.size() == 1);
    CHECK(results[0]["artifacts"][0]["name"] == "a.txt");
    CHECK(std::filesystem::exists(folder.path() / "out put" / "a.txt"));
}

TEST_CASE("standalone: an interrupt saves a checkpoint and --resume goes on") {
    const nightshift::tests::ScratchFolder folder;
    const std::string out = "'" + (folder / "out").string() + "'";
    const std::string params = " --params '{\"seconds\": 600}' ";
    // The shell says its pid and becomes the worker; both SIGINTs are one request, as from timeout(1).
    Run first;
    FILE* pipe = ::popen(
        ("echo $$; exec " + std::string(NIGHTSHIFT_WORKER_BINARY) + " run sleep" + params + "--out " + out)
            .c_str(),
        "r");
    std::array<char, 4096> line{};
    REQUIRE(std::fgets(line.data(), line.size(), pipe) != nullptr);
    const int pid = std::atoi(line.data());
    bool is_asked = false;
    while (std::fgets(line.data(), line.size(), pipe) != nullptr) {
        first.text += line.data();
        if (is_asked || first.of_type("progress").empty()) continue;
        is_asked = true;
        ::kill(pid, SIGINT);
        ::kill(pid, SIGINT);
    }
    CHECK(WEXITSTATUS(::pclose(pipe)) == 85);
    const auto results = first.of_type("result");
    REQUIRE(results.size() == 1);
    CHECK(results[0]["exit_code"] == 85);
    const auto checkpoints = first.of_type("checkpoint");
    REQUIRE(checkpoints.size() == 1);
    const auto step = checkpoints[0]["step"].get<std::int64_t>();
    const double left = static_cast<double>(step) / 10 + 0.2;
    const Run second = run_worker("run sleep --params '{\"seconds\": " + std::to_string(left) + "}' --out " +
                                  out + " --resume " + out);
    CHECK(second.exit_code == 0);
    REQUIRE_FALSE(second.of_type("progress").empty());
    CHECK(second.of_type("progress")[0]["step"].get<std::int64_t>() >= step);
}

TEST_CASE("standalone: bad use is answered with exit code 64 and a word on what to do") {
    const nightshift::tests::ScratchFolder folder;
    const std::string out = " --out '" + folder.path().string() + "' ";
    for (const auto& [arguments, words] : std::vector<std::pair<std::string, std::string>>{
             {"run slep" + out, "this build has command, "},
             {"run sleep --params '{\"second\":1}'" + out, "did you mean 'seconds'?"},
             {"run sleep --params '{\"seconds\":-1}'" + out, "at least 0"},
             {"run sleep --params '{'" + out, "is not JSON"},
             {"run sleep", "--out"},
             {"run sleep --device tpu" + out, "tpu"},
             {"", "subcommand"}}) {
        const Run run = run_worker(arguments);
        CHECK_MESSAGE(run.exit_code == 64, arguments << ": " << run.text);
        CHECK_MESSAGE(run.text.find(words) != std::string::npos, run.text);
    }
    const Run missing = run_worker("run sleep --resume /no/such/folder" + out);
    CHECK(missing.exit_code == 1);
    CHECK(missing.text.find("no checkpoint in /no/such/folder") != std::string::npos);
    const Run attempt = run_worker("attempt --job 1 --attempt 1");
    CHECK(attempt.exit_code == 64);
    CHECK(attempt.text.find("nightshift-worker run") != std::string::npos);
}

TEST_CASE("standalone: the table of kinds is what the daemon reads") {
    const Run run = run_worker("kinds --json");
    const json rows = json::parse(run.text);
    REQUIRE(rows.is_array());
    for (const json& row : rows) {
        for (const char* field : {"name", "class", "checkpoint", "estimate_param"})
            CHECK(row.at(field).is_string());
        for (const char* field : {"vram", "ram", "cpu"}) CHECK(row.at(field).is_number_integer());
        CHECK(row.at("summary").at("ko").is_string());
        CHECK(row.at("params").at("type") == "object");
        CHECK(row.at("params").at("properties").is_object());
        CHECK(row.at("artifacts").is_array());
    }
    CHECK(run_worker("kinds").text.find("seconds (number)") != std::string::npos);
}
