#pragma once

#include <cstddef>
#include <string>

#include "jobs/fpcb/dataset.h"
#include "kernels/compat_vectors.h"

namespace nightshift::jobs {

/// How sequences are analysed; 0 = the sequence's own.
struct AnalysisOptions {
    double fps = 0, meters_per_pixel = 0;
    kernels::CompatRisk risk;
};

/// What is kept of a sequence until the report is written.
struct SequenceRisk {
    std::size_t place = 0;  ///< in the data set
    double max = 0, mean = 0;
    int frame = 0;  ///< position of the frame with the largest risk, the first of equal ones
    bool has_metrics = false;
};

struct SequenceAnalysis {
    SequenceRisk risk;
    std::string summary_row;  ///< of summary.csv, with its line end
    std::string frame_rows;   ///< of risk.csv, one a frame
};

/// False for a sequence of which nothing can be said: no frames, no points, too many of both.
bool can_be_analysed(const SequenceInfo& info);

/// The reference's vectors, surrogates, risk and summary of one sequence. Any thread; takes about 160 bytes a
/// point and frame meanwhile. Throws JobError: no_fps, bad_bundle naming the sequence.
SequenceAnalysis analyze_sequence(const Sequence& sequence, const AnalysisOptions& options);

/// The first lines of summary.csv and risk.csv, with their line ends.
std::string summary_header();
std::string risk_header();

}  // namespace nightshift::jobs
