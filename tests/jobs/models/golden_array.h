#pragma once

#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace nightshift::tests {

inline const std::string kGoldenFolder = NIGHTSHIFT_SOURCE_FOLDER "/tests/data/golden/";

/// A raw little-endian array.
template <typename T>
std::vector<T> read_array(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) throw std::runtime_error("no test data at " + file);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    std::vector<T> values(bytes.size() / sizeof(T));
    std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
    return values;
}

/// One column of a CSV file by its position.
inline std::vector<double> read_column(const std::string& file, int column) {
    std::ifstream in(file);
    if (!in) throw std::runtime_error("no test data at " + file);
    std::string line;
    std::getline(in, line);
    std::vector<double> values;
    while (std::getline(in, line)) {
        std::size_t at = 0;
        for (int i = 0; i < column; ++i) at = line.find(',', at) + 1;
        values.push_back(std::stod(line.substr(at)));
    }
    return values;
}

}  // namespace nightshift::tests
