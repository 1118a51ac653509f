#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "scheduler/result.h"

namespace nightshift {

// The form of a history: a file of JSON objects, one a line. A header names the database it comes from; ended
// jobs by id, fires of schedules, and what could not be read follow; then, for each other database whose
// history was imported, a line of type `origin` and the same again; at the end the counts. `chain`, the last
// member of each line, is the SHA-256 of the chain of the line before and this line's text without it: what
// was changed, dropped, added or moved breaks the chain there.

inline constexpr int kHistoryFormat = 1;
inline constexpr std::size_t kHistoryLineBytesMax = 4U * 1024 * 1024;

/// SHA-256 in lower-case hex; whoever uses this file brings it along.
using HexDigest = std::string (*)(std::string_view bytes);

class HistoryChain {
  public:
    explicit HistoryChain(HexDigest sha256) : sha256_(sha256) {}
    /// The line of an object (its text, braces included) behind those before it, with its line feed.
    std::string close(std::string_view object);
    /// The text of the object that the next line was made of. Fails: invalid_argument "history_broken".
    Result<std::string> open(std::string_view line);
    const std::string& last() const { return last_; }

  private:
    HexDigest sha256_;
    std::string last_;
};

/// What a line says of itself. Within an origin, lines rise by type, `text` and `number`.
struct HistoryLine {
    enum class Type { kHeader, kOrigin, kJob, kFire, kUnreadable, kEnd };
    Type type = Type::kJob;
    std::string database;      ///< of a header or an origin
    std::int64_t format = 0;   ///< of a header
    std::int64_t number = 0;   ///< a job's id; the first id that could not be read
    std::string text;          ///< a fire's schedule and nominal time; what could not be read
    std::int64_t version = 0;  ///< of a job: rises with every change
    std::int64_t jobs = 0, fires = 0, unreadable = 0;  ///< of an end: lines of each type
};

/// What a whole history adds up to.
struct HistoryFacts {
    std::string database;  ///< the one that wrote the file
    std::string chain;     ///< of the newest line: names the content
    std::int64_t jobs = 0, fires = 0, unreadable = 0;
    std::int64_t origins = 0;  ///< other databases whose history is in it
    std::int64_t lines = 0;
};

/// Reads a history as its bytes come and refuses it at the first line that is not what was written, with
/// that line's number. Keeps one line in memory.
class HistoryReader {
  public:
    /// Reads an object's text. Fails with words that go on after "Line 7 of the history ".
    using Parse = std::function<Result<HistoryLine>(const std::string& object)>;
    /// Gets each job, fire and unreadable line, with the database it comes from and its text.
    using Take = std::function<void(const std::string& origin, const HistoryLine& line, std::string object)>;

    HistoryReader(HexDigest sha256, Parse parse, Take take);
    /// Fails: invalid_argument "history_broken"; unsupported "history_newer". Nothing is taken after that.
    Status read(std::string_view bytes);
    /// After the last byte. Fails: invalid_argument "history_cut".
    Status finish() const;
    const HistoryFacts& facts() const { return facts_; }

  private:
    Status look_at(const std::string& text);
    Status check_place(const HistoryLine& line);
    Status check_origin(const HistoryLine& line);
    Error refusal(const std::string& why) const;

    HistoryChain chain_;
    Parse parse_;
    Take take_;
    std::string rest_;
    HistoryFacts facts_;
    std::string origin_;
    HistoryLine last_;
    bool is_over_ = false;
};

}  // namespace nightshift
