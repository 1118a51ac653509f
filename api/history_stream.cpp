#include "api/history_stream.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "api/digest.h"
#include "api/history_codec.h"
#include "api/strict_json.h"

namespace nightshift::api {

using nlohmann::ordered_json;

HistoryStream::HistoryStream(Context& context, std::string database_id, HistoryRange range)
    : context_(context),
      database_id_(std::move(database_id)),
      range_(std::move(range)),
      chain_(sha256_hex),
      after_{range_.from.value - 1} {}

void HistoryStream::next(Ready ready) {
    Chunk chunk;
    chunk.is_broken = !add_part(chunk.bytes);
    chunk.is_end = part_ == Part::kNothing;
    ready(std::move(chunk));
}

Status HistoryStream::add_part(std::string& out) {
    switch (part_) {
        case Part::kHeader:
            add_header(out);
            return {};
        case Part::kJobs:
            return add_jobs(out);
        case Part::kFires:
            return add_fires(out);
        case Part::kUnreadable:
            add_unreadable(out);
            return {};
        case Part::kOrigins:
            add_origin(out);
            return {};
        case Part::kImported:
            return add_imported(out);
        case Part::kEnd:
            add_end(out);
            return {};
        case Part::kNothing:
            return {};
    }
    return {};
}

void HistoryStream::add_header(std::string& out) {
    ordered_json header;
    header["type"] = "nightshift-history";
    header["format"] = kHistoryFormat;
    header["database"] = database_id_;
    header["from"] = range_.from.value;
    header["to"] = range_.to ? ordered_json(range_.to.value) : ordered_json(nullptr);
    out = chain_.close(dump_json(header));
    part_ = Part::kJobs;
    if (range_.origin.empty()) return;
    last_imported_ = {range_.origin, "job", "", 0, 0, "", {}};
    part_ = Part::kImported;
}

Status HistoryStream::add_jobs(std::string& out) {
    const auto found = context_.queries.finished_after(after_, kJobsPerChunk);
    if (!found) return found.error();
    JobId next = found->next_after;
    for (const JobId id : found->ids) {
        if (range_.to && id.value > range_.to.value) {
            next = {};
            break;
        }
        NIGHTSHIFT_TRY(add_job(id, out));
        if (out.size() >= kChunkBytes && id != found->ids.back()) {
            next = id;
            break;
        }
    }
    if (next && (!range_.to || next.value < range_.to.value)) {
        after_ = next;
    } else {
        part_ = Part::kFires;
    }
    return {};
}

Status HistoryStream::add_job(JobId id, std::string& out) {
    const auto history = context_.queries.job_history(id);
    if (!history && history.error().code == ErrorCode::kCorrupt) {
        const bool goes_on =
            !unreadable_jobs_.empty() && unreadable_jobs_.back().second.value + 1 == id.value;
        if (!goes_on) unreadable_jobs_.emplace_back(id, id);
        unreadable_jobs_.back().second = id;
        return {};
    }
    if (!history) return history.error();
    if (!*history || !is_terminal((*history)->job.state)) return {};
    out += chain_.close(history_job_text(context_, **history));
    ++jobs_;
    return {};
}

Status HistoryStream::add_fires(std::string& out) {
    const auto found = context_.queries.fires_after(schedule_, nominal_, kRowsPerChunk);
    if (!found && found.error().code == ErrorCode::kCorrupt) {
        is_fires_cut_ = true;
        part_ = Part::kUnreadable;
        return load_origins();
    }
    if (!found) return found.error();
    for (const db::StoredFire& fire : *found) {
        out += chain_.close(history_fire_text(fire));
        ++fires_;
        schedule_ = fire.schedule;
        nominal_ = fire.nominal;
    }
    if (static_cast<int>(found->size()) < kRowsPerChunk) {
        part_ = Part::kUnreadable;
        return load_origins();
    }
    return {};
}

Status HistoryStream::load_origins() {
    if (!range_.includes_imported) return {};
    auto found = context_.queries.imported_origins();
    is_imported_cut_ = !found && found.error().code == ErrorCode::kCorrupt;
    if (is_imported_cut_) return {};
    if (!found) return found.error();
    for (auto origin = found->rbegin(); origin != found->rend(); ++origin) {
        // Jobs of this database that a file brought back have their own place: ?origin=.
        if (*origin != database_id_) origins_.push_back(std::move(*origin));
    }
    return {};
}

void HistoryStream::add_origin(std::string& out) {
    if (origins_.empty()) {
        part_ = Part::kEnd;
        return;
    }
    ordered_json line;
    line["type"] = "origin";
    line["database"] = origins_.back();
    out = chain_.close(dump_json(line));
    last_imported_ = {std::move(origins_.back()), "job", "", 0, 0, "", {}};
    origins_.pop_back();
    part_ = Part::kImported;
}

Status HistoryStream::add_imported(std::string& out) {
    const auto found = context_.queries.imported_after(last_imported_, kRowsPerChunk);
    if (!found && found.error().code == ErrorCode::kCorrupt) {
        give_up_origin(out);
        return {};
    }
    if (!found) return found.error();
    std::int64_t& count = last_imported_.type == "job"    ? jobs_
                          : last_imported_.type == "fire" ? fires_
                                                          : unreadable_;
    for (const db::ImportedLine& line : *found) out += chain_.close(line.object);
    count += static_cast<std::int64_t>(found->size());
    if (!found->empty()) {
        last_imported_ = found->back();
    } else if (last_imported_.type == "unreadable") {
        part_ = Part::kOrigins;
    } else {
        last_imported_.type = last_imported_.type == "job" ? "fire" : "unreadable";
        last_imported_.text.clear();
        last_imported_.number = -1;
    }
    return {};
}

void HistoryStream::give_up_origin(std::string& out) {
    ordered_json line;
    line["type"] = "unreadable";
    line["what"] = "the rest";  // sorts behind what else may be unreadable
    out += chain_.close(dump_json(line));
    ++unreadable_;
    part_ = Part::kOrigins;
}

void HistoryStream::add_unreadable(std::string& out) {
    ordered_json line;
    line["type"] = "unreadable";
    if (std::exchange(is_fires_cut_, false)) {
        line["what"] = "fires";
        out += chain_.close(dump_json(line));
        ++unreadable_;
    }
    if (std::exchange(is_imported_cut_, false)) {
        line["what"] = "imported";
        out += chain_.close(dump_json(line));
        ++unreadable_;
    }
    line["what"] = "jobs";
    for (int i = 0; i < kRowsPerChunk && unreadable_told_ < unreadable_jobs_.size(); ++i) {
        line["from"] = unreadable_jobs_[unreadable_told_].first.value;
        line["to"] = unreadable_jobs_[unreadable_told_].second.value;
        out += chain_.close(dump_json(line));
        ++unreadable_told_;
        ++unreadable_;
    }
    if (unreadable_told_ == unreadable_jobs_.size()) part_ = Part::kOrigins;
}

void HistoryStream::add_end(std::string& out) {
    ordered_json line;
    line["type"] = "end";
    line["jobs"] = jobs_;
    line["fires"] = fires_;
    line["unreadable"] = unreadable_;
    out = chain_.close(dump_json(line));
    part_ = Part::kNothing;
}

}  // namespace nightshift::api
