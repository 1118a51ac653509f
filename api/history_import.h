#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/context.h"
#include "api/history_intake.h"
#include "api/http_types.h"
#include "scheduler/history_file.h"

namespace nightshift::api {

/// POST /api/v1/history: holds each line against the chain as it comes and hands it on in portions; the
/// answer is made when the last one is there. After a refusal the rest of the body is read and dropped, so
/// that the client gets to read why. Thread: the loop.
class HistoryImport : public BodySink, public std::enable_shared_from_this<HistoryImport> {
  public:
    HistoryImport(Context& context, RequestPtr request);
    void take(std::string_view bytes, std::function<void(bool)> more) override;
    void finish(bool is_complete) override;
    void answer(Respond respond) override;

  private:
    static constexpr std::size_t kPortionBytes = 256 * 1024;
    static constexpr std::size_t kPortionLines = 256;

    void keep(const std::string& origin, const HistoryLine& line, std::string object);
    /// Stores what has come so far, then goes on; with `error_` set where it was refused.
    void store(std::function<void()> then);
    void refuse(Error error);
    Response summary(const db::ImportCounts& counts) const;

    Context& context_;
    RequestPtr request_;
    HistoryReader reader_;
    std::vector<db::ImportedLine> lines_;
    std::size_t bytes_ = 0;
    std::shared_ptr<HistoryIntake> intake_;
    std::optional<Error> error_;
    bool is_complete_ = false;
};

}  // namespace nightshift::api
