// Times the cache of features on one thread. usage:
//   nightshift_cache_parts RUNS OUT write|keep NUMBERS COLUMNS FILE   a table to FILE (.feather or .parquet);
//                                                  keep: synced, renamed, its hash beside it, as jobs write
//   nightshift_cache_parts RUNS OUT read FILE                         all of it, piece by piece
// NUMBERS: float64, column after column. `read` leaves them so in OUT. A line `wall_s cpu_s` a run after one
// to warm up.
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "jobs/table/arrow_module.h"
#include "jobs/table/table_reader.h"
#include "jobs/table/table_writer.h"
#include "tests/bench/part_timer.h"

namespace {

using namespace nightshift;
using namespace nightshift::bench;
namespace fs = std::filesystem;

/// Pieces as jobs make them.
std::vector<jobs::Table> pieces_of(const std::vector<double>& numbers, std::size_t columns) {
    const std::size_t rows = numbers.size() / columns, most = jobs::piece_rows(columns);
    std::vector<jobs::Table> pieces;
    for (std::size_t first = 0; first < rows; first += most) {
        jobs::Table& piece = pieces.emplace_back();
        for (std::size_t j = 0; j < columns; ++j) {
            const double* from = numbers.data() + j * rows + first;
            piece.add("column_" + std::to_string(j),
                      std::vector<double>(from, from + std::min(most, rows - first)));
        }
    }
    return pieces;
}

void write(int runs, const std::vector<std::string>& given, bool is_kept) {
    const fs::path file = given.at(2);
    const jobs::TableFormat format = jobs::table_format_of(file);
    const std::vector<jobs::Table> pieces =
        pieces_of(read_numbers<double>(given.at(0)), std::stoul(given.at(1)));
    measure(runs, [&] {
        if (is_kept) {
            fs::remove(file);  // a job's folder has none yet; two at once would take twice the page cache
            jobs::TableWriter writer(file, format, pieces.front().heads());
            for (const jobs::Table& piece : pieces) writer.add(piece);
            writer.finish();
            return;
        }
        const auto require = [](const std::string& error) {
            if (!error.empty()) throw std::runtime_error(error);
        };
        const auto writer = jobs::arrow_create(file, format, pieces.front().heads(), {}, nullptr);
        for (const jobs::Table& piece : pieces) require(writer->write(piece.columns()));
        require(writer->close());
    });
}

void read(int runs, const fs::path& out, const fs::path& file) {
    const auto whole = [&] { return jobs::rest_of(*jobs::TableReader::open(file)); };
    const jobs::Table table = whole();
    std::ofstream numbers(out, std::ios::binary);
    for (const jobs::Column& column : table.columns()) {
        const auto& values = std::get<std::vector<double>>(column.values);
        numbers.write(reinterpret_cast<const char*>(values.data()),
                      static_cast<std::streamsize>(values.size() * sizeof(double)));
    }
    if (!numbers.flush()) throw std::runtime_error("cannot write " + out.string());
    measure(runs, [&] {
        const auto reader = jobs::TableReader::open(file);
        jobs::Table piece;
        while (reader->next(piece)) {
        }
    });
}

}  // namespace

int main(int count, char** words) {
    const auto work = [](int runs, const fs::path& out, const std::string& name,
                         const std::vector<std::string>& rest) {
        if (name == "write" || name == "keep")
            write(runs, rest, name == "keep");
        else if (name == "read")
            read(runs, out, rest.at(0));
        else
            throw std::invalid_argument("no name '" + name + "'; it can be write, keep or read");
    };
    return bench::run_work("nightshift_cache_parts", count, words, work);
}
