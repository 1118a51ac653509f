#include "daemon/cli/history_lines.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "daemon/cli/failure.h"
#include "daemon/cli/proof.h"

namespace nightshift::cli {

namespace {

std::vector<std::string> whole() {
    HistoryChain chain(sha256_of);
    std::vector<std::string> lines;
    for (const char* object :
         {R"({"type":"nightshift-history","format":1,"database":"abc"})",
          R"({"type":"job","id":1,"name":"첫째"})", R"({"type":"job","id":2})",
          R"({"type":"fire","schedule":"n","nominal":"2026-11-21T13:00:00.000Z"})",
          R"({"type":"unreadable","what":"jobs","from":3,"to":4})", R"({"type":"origin","database":"xyz"})",
          R"({"type":"job","id":1})", R"({"type":"end","jobs":3,"fires":1,"unreadable":1})"}) {
        lines.push_back(chain.close(object));
    }
    return lines;
}

/// The message of the refusal; empty when it is taken.
std::string refusal(const std::vector<std::string>& lines) {
    HistoryCheck check;
    try {
        for (const std::string& line : lines) check.take(line);
        const HistoryFacts facts = check.finish();
        CHECK(facts.database == "abc");
    } catch (const Failure& failure) {
        CHECK(failure.exit_code == kExitFailed);
        return failure.what();
    }
    return {};
}

}  // namespace

TEST_CASE("history lines: SHA-256 is the one of the standard") {
    CHECK(sha256_of("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("history lines: a whole file is taken, each type of line is known") {
    CHECK(refusal(whole()).empty());
}

TEST_CASE("history lines: a changed, a missing and an unknown line are refused with their number") {
    auto changed = whole();
    changed[1].replace(changed[1].find("첫째"), 6, "둘째");
    CHECK(refusal(changed).find("Line 2 ") == 0);
    auto missing = whole();
    missing.erase(missing.begin() + 2);
    CHECK(refusal(missing).find("Line 3 ") == 0);
    auto cut = whole();
    cut.pop_back();
    CHECK(refusal(cut).find("ends after line 7") != std::string::npos);
    HistoryChain chain(sha256_of);
    const std::string header = chain.close(R"({"type":"nightshift-history","format":1,"database":"abc"})");
    CHECK(refusal({header, chain.close(R"({"type":"song"})")}).find("no known type") != std::string::npos);
}

}  // namespace nightshift::cli
