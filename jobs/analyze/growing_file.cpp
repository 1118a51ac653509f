#include "jobs/analyze/growing_file.h"

#include <system_error>

#include "jobs/runtime/durable_file.h"
#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {

namespace fs = std::filesystem;

GrowingFile::GrowingFile(const fs::path& file, std::string_view header, const std::optional<fs::path>& saved)
    : file_(file), temporary_(file.string() + ".tmp") {
    if (saved) {
        std::error_code error;
        fs::copy_file(*saved / file_.filename(), temporary_, fs::copy_options::overwrite_existing, error);
        require(!error);
    }
    out_.open(temporary_, std::ios::binary | (saved ? std::ios::app : std::ios::trunc));
    require(out_.good());
    if (!saved) append(header);
}

void GrowingFile::append(std::string_view text) {
    out_ << text;
    require(out_.good());
}

void GrowingFile::save(const fs::path& folder) {
    out_.flush();
    require(out_.good());
    std::error_code error;
    fs::copy_file(temporary_, folder / file_.filename(), fs::copy_options::overwrite_existing, error);
    require(!error);
}

void GrowingFile::finish() {
    out_.close();
    require(out_.good());
    rename_durably(temporary_, file_);
}

void GrowingFile::require(bool is_good) const {
    if (is_good) return;
    throw JobError("io_error", file_.string() + ": could not be written; is the disk full?");
}

}  // namespace nightshift::jobs
