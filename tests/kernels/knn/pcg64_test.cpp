#include "kernels/pcg64.h"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>
#include <string>

using nightshift::kernels::Pcg64;

namespace {

const std::string kFolder = NIGHTSHIFT_SOURCE_FOLDER "/tests/data/golden/rng/";

}  // namespace

TEST_CASE("pcg64: the streams of NumPy's default_rng") {
    std::ifstream file(kFolder + "raw64.txt");
    std::string line;
    int lines = 0;
    for (; std::getline(file, line); ++lines) {
        std::istringstream numbers(line);
        std::uint64_t seed = 0, expected = 0;
        numbers >> seed;
        Pcg64 generator(seed);
        int wrong = 0, count = 0;
        // Each seed has a line of raw words and a line of integers(0, 230), each from a fresh generator.
        for (; numbers >> expected; ++count) {
            wrong += expected != (lines % 2 == 0 ? generator.next64() : generator.bounded(229));
        }
        CHECK(wrong == 0);
        CHECK(count == 50);
    }
    CHECK(lines == 8);
}

TEST_CASE("pcg64: choice without replacement, by set and by tail shuffle") {
    std::ifstream file(kFolder + "choice.txt");
    std::string line;
    int cases = 0, tails = 0;
    for (; std::getline(file, line); ++cases) {
        std::istringstream numbers(line);
        std::uint64_t seed = 0;
        std::int64_t population = 0, size = 0, value = 0;
        numbers >> seed >> population >> size;
        CAPTURE(population);
        CAPTURE(size);
        tails += population > 10'000 && size > population / 50;
        std::vector<std::int64_t> expected;
        while (numbers >> value) expected.push_back(value);
        CHECK(Pcg64(seed).choice(population, size) == expected);
    }
    CHECK(cases == 32);
    CHECK(tails >= 4);
}
