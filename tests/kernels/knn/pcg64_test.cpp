#include "kernels/pcg64.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>
#include <sstream>
#include <string>
#include <vector>

using nightshift::kernels::Pcg64;

namespace {

const std::string kFolder = NIGHTSHIFT_SOURCE_FOLDER "/tests/data/golden/rng/";
constexpr std::uint64_t kSeeds[] = {0, 42, 100000, 20260219};
/// The reference's tables of the normal distribution were rounded another way.
constexpr double kNormalTolerance = 1e-14;

double relative(double found, double expected) {
    return std::abs(found - expected) / std::max(std::abs(expected), 1e-300);
}

std::vector<std::string> cells_of(const std::string& line) {
    std::vector<std::string> cells;
    std::istringstream text(line);
    for (std::string cell; std::getline(text, cell, ',');) cells.push_back(cell);
    return cells;
}

/// What one line "op args = results" of a calls file asks for, compared with what it says.
double wrongness(Pcg64& generator, const std::string& op, const std::vector<double>& arguments,
                 const std::vector<double>& expected) {
    double worst = 0;
    std::vector<std::int64_t> whole;
    const auto argument = [&](std::size_t i) { return static_cast<std::int64_t>(arguments.at(i)); };
    if (op == "choice_without_replacement") whole = generator.choice(argument(0), argument(1));
    if (op == "shuffle_list") {
        whole.resize(static_cast<std::size_t>(argument(0)));
        std::iota(whole.begin(), whole.end(), 0);
        generator.shuffle_list(whole);
    }
    for (std::size_t i = 0; i < expected.size(); ++i) {
        double found = NAN, tolerance = 0;
        if (!whole.empty()) found = static_cast<double>(whole.at(i));
        if (op == "random") found = generator.random();
        if (op == "uniform") found = generator.uniform(arguments.at(0), arguments.at(1));
        if (op == "integers") {
            const auto last = static_cast<std::uint64_t>(argument(1) - argument(0) - 1);
            found = static_cast<double>(argument(0)) + static_cast<double>(generator.integer(last));
        }
        if (op == "normal") {
            found = arguments.at(0) + arguments.at(1) * generator.normal();
            tolerance = kNormalTolerance;
        }
        const double difference = relative(found, expected[i]);
        if (!(difference <= tolerance)) worst = std::max(worst, std::isnan(difference) ? 1 : difference);
    }
    return worst;
}

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

TEST_CASE("pcg64: every kind of draw, each from a fresh generator") {
    for (const std::uint64_t seed : kSeeds) {
        CAPTURE(seed);
        std::ifstream file(kFolder + "streams_" + std::to_string(seed) + ".csv");
        std::string line;
        REQUIRE(std::getline(file, line));
        const std::vector<std::string> names = cells_of(line);
        REQUIRE(names.size() == 13);
        std::vector<Pcg64> generators(names.size(), Pcg64(seed));
        int rows = 0, wrong = 0;
        for (; std::getline(file, line); ++rows) {
            const std::vector<std::string> cells = cells_of(line);
            for (std::size_t j = 0; j < names.size(); ++j) {
                Pcg64& g = generators[j];
                const std::string& name = names[j];
                if (name == "raw_uint64") {
                    wrong += g.next64() != std::stoull(cells[j]);
                } else if (name.starts_with("integers_0_")) {
                    wrong += g.integer(std::stoull(name.substr(11)) - 1) != std::stoull(cells[j]);
                } else {
                    const double found = name == "random"             ? g.random()
                                         : name == "standard_normal"  ? g.normal()
                                         : name == "normal_0_0.8"     ? 0.8 * g.normal()
                                         : name == "uniform_-0.8_0.8" ? g.uniform(-.8, .8)
                                                                      : NAN;
                    const double tolerance = name.find("normal") == std::string::npos ? 0 : kNormalTolerance;
                    wrong += !(relative(found, std::stod(cells[j])) <= tolerance);
                }
            }
        }
        CHECK(rows >= 100);
        CHECK(wrong == 0);
    }
}

TEST_CASE("pcg64: integers of more than 32 bits, where half of the words are thrown away") {
    Pcg64 wide(42), whole(42);
    for (const std::uint64_t expected : {7138484576005690180U, 4047939128787533792U, 7919168045412322066U,
                                         868632717012091125U, 8998527916616952262U}) {
        CHECK(wide.integer(std::uint64_t{1} << 63) == expected);
    }
    CHECK(whole.integer(~std::uint64_t{0}) == 14276969152011380360U);
}

TEST_CASE("pcg64: calls of all kinds interleaved, halves of words kept between them") {
    for (const std::uint64_t seed : kSeeds) {
        CAPTURE(seed);
        std::ifstream file(kFolder + "calls_" + std::to_string(seed) + ".txt");
        Pcg64 generator(seed);
        std::string line;
        int calls = 0;
        for (; std::getline(file, line); ++calls) {
            CAPTURE(line);
            std::istringstream words(line);
            std::string op, word;
            words >> op;
            std::vector<double> arguments, expected;
            while (words >> word && word != "=") arguments.push_back(std::stod(word));
            while (words >> word) expected.push_back(std::stod(word));
            REQUIRE(wrongness(generator, op, arguments, expected) == 0);
        }
        CHECK(calls == 220);
    }
}

TEST_CASE("pcg64: a list is shuffled by masked rejection") {
    std::ifstream file(kFolder + "shuffle.txt");
    std::string line;
    int cases = 0;
    for (; std::getline(file, line); ++cases) {
        std::istringstream numbers(line);
        std::uint64_t seed = 0;
        std::size_t size = 0;
        numbers >> seed >> size;
        std::vector<std::int64_t> expected(size), found(size);
        for (auto& value : expected) numbers >> value;
        std::iota(found.begin(), found.end(), 0);
        Pcg64(seed).shuffle_list(found);
        CHECK(found == expected);
    }
    CHECK(cases == 16);
}

TEST_CASE("pcg64: 200,000 normals, tails and wedges among them, take as many draws as NumPy's") {
    std::ifstream file(kFolder + "normals.txt");
    std::string line;
    int seeds = 0;
    for (; std::getline(file, line); ++seeds) {
        std::istringstream numbers(line);
        std::uint64_t seed = 0, next_raw = 0;
        double sum = 0, low = 0, high = 0;
        numbers >> seed >> sum >> low >> high >> next_raw;
        CAPTURE(seed);
        Pcg64 generator(seed);
        double total = 0, least = 0, most = 0;
        int wrong = 0;
        for (int i = 0; i < 200'000; ++i) {
            const double value = generator.normal();
            total += value;
            least = std::min(least, value);
            most = std::max(most, value);
            double expected = 0;
            if (i % 1000 == 0)
                wrong += !(numbers >> expected && relative(value, expected) <= kNormalTolerance);
        }
        CHECK(wrong == 0);
        CHECK(total == doctest::Approx(sum).epsilon(1e-10));
        CHECK(relative(least, low) <= kNormalTolerance);
        CHECK(relative(most, high) <= kNormalTolerance);
        CHECK(generator.next64() == next_raw);
    }
    CHECK(seeds == 4);
}

TEST_CASE("pcg64: normals together are those one after another, between draws of other kinds") {
    for (const std::uint64_t seed : kSeeds) {
        CAPTURE(seed);
        Pcg64 together(seed), single(seed);
        int wrong = 0;
        // Around and across the words that are made at a time.
        for (const std::size_t count : {0, 1, 63, 64, 65, 127, 128, 129, 5000, 460}) {
            std::vector<double> found(count, NAN);
            together.normals(found);
            for (const double value : found) {
                const double expected = single.normal();
                wrong += value != expected || std::signbit(value) != std::signbit(expected);
            }
            wrong += together.next32() != single.next32();
            wrong += together.next64() != single.next64();
            Pcg64 copy = together;
            wrong += copy.random() != together.random();
            single.random();
        }
        CHECK(wrong == 0);
    }
}
