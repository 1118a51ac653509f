#include <doctest/doctest.h>

#include <cmath>
#include <fstream>

#include "jobs/basic/command_progress.h"
#include "tests/support/scratch_folder.h"

using namespace nightshift;
using namespace nightshift::jobs;

TEST_CASE("command progress: lines of all sorts") {
    const auto full =
        parse_progress_line(R"({"step":3,"steps":40,"phase":"train","eta_s":1.5,"metrics":{"loss":0.25}})");
    REQUIRE(full.has_value());
    CHECK(full->step == 3);
    CHECK(full->steps == 40);
    CHECK(full->phase == "train");
    CHECK(full->eta == Millis{1500});
    CHECK(full->metrics == std::vector<std::pair<std::string, double>>{{"loss", 0.25}});

    const auto python =
        parse_progress_line(R"({"step": 4, "metrics": {"loss": NaN, "NaN \" x": -Infinity}})");
    REQUIRE(python.has_value());
    CHECK(python->step == 4);
    REQUIRE(python->metrics.size() == 2);
    CHECK(std::isnan(python->metrics[0].second));

    CHECK(parse_progress_line("{}").has_value());
    CHECK(parse_progress_line(R"({"step":"three","steps":1e300})")->steps == 0);
    CHECK_FALSE(parse_progress_line("step 3").has_value());
    CHECK_FALSE(parse_progress_line("[1,2]").has_value());
    CHECK_FALSE(parse_progress_line("").has_value());
}

TEST_CASE("command progress: lines arrive whole, whatever the pieces they were written in") {
    const tests::ScratchFolder folder;
    ProgressTail tail(folder / "progress");
    std::ofstream stream(folder / "progress", std::ios::app);
    CHECK(tail.read(false).empty());
    stream << "one\ntw" << std::flush;
    CHECK(tail.read(false) == std::vector<std::string>{"one"});
    stream << "o\nthree" << std::flush;
    CHECK(tail.read(false) == std::vector<std::string>{"two"});
    CHECK(tail.read(true) == std::vector<std::string>{"three"});
    CHECK(tail.read(true).empty());

    std::ofstream(folder / "progress", std::ios::trunc) << "a\n";
    CHECK(tail.read(false) == std::vector<std::string>{"a"});
}

TEST_CASE("command progress: a flood is read in portions and an endless line is dropped") {
    const tests::ScratchFolder folder;
    ProgressTail tail(folder / "progress");
    {
        std::ofstream stream(folder / "progress", std::ios::app);
        for (int i = 0; i < 100'000; ++i) stream << "line " << i << "\n";
    }
    std::size_t count = tail.read(false).size();
    CHECK(tail.has_more());
    CHECK(count < 100'000);
    while (tail.has_more()) count += tail.read(false).size();
    CHECK(count == 100'000);

    std::ofstream(folder / "progress", std::ios::app) << std::string(kProgressLineBytesMax + 10, 'x');
    CHECK(tail.read(false).empty());
    CHECK(tail.read(true).empty());
}
