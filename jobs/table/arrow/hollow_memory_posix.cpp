#include "jobs/table/arrow/hollow_memory.h"

#include <cerrno>
#include <cstring>

#include <sys/mman.h>

namespace nightshift::jobs {
namespace {

class Mapping final : public arrow::MutableBuffer {
  public:
    Mapping(void* start, std::int64_t bytes)
        : arrow::MutableBuffer(static_cast<std::uint8_t*>(start), bytes), start_(start) {}
    ~Mapping() override { ::munmap(start_, static_cast<std::size_t>(size())); }
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;

  private:
    void* start_;
};

}  // namespace

arrow::Result<std::shared_ptr<arrow::MutableBuffer>> hollow_memory(std::int64_t bytes) {
    if (bytes == 0) return std::make_shared<arrow::MutableBuffer>(nullptr, 0);
    void* start = ::mmap(nullptr, static_cast<std::size_t>(bytes), PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED)
        return arrow::Status::OutOfMemory("no room for a batch of ", bytes, " bytes: ", std::strerror(errno));
    return std::make_shared<Mapping>(start, bytes);
}

}  // namespace nightshift::jobs
