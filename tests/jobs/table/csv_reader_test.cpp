#include "jobs/table/csv_reader.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>

#include "jobs/table/csv.h"
#include "tests/jobs/fpcb/sequences.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

/// A text that comes a few bytes at a time, so that every character is a block's last one.
class Dripping final : public jobs::CsvSource {
  public:
    Dripping(std::string text, std::size_t bytes) : text_(std::move(text)), bytes_(bytes) {}
    std::size_t read(char* into, std::size_t room) override {
        const std::size_t count = std::min({room, bytes_, text_.size() - at_});
        text_.copy(into, count, at_);
        at_ += count;
        return count;
    }
    void rewind() override { at_ = 0; }

  private:
    std::string text_;
    std::size_t bytes_, at_ = 0;
};

/// Rows made up as they are read, and how much of them was asked for at once.
class Endless final : public jobs::CsvSource {
  public:
    struct Seen {
        std::size_t bytes = 0, room_max = 0, rewinds = 0;
    };
    Endless(std::size_t rows, Seen& seen) : rows_(rows), seen_(seen) {}
    std::size_t read(char* into, std::size_t room) override {
        seen_.room_max = std::max(seen_.room_max, room);
        while (pending_.size() < room && row_ <= rows_) {
            if (row_ == 0)
                pending_ += "name,value,late\n";
            else
                pending_ += "board " + std::to_string(row_) + "," + std::to_string(row_) + "." +
                            std::to_string(row_ % 10) + "," + (row_ == rows_ ? "word" : "7") + "\n";
            ++row_;
        }
        const std::size_t count = std::min(room, pending_.size());
        pending_.copy(into, count);
        pending_.erase(0, count);
        seen_.bytes += count;
        return count;
    }
    void rewind() override {
        row_ = 0;
        pending_.clear();
        ++seen_.rewinds;
    }

  private:
    std::size_t rows_, row_ = 0;
    Seen& seen_;
    std::string pending_;
};

std::string shown(const jobs::Table& table) {
    std::string out;
    for (const jobs::Column& column : table.columns()) {
        out += column.name + (column.is_text() ? " text:" : " numbers:");
        for (const std::string& cell : table.text(column.name)) out += " <" + cell + ">";
        out += "\n";
    }
    return out;
}

std::string dripped(const std::string& text, std::size_t bytes) {
    try {
        const auto reader = jobs::csv_reader(std::make_unique<Dripping>(text, bytes), "f.csv");
        return shown(jobs::rest_of(*reader));
    } catch (const jobs::JobError& error) {
        return error.what();
    }
}

}  // namespace

TEST_CASE("csv reader: where blocks end changes nothing") {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"\xEF\xBB\xBFid,b\r\n0001,2\r\n0002,\r\n", "id text: <0001> <0002>\nb numbers: <2> <nan>\n"},
        {"a,b\n\n\r\n1,\"x,\"\"y\"\"\r\nz\"\n2,\"\"\n", "a numbers: <1> <2>\nb text: <x,\"y\"\r\nz> <>\n"},
        {"a,b\r1,2\r3,4", "a numbers: <1> <3>\nb numbers: <2> <4>\n"},
        {"a,b\n1,", "a numbers: <1>\nb text: <>\n"},
        {"a\n\"\"\"\"\n", "a text: <\">\n"},
        {"a,b\n1,x\"y\n", "a numbers: <1>\nb text: <x\"y>\n"},
        {"a,b\n", "a numbers:\nb numbers:\n"},
        {"a,b", "a numbers:\nb numbers:\n"},
        {"a\n\"1\n\n2\"\n3,4\n", "f.csv:5: 2 cells instead of 1"},
        {"a,b\r\n1,2\r\n3\r\n", "f.csv:3: 1 cells instead of 2"},
        {"a,b\n1,\"2\n3,4\n", "f.csv:2: a quoted cell has no end"},
        {"a,b\n1,\"2\"3\n", "f.csv:2: text after a closing quote"},
        {"\xEF\xBB\xBF", "f.csv:1: the file is empty; the first line must name the columns"},
        {"\r\n", "f.csv:1: the file is empty; the first line must name the columns"}};
    for (const auto& [text, expected] : cases) {
        CAPTURE(text);
        for (const std::size_t bytes : {1, 2, 3, 5, 100}) CHECK(dripped(text, bytes) == expected);
    }
}

