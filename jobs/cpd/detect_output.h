#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "jobs/cpd/detect_report.h"
#include "jobs/table/table_writer.h"

namespace nightshift::jobs {

/// The files of detect.cpd: scores.csv grows as sequences are searched, the others are written at the end.
/// One thread. Throws as TableWriter does.
class DetectOutput {
  public:
    explicit DetectOutput(const std::filesystem::path& folder);

    /// Rows of scores.csv.
    void add(const std::string& sequence, const DetectedSeries& series);
    /// Writes events.csv, finishes scores.csv, writes report.html. Returns the number of change points.
    std::size_t finish(const std::vector<Detected>& found,
                       const std::function<DetectedSeries(std::size_t)>& series_of, const DetectFacts& facts);

  private:
    std::filesystem::path folder_;
    TableWriter scores_;
};

}  // namespace nightshift::jobs
