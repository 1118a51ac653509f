#pragma once

#include <optional>

#include "jobs/basic/output_log.h"

namespace nightshift::jobs {

/// A program's stdout and stderr on their way into the attempt's log. The worker stands between them so
/// that neither a limit nor a full disk reaches the program as a failed write. The job's thread only.
class OutputPipe {
  public:
    /// At most `max` bytes reach `log_fd`; 0 = there is no pipe, the program writes to the caller's stdout.
    OutputPipe(int log_fd, Bytes max);
    ~OutputPipe();
    OutputPipe(const OutputPipe&) = delete;
    OutputPipe& operator=(const OutputPipe&) = delete;

    /// For the program; -1 = the caller's own stdout.
    int write_end() const { return write_end_; }
    /// The program has its copy; room for words about its output is kept from here on.
    void program_started();
    /// To be polled for reading; -1 = nobody writes any more.
    int read_end() const { return read_end_; }
    /// Moves what is there, at most kPumpBytesMax, without waiting.
    void pump();
    /// After the end of the program: moves what is left in the pipe, whoever still holds the other end.
    void finish();

  private:
    /// Bytes moved; 0 = the pipe is empty or closed.
    std::size_t move_some();

    int read_end_ = -1;
    int write_end_ = -1;
    std::optional<OutputLog> log_;
};

/// A program that prints without end must not keep the worker from hearing a cancel.
inline constexpr std::size_t kPumpBytesMax = 1024 * 1024;

}  // namespace nightshift::jobs
