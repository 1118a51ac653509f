#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/context.h"
#include "api/http_types.h"
#include "scheduler/history_file.h"

namespace nightshift::api {

/// Which part of the history is wanted.
struct HistoryRange {
    JobId from{1};
    JobId to;                        ///< 0 = without an end
    std::string origin;              ///< only what was imported of this database, as if it came from there
    bool includes_imported = false;  ///< all that was imported, behind this database's own
};

/// GET /api/v1/history, in the form of scheduler/history_file.h. The same jobs give the same bytes. A part
/// that cannot be read cuts the connection, so that the last line is missing; in a damaged database what
/// cannot be read is named. Thread: the loop; a few jobs at a time.
class HistoryStream : public BodyStream {
  public:
    HistoryStream(Context& context, std::string database_id, HistoryRange range);
    void next(Ready ready) override;
    void cancel() override {}

  private:
    static constexpr std::size_t kChunkBytes = 64 * 1024;
    static constexpr int kJobsPerChunk = 16;
    static constexpr int kRowsPerChunk = 200;

    enum class Part { kHeader, kJobs, kFires, kUnreadable, kOrigins, kImported, kEnd, kNothing };
    Status add_part(std::string& out);
    void add_header(std::string& out);
    Status add_jobs(std::string& out);
    Status add_job(JobId id, std::string& out);
    Status add_fires(std::string& out);
    void add_unreadable(std::string& out);
    Status load_origins();
    void add_origin(std::string& out);
    Status add_imported(std::string& out);
    /// The rest of an origin lies in damaged pages.
    void give_up_origin(std::string& out);
    void add_end(std::string& out);

    Context& context_;
    std::string database_id_;
    HistoryRange range_;
    Part part_ = Part::kHeader;
    HistoryChain chain_;
    JobId after_;
    std::string schedule_;
    UnixMs nominal_;
    bool is_fires_cut_ = false;
    bool is_imported_cut_ = false;
    std::vector<std::string> origins_;  ///< still to come, the next one at the back
    db::ImportedLine last_imported_;
    /// First and last ids of jobs in damaged pages. As long as the damage is wide.
    std::vector<std::pair<JobId, JobId>> unreadable_jobs_;
    std::size_t unreadable_told_ = 0;
    std::int64_t jobs_ = 0, fires_ = 0, unreadable_ = 0;
};

}  // namespace nightshift::api
