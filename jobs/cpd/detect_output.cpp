#include "jobs/cpd/detect_output.h"

#include <utility>

#include "jobs/runtime/durable_file.h"
#include "jobs/table/table.h"

namespace nightshift::jobs {
namespace {

Table rows_of(std::vector<std::string> sequence, std::vector<double> frame, std::vector<double> score) {
    Table out;
    out.add("sequence", std::move(sequence));
    out.add("frame", std::move(frame));
    out.add("score", std::move(score));
    return out;
}

Table events_of(const std::vector<Detected>& found) {
    std::vector<std::string> sequence;
    std::vector<double> frame, score;
    for (const Detected& each : found) {
        for (const DetectedEvent& event : each.events) {
            sequence.push_back(each.sequence);
            frame.push_back(static_cast<double>(event.frame));
            score.push_back(event.score);
        }
    }
    return rows_of(std::move(sequence), std::move(frame), std::move(score));
}

}  // namespace

DetectOutput::DetectOutput(const std::filesystem::path& folder)
    : folder_(folder), scores_(folder / "scores.csv", TableFormat::kCsv, rows_of({}, {}, {}).heads()) {}

void DetectOutput::add(const std::string& sequence, const DetectedSeries& series) {
    scores_.add(rows_of(std::vector<std::string>(series.frames.size(), sequence),
                        {series.frames.begin(), series.frames.end()}, series.scores));
}

std::size_t DetectOutput::finish(const std::vector<Detected>& found,
                                 const std::function<DetectedSeries(std::size_t)>& series_of,
                                 const DetectFacts& facts) {
    const Table events = events_of(found);
    write_table(events, folder_ / "events.csv", TableFormat::kCsv);
    scores_.finish();
    write_durably(folder_ / "report.html", detect_report_html(found, series_of, facts));
    return events.rows();
}

}  // namespace nightshift::jobs
