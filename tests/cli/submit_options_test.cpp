#include "daemon/cli/submit_options.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "daemon/cli/failure.h"

namespace nightshift::cli {

using nlohmann::json;

TEST_CASE("submit: parameters keep their types") {
    json params;
    add_param("preset=small", params);
    add_param("seed=7", params);
    add_param("lr=1e-3", params);
    add_param("amp=true", params);
    add_param("models=[\"job:1\", \"job:2\"]", params);
    add_param("counts.normal=80", params);
    add_param("text=a=b", params);
    CHECK(params == json::parse(R"({"preset": "small", "seed": 7, "lr": 0.001, "amp": true,
                                    "models": ["job:1", "job:2"], "counts": {"normal": 80},
                                    "text": "a=b"})"));
    CHECK_THROWS_AS(add_param("novalue", params), Failure);
    CHECK_THROWS_AS(add_param("=x", params), Failure);
    CHECK_THROWS_AS(add_param("seed.deeper=1", params), Failure);
}

TEST_CASE("submit: what is not given is left to the daemon") {
    json body = json::object();
    add_fields({}, body);
    CHECK(body == json::object());
}

TEST_CASE("submit: dependencies in our spelling and in Slurm's") {
    SubmitOptions options;
    options.after = {"12", "13:any", "afterok:14:15", "afternotok:16"};
    json body;
    add_fields(options, body);
    CHECK(body["after"] == json::parse(R"([{"job": 12, "on": "success"}, {"job": 13, "on": "any"},
                                           {"job": 14, "on": "success"}, {"job": 15, "on": "success"},
                                           {"job": 16, "on": "failure"}])"));
    for (const char* bad : {"x", "12x", "", "afterok:", ":any"}) {
        SubmitOptions wrong;
        wrong.after = {bad};
        json target;
        CHECK_THROWS_AS(add_fields(wrong, target), Failure);
    }
}

TEST_CASE("submit: bare numbers are bytes, sizes with a unit stay text") {
    SubmitOptions options;
    options.vram = "1073741824";
    options.ram = "3GiB";
    options.gpu = "0";
    json body;
    add_fields(options, body);
    CHECK(body == json::parse(R"({"vram": 1073741824, "ram": "3GiB", "gpu": 0})"));
}

TEST_CASE("submit: labels and environment are KEY=VALUE") {
    SubmitOptions options;
    options.labels = {"project=균열"};
    options.env = {"A=b=c"};
    json body;
    add_fields(options, body);
    CHECK(body == json::parse(R"({"labels": {"project": "균열"}, "env": {"A": "b=c"}})"));
    options.env = {"A"};
    CHECK_THROWS_AS(add_fields(options, body), Failure);
}

}  // namespace nightshift::cli