TEST_CASE("csv reader: the last line decides a type, and memory does not grow with the lines") {
    constexpr std::size_t kRows = 200'000;
    Endless::Seen seen;
    const auto reader = jobs::csv_reader(std::make_unique<Endless>(kRows, seen), "long.csv");
    const std::size_t bytes = seen.bytes;
    CHECK(reader->rows() == kRows);
    CHECK(reader->columns()[0].type == jobs::ColumnHead::Type::kText);
    CHECK(reader->columns()[1].type == jobs::ColumnHead::Type::kDouble);
    CHECK(reader->columns()[2].type == jobs::ColumnHead::Type::kText);
    jobs::Table piece;
    std::size_t rows = 0, pieces = 0;
    while (reader->next(piece)) {
        ++pieces;
        REQUIRE(piece.rows() <= jobs::kPieceRows);
        const auto values = piece.numbers("value");
        for (std::size_t i = 0; i < values.size(); i += 997) {
            const auto number = static_cast<double>(rows + i + 1);
            REQUIRE(values[i] == doctest::Approx(number + static_cast<double>((rows + i + 1) % 10) / 10));
            REQUIRE(piece.text("name")[i] == "board " + std::to_string(rows + i + 1));
        }
        rows += piece.rows();
    }
    CHECK(rows == kRows);
    CHECK(pieces == kRows / jobs::kPieceRows + 1);
    CHECK(piece.text("late").back() == "word");
    CHECK(seen.bytes <= 2 * bytes);
    CHECK(bytes > 4'000'000);
    CHECK(seen.room_max <= 1 << 20);
    reader->rewind();
    REQUIRE(reader->next(piece));
    CHECK(piece.text("name").front() == "board 1");
    CHECK(seen.rewinds == 2);
}

TEST_CASE("csv reader: long records, up to a limit") {
    const std::string cell(3'000'000, 'x');
    const jobs::Table found = jobs::parse_csv("a,b\n1," + cell + "\n2,\"" + cell + "\n" + cell + "\"\n", "f");
    CHECK(found.text("b")[0] == cell);
    CHECK(found.text("b")[1] == cell + "\n" + cell);
    const std::string open = "a,b\n1,2\n3,\"" + std::string(jobs::kCsvRecordBytesMax + 10, 'y');
    CHECK(has(refusal([&] { jobs::parse_csv(open, "f.csv"); }), "f.csv:3: a line of more than 64 MiB"));
}

TEST_CASE("csv reader: pieces with long texts end early") {
    std::string text = "a\n";
    for (int row = 0; row < 5; ++row) text += std::string(20'000'000, 'z') + "\n";
    const auto reader = jobs::csv_reader(jobs::csv_text_source(text), "f.csv");
    jobs::Table piece;
    std::vector<std::size_t> rows;
    while (reader->next(piece)) rows.push_back(piece.rows());
    CHECK(rows == std::vector<std::size_t>{2, 2, 1});
}

TEST_CASE("csv reader: a file that changes between the two looks is refused") {
    class Changing final : public jobs::CsvSource {
      public:
        std::size_t read(char* into, std::size_t room) override {
            const std::size_t count = rest_.copy(into, room);
            rest_.remove_prefix(count);
            return count;
        }
        void rewind() override { rest_ = "a,b\n1,2\n3,x\n"; }

      private:
        std::string_view rest_ = "a,b\n1,2\n3,4\n";
    };
    const auto reader = jobs::csv_reader(std::make_unique<Changing>(), "t.csv");
    jobs::Table piece;
    CHECK(has(refusal([&] { reader->next(piece); }), "t.csv:3: 'x' is no number"));
}
