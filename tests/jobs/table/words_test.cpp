#include "jobs/table/words.h"

#include <doctest/doctest.h>

using nightshift::jobs::Words;

TEST_CASE("words: rows keep their text, each different word is kept once") {
    const Words words{"b", "b", "a", "b", ""};
    CHECK(words.size() == 5);
    CHECK(words.strings() == std::vector<std::string>{"b", "b", "a", "b", ""});
    CHECK(words.distinct() == std::vector<std::string>{"b", "a", ""});
    CHECK(words.code(3) == words.code(0));
    CHECK(words.code(2) != words.code(4));
    CHECK(Words(3, "x").strings() == std::vector<std::string>{"x", "x", "x"});
    CHECK(Words(0, "x").empty());
}

TEST_CASE("words: picked rows know their own words alone, and go on growing") {
    const Words words{"a", "b", "c", "b"};
    Words picked = words.picked({3, 2, 1, 2});
    CHECK(picked.strings() == std::vector<std::string>{"b", "c", "b", "c"});
    CHECK(picked.distinct() == std::vector<std::string>{"b", "c"});
    picked.push_back("c");
    picked.push_back("a");
    CHECK(picked.distinct() == std::vector<std::string>{"b", "c", "a"});
    CHECK(picked.code(4) == picked.code(1));
}
