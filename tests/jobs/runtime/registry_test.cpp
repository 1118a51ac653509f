#include <doctest/doctest.h>

#include <set>

#include "jobs/runtime/job_impl.h"

using namespace nightshift::jobs;

TEST_CASE("registry: names are unique and can be found") {
    std::set<std::string> names;
    for (const Kind& kind : kinds()) {
        CHECK(names.insert(kind.name).second);
        CHECK(find_kind(kind.name) == &kind);
        CHECK_FALSE(kind.summary_en.empty());
        CHECK_FALSE(kind.summary_ko.empty());
    }
    CHECK(find_kind("no-such-kind") == nullptr);
}
