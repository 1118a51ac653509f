#include "scheduler/history_file.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace nightshift {

namespace {

/// 64 digits that depend on every byte: enough to see which bytes a chain covers.
std::string digest(std::string_view bytes) {
    std::string text;
    std::uint64_t hash = 14695981039346656037U;
    for (int part = 0; part < 4; ++part) {
        for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
        for (int digit = 0; digit < 16; ++digit) text += "0123456789abcdef"[(hash >> (4 * digit)) & 15U];
    }
    return text;
}

/// Reads `{"TYPE DATABASE_OR_TEXT NUMBER"}`; of an end, the counts.
Result<HistoryLine> parse(const std::string& object) {
    std::vector<std::string> words(1);
    for (const char c : object.substr(2, object.size() - 4)) {
        if (c == ' ') {
            words.emplace_back();
        } else {
            words.back() += c;
        }
    }
    HistoryLine line;
    using Type = HistoryLine::Type;
    if (words[0] == "header" || words[0] == "origin") {
        line.type = words[0] == "header" ? Type::kHeader : Type::kOrigin;
        line.database = words.at(1);
        line.format = words.size() > 2 ? std::stoll(words[2]) : 1;
    } else if (words[0] == "job") {
        line.number = std::stoll(words.at(1));
    } else if (words[0] == "fire" || words[0] == "unreadable") {
        line.type = words[0] == "fire" ? Type::kFire : Type::kUnreadable;
        line.text = words.at(1);
    } else if (words[0] == "end") {
        line.type = Type::kEnd;
        line.jobs = std::stoll(words.at(1));
        line.fires = std::stoll(words.at(2));
        line.unreadable = std::stoll(words.at(3));
    } else {
        return Error{ErrorCode::kInvalidArgument, "", "is of no known type", "", ""};
    }
    return line;
}

std::vector<std::string> chained(const std::vector<std::string>& objects) {
    HistoryChain chain(digest);
    std::vector<std::string> lines;
    for (const std::string& object : objects) lines.push_back(chain.close("{\"" + object + "\"}"));
    return lines;
}

std::vector<std::string> plain() {
    return chained(
        {"header abc", "job 1", "job 2", "fire a", "unreadable jobs", "origin xyz", "job 1", "end 3 1 1"});
}

struct Outcome {
    Status status;
    std::vector<std::string> taken;
    HistoryFacts facts;
    std::string message() const { return status ? "" : status.error().message; }
};

Outcome read(const std::vector<std::string>& lines, std::size_t piece = 7) {
    std::string text;
    for (const std::string& line : lines) text += line;
    Outcome outcome;
    HistoryReader reader(digest, parse,
                         [&](const std::string& origin, const HistoryLine&, std::string object) {
                             outcome.taken.push_back(origin + object);
                         });
    for (std::size_t at = 0; outcome.status && at < text.size(); at += piece) {
        outcome.status = reader.read(std::string_view(text).substr(at, piece));
    }
    if (outcome.status) outcome.status = reader.finish();
    outcome.facts = reader.facts();
    return outcome;
}

}  // namespace

TEST_CASE("history file: a whole one is read, in pieces of any size") {
    for (const std::size_t piece : {1, 7, 100, 100'000}) {
        const Outcome outcome = read(plain(), piece);
        REQUIRE_MESSAGE(outcome.status, outcome.message());
        CHECK(outcome.taken == std::vector<std::string>{"abc{\"job 1\"}", "abc{\"job 2\"}", "abc{\"fire a\"}",
                                                        "abc{\"unreadable jobs\"}", "xyz{\"job 1\"}"});
        CHECK(outcome.facts.database == "abc");
        CHECK(outcome.facts.jobs == 3);
        CHECK(outcome.facts.origins == 1);
        CHECK(outcome.facts.lines == 8);
        CHECK(plain().back().find(outcome.facts.chain) != std::string::npos);
    }
}

TEST_CASE("history file: one changed byte is refused with its line") {
    const std::vector<std::string> lines = plain();
    for (std::size_t n = 0; n < lines.size(); ++n) {
        for (std::size_t at = 0; at + 1 < lines[n].size(); ++at) {
            auto changed = lines;
            changed[n][at] = changed[n][at] == 'x' ? 'y' : 'x';
            CAPTURE(changed[n]);
            CHECK(read(changed).message().find("Line " + std::to_string(n + 1) + " ") == 0);
        }
    }
}

TEST_CASE("history file: dropped, repeated, swapped and added lines are refused") {
    const std::vector<std::string> lines = plain();
    for (std::size_t n = 0; n < lines.size(); ++n) {
        auto dropped = lines;
        dropped.erase(dropped.begin() + static_cast<std::ptrdiff_t>(n));
        CHECK_FALSE(read(dropped).status);
        auto repeated = lines;
        repeated.insert(repeated.begin() + static_cast<std::ptrdiff_t>(n), lines[n]);
        CHECK_FALSE(read(repeated).status);
        auto swapped = lines;
        std::swap(swapped[n], swapped[(n + 1) % lines.size()]);
        CHECK_FALSE(read(swapped).status);
    }
    CHECK(read({lines[0], lines[1]}).message().find("ends after line 2") != std::string::npos);
    CHECK(read({}).message().find("ends after line 0") != std::string::npos);
    std::vector<std::string> cut = lines;
    cut.back().pop_back();
    CHECK_MESSAGE(!read(cut).status, "the last line feed is part of the file");
}

TEST_CASE("history file: a chain made anew does not hide what is wrong") {
    const auto refused = [](const std::vector<std::string>& objects) {
        return read(chained(objects)).message();
    };
    CHECK(refused({"header abc", "end 1 0 0"}).find("other counts") != std::string::npos);
    CHECK(refused({"header abc", "job 2", "job 1", "end 2 0 0"})
              .find("Line 3 of the history is out of order") == 0);
    CHECK(refused({"header abc", "job 1", "job 1", "end 2 0 0"}).find("out of order") != std::string::npos);
    CHECK(refused({"header abc", "fire a", "job 1", "end 1 1 0"}).find("out of order") != std::string::npos);
    CHECK(refused({"job 1", "end 1 0 0"}).find("Line 1 of the history is no header") == 0);
    CHECK(refused({"header abc", "header abc", "end 0 0 0"}).find("second header") != std::string::npos);
    CHECK(refused({"header abc", "origin abc", "end 0 0 0"}).find("was there before") != std::string::npos);
    CHECK(refused({"header abc", "origin c", "origin b", "end 0 0 0"}).find("was there before") !=
          std::string::npos);
    CHECK(refused({"header ../x", "end 0 0 0"}).find("names no database") != std::string::npos);
    CHECK(refused({"header abc", "song 1", "end 0 0 0"}).find("Line 2 of the history is of no known type") ==
          0);
    CHECK(refused({"header abc 2", "end 0 0 0"}).find("newer nightshift") != std::string::npos);
    CHECK(refused({"header abc", "origin b", "end 0 0 0", "end 0 0 0"}).find("behind the end") !=
          std::string::npos);
}

TEST_CASE("history file: a line without an end is refused before it fills the memory") {
    Status status;
    HistoryReader reader(digest, parse, [](const std::string&, const HistoryLine&, std::string) {});
    const std::string piece(64 * 1024, 'x');
    std::size_t given = 0;
    for (; status && given < 2 * kHistoryLineBytesMax; given += piece.size()) status = reader.read(piece);
    REQUIRE_FALSE(status);
    CHECK(given <= kHistoryLineBytesMax + piece.size());
}

}  // namespace nightshift
