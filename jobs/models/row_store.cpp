#include "jobs/models/row_store.h"

#include <algorithm>
#include <utility>

#include "jobs/runtime/sha256.h"

namespace nightshift::jobs {
namespace {

constexpr std::int64_t kHashedRows = 4096;

template <typename T>
std::span<const char> bytes_of_rows(std::span<const T> values) {
    return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

}  // namespace

template <typename T>
RowStore<T>::RowStore(std::int64_t columns, std::vector<T> values)
    : columns_(columns),
      rows_(columns > 0 ? static_cast<std::int64_t>(values.size()) / columns : 0),
      memory_(std::move(values)) {}

template <typename T>
void RowStore<T>::append(std::span<const T> values) {
    if (!file_ && !room_.folder.empty() &&
        (memory_.size() + values.size()) * sizeof(T) > room_.memory_bytes) {
        file_.emplace(room_.folder);
        file_->append(bytes_of_rows(std::span<const T>(memory_)));
        memory_ = std::vector<T>();
    }
    if (file_) {
        file_->append(bytes_of_rows(values));
    } else {
        memory_.insert(memory_.end(), values.begin(), values.end());
    }
    if (columns_ > 0) rows_ += static_cast<std::int64_t>(values.size()) / columns_;
}

template <typename T>
void RowStore<T>::read(std::int64_t first, std::span<T> out) const {
    const auto at = static_cast<std::size_t>(first * columns_);
    if (file_) {
        file_->read(at * sizeof(T), {reinterpret_cast<char*>(out.data()), out.size_bytes()});
        return;
    }
    const auto from = std::span<const T>(memory_).subspan(at, out.size());
    std::copy(from.begin(), from.end(), out.begin());
}

template <typename T>
void RowStore<T>::gather(std::span<const std::int64_t> which, std::span<T> out) const {
    const auto width = static_cast<std::size_t>(columns_);
    for (std::size_t begin = 0; begin < which.size();) {
        std::size_t end = begin + 1;
        while (end < which.size() && which[end] == which[end - 1] + 1) ++end;
        read(which[begin], out.subspan(begin * width, (end - begin) * width));
        begin = end;
    }
}

template <typename T>
const std::string& RowStore<T>::hash() const {
    if (!hash_.empty()) return hash_;
    Sha256 hash;
    std::vector<T> block;
    for (std::int64_t first = 0; first < rows_; first += kHashedRows) {
        block.resize(static_cast<std::size_t>(std::min(kHashedRows, rows_ - first) * columns_));
        read(first, block);
        hash.update(std::as_bytes(std::span<const T>(block)));
    }
    return hash_ = hash.hex();
}

template <typename T>
std::span<const T> RowStore<T>::all() const {
    if (!file_) return memory_;
    const std::span<const char> bytes = file_->mapped();
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
}

SharedRows shared_rows(std::int64_t columns, std::vector<float> values) {
    return std::make_shared<const RowStore<float>>(columns, std::move(values));
}

template class RowStore<float>;
template class RowStore<double>;

}  // namespace nightshift::jobs
