#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "jobs/runtime/job_impl.h"

using namespace nightshift::jobs;
using nlohmann::json;

namespace {

Kind sample() {
    Kind kind;
    kind.name = "sample";
    kind.schema = [] {
        return json::parse(R"({"type":"object","required":["dataset"],"properties":{
            "dataset":{"type":"string","x-artifact":"dataset"},
            "epochs":{"type":"integer","minimum":1,"maximum":100,"default":20},
            "lr":{"type":"number","exclusiveMinimum":0,"default":0.001},
            "engine":{"type":"string","enum":["auto","native","torch"],"default":"auto"},
            "bank":{"oneOf":[{"type":"integer","minimum":1},{"type":"number","minimum":0,"maximum":1}]},
            "models":{"type":"array","items":{"type":"string"},"minItems":1},
            "amp":{"type":"boolean","default":false},
            "label":{"type":["string","null"]}}})");
    };
    return kind;
}

std::string problem(const char* params) {
    try {
        complete_params(sample(), json::parse(params));
    } catch (const JobError& error) {
        return error.code() + ": " + error.what();
    }
    return "";
}

}  // namespace

TEST_CASE("params: defaults are filled in, given values stay") {
    const json complete = complete_params(sample(), json::parse(R"({"dataset":"d","epochs":3.0})"));
    CHECK(complete["epochs"] == 3);
    CHECK(complete["epochs"].is_number_integer());
    CHECK(complete["lr"] == 0.001);
    CHECK(complete["engine"] == "auto");
    CHECK(complete["amp"] == false);
    CHECK_FALSE(complete.contains("bank"));
}

TEST_CASE("params: each mistake is named with what would be right") {
    for (const auto& [params, words] : std::vector<std::pair<const char*, const char*>>{
             {R"({"dataset":"d","epoch":1})",
              "unknown_param: kind sample has no parameter 'epoch'; did you mean 'epochs'?"},
             {R"({"dataset":"d","enigne":1})", "did you mean 'engine'?"},
             {R"({"dataset":"d","zzzzzzzz":1})", "it knows amp, bank"},
             {R"({})", "missing_param: kind sample needs the parameter 'dataset'"},
             {R"({"dataset":7})", "bad_param: parameter 'dataset' is 7; it has to be of type string"},
             {R"({"dataset":"d","epochs":0})", "at least 1"},
             {R"({"dataset":"d","epochs":101})", "at most 100"},
             {R"({"dataset":"d","epochs":1.5})", "of type integer"},
             {R"({"dataset":"d","epochs":true})", "of type integer"},
             {R"({"dataset":"d","lr":0})", "above 0"},
             {R"({"dataset":"d","engine":"cuda"})", "it can be \"auto\", \"native\", \"torch\""},
             {R"({"dataset":"d","bank":-1})", "; or: "},
             {R"({"dataset":"d","models":[]})", "too few"},
             {R"({"dataset":"d","models":["a",3]})", "models[1]"},
             {R"({"dataset":"d","label":3})", "string or null"},
             {R"([])", "has to be an object"}}) {
        const std::string found = problem(params);
        CHECK_MESSAGE(found.find(words) != std::string::npos, params << " -> " << found);
    }
    for (const char* good : {R"({"dataset":"d","bank":0.1})", R"({"dataset":"d","bank":1000})",
                             R"({"dataset":"d","label":null})", R"({"dataset":"d","models":["a"]})"}) {
        CHECK_MESSAGE(problem(good).empty(), good << " -> " << problem(good));
    }
}
