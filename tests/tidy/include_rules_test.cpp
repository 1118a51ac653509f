// Each rule is shown a tree that breaks it and one that does not: a rule that cannot fail proves nothing.
#include <doctest/doctest.h>

#include <string>

#include "tests/tidy/rules.h"
#include "tests/tidy/tree.h"

namespace nightshift::tidy {

namespace {

bool fires(Rule rule, const std::string& path, const std::string& content) {
    return !rule(tree_of(path, content)).empty();
}

}  // namespace

TEST_CASE("rule: layers") {
    const Rule rule = folders_include_only_lower_layers;
    CHECK(fires(rule, "scheduler/job.cpp", "#include \"db/store.h\"\n"));
    CHECK(fires(rule, "db/store.cpp", "#include \"api/commands.h\"\n"));
    CHECK(fires(rule, "api/router.cpp", "#include \"db/store.h\"\n"));
    CHECK(fires(rule, "api/router.cpp", "#include \"daemon/loop.h\"\n"));
    CHECK(fires(rule, "jobs/worker_main.cpp", "#include \"db/queries.h\"\n"));
    CHECK(fires(rule, "jobs/worker_main.cpp", "#include \"scheduler/planner.h\"\n"));
    CHECK(fires(rule, "daemon/main.cpp", "#include \"jobs/kinds.h\"\n"));
    CHECK(fires(rule, "daemon/cli/client.cpp", "#include \"db/queries.h\"\n"));
    CHECK(fires(rule, "kernels/knn.h", "#include \"scheduler/result.h\"\n"));
    CHECK(fires(rule, "api/router.cpp", "#include \"router.h\"\n"));
    CHECK(fires(rule, "api/router.cpp", "  #include  \"daemon/loop.h\"\n"));
    CHECK_FALSE(fires(rule, "api/router.cpp", "#include \"db/queries.h\"\n#include \"scheduler/job.h\"\n"));
    CHECK_FALSE(fires(rule, "daemon/loop.cpp", "#include \"db/store.h\"\n#include \"api/http_server.h\"\n"));
    CHECK_FALSE(
        fires(rule, "jobs/worker_main.cpp", "#include \"scheduler/wire.h\"\n#include \"kernels/knn.h\"\n"));
    CHECK_FALSE(fires(rule, "tests/api/x_test.cpp", "#include \"daemon/loop.h\"\n"));
    const std::vector<Finding> findings =
        rule(tree_of("scheduler/job.cpp", "#include <vector>\n#include \"db/store.h\"\n"));
    REQUIRE(findings.size() == 1);
    CHECK(findings[0].line == 2);
}

TEST_CASE("rule: libraries") {
    const Rule rule = libraries_stay_in_their_folders;
    CHECK(fires(rule, "scheduler/job.h", "#include <boost/asio.hpp>\n"));
    CHECK(fires(rule, "scheduler/job.cpp", "#include <nlohmann/json.hpp>\n"));
    CHECK(fires(rule, "db/store.cpp", "#include <nlohmann/json.hpp>\n"));
    CHECK(fires(rule, "db/store.cpp", "#include <boost/asio/io_context.hpp>\n"));
    CHECK(fires(rule, "daemon/loop.cpp", "#include <sqlite3.h>\n"));
    CHECK(fires(rule, "daemon/loop.cpp", "#include <torch/torch.h>\n"));
    CHECK(fires(rule, "daemon/gpu/nvml_probe.cpp", "#include <nvml.h>\n"));
    CHECK(fires(rule, "jobs/fpcb/shard.cpp", "#include <torch/torch.h>\n"));
    CHECK(fires(rule, "kernels/knn.cpp", "#include <cuda_runtime.h>\n"));
    CHECK(fires(rule, "jobs/basic/sleep.cpp", "#include <boost/asio.hpp>\n"));
    CHECK(fires(rule, "scheduler/wire.h", "#include <nlohmann/json.hpp>\n"));
    CHECK_FALSE(fires(rule, "scheduler/wire_fields.h", "#include <nlohmann/json_fwd.hpp>\n"));
    CHECK_FALSE(fires(rule, "kernels/knn_cuda.cu", "#include <cuda_runtime.h>\n"));
    CHECK_FALSE(fires(rule, "jobs/torch/dream.cpp", "#include <torch/torch.h>\n"));
    CHECK_FALSE(fires(rule, "db/store.cpp", "#include <sqlite3.h>\n"));
}

TEST_CASE("rule: heavy headers") {
    const Rule rule = heavy_headers_stay_out_of_headers;
    CHECK(fires(rule, "api/codec.h", "#include <nlohmann/json.hpp>\n"));
    CHECK(fires(rule, "db/statement.h", "#include <sqlite3.h>\n"));
    CHECK(fires(rule, "api/server.h", "#include <boost/beast.hpp>\n"));
    CHECK_FALSE(fires(rule, "api/codec.h", "#include <nlohmann/json_fwd.hpp>\n"));
    CHECK_FALSE(fires(rule, "api/codec.cpp", "#include <nlohmann/json.hpp>\n"));
    CHECK_FALSE(fires(rule, "jobs/torch/pch.h", "#include <torch/torch.h>\n"));
}

TEST_CASE("rule: platform headers") {
    const Rule rule = platform_headers_only_in_twins;
    CHECK(fires(rule, "daemon/loop.cpp", "#include <unistd.h>\n"));
    CHECK(fires(rule, "jobs/basic/sleep.cpp", "#include <sys/wait.h>\n"));
    CHECK(fires(rule, "daemon/paths.cpp", "#include <windows.h>\n"));
    CHECK_FALSE(fires(rule, "daemon/paths_posix.cpp", "#include <unistd.h>\n"));
    CHECK_FALSE(fires(rule, "daemon/paths_win32.cpp", "#include <windows.h>\n"));
}

TEST_CASE("rule: own header first") {
    Tree tree = tree_of("db/store.h", "#pragma once\n");
    add_file(tree, "db/store.cpp", "#include <vector>\n#include \"db/store.h\"\n");
    CHECK(own_header_comes_first(tree).size() == 1);
    Tree good = tree_of("db/store.h", "#pragma once\n");
    add_file(good, "db/store.cpp", "#include \"db/store.h\"\n\n#include <vector>\n");
    CHECK(own_header_comes_first(good).empty());
}

}  // namespace nightshift::tidy
