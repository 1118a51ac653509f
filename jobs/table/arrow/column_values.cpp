#include "jobs/table/arrow/column_values.h"

#include <limits>
#include <type_traits>

#include <arrow/api.h>

namespace nightshift::jobs {
namespace {

/// Empty; keeps the memory of numbers or words that were there.
template <typename T>
std::vector<T>& list_of(Column::Values& values) {
    auto* list = std::get_if<std::vector<T>>(&values);
    if (list == nullptr) return values.emplace<std::vector<T>>();
    list->clear();
    return *list;
}

template <typename Array>
void take_numbers(const arrow::Array& chunk, Column::Values& values) {
    const auto& typed = static_cast<const Array&>(chunk);
    auto& out = list_of<double>(values);
    if constexpr (!std::is_same_v<Array, arrow::BooleanArray>) {
        if (typed.null_count() == 0)
            return out.assign(typed.raw_values(), typed.raw_values() + typed.length());
    }
    out.reserve(static_cast<std::size_t>(typed.length()));
    for (std::int64_t i = 0; i < typed.length(); ++i) {
        out.push_back(typed.IsNull(i) ? std::numeric_limits<double>::quiet_NaN()
                                      : static_cast<double>(typed.Value(i)));
    }
}

void take_floats(const arrow::Array& chunk, Column::Values& values) {
    const auto& typed = static_cast<const arrow::FloatArray&>(chunk);
    auto& out = list_of<float>(values);
    if (typed.null_count() == 0) return out.assign(typed.raw_values(), typed.raw_values() + typed.length());
    out.reserve(static_cast<std::size_t>(typed.length()));
    for (std::int64_t i = 0; i < typed.length(); ++i)
        out.push_back(typed.IsNull(i) ? std::numeric_limits<float>::quiet_NaN() : typed.Value(i));
}

template <typename Array>
void take_words(const arrow::Array& chunk, Column::Values& values) {
    const auto& typed = static_cast<const Array&>(chunk);
    auto& out = list_of<std::string>(values);
    out.reserve(static_cast<std::size_t>(typed.length()));
    for (std::int64_t i = 0; i < typed.length(); ++i)
        out.push_back(typed.IsNull(i) ? std::string() : typed.GetString(i));
}

}  // namespace

CopyValues copy_of(arrow::Type::type type) {
    switch (type) {
        case arrow::Type::DOUBLE:
            return take_numbers<arrow::DoubleArray>;
        case arrow::Type::FLOAT:
            return take_floats;
        case arrow::Type::INT64:
            return take_numbers<arrow::Int64Array>;
        case arrow::Type::INT32:
            return take_numbers<arrow::Int32Array>;
        case arrow::Type::INT16:
            return take_numbers<arrow::Int16Array>;
        case arrow::Type::INT8:
            return take_numbers<arrow::Int8Array>;
        case arrow::Type::UINT64:
            return take_numbers<arrow::UInt64Array>;
        case arrow::Type::UINT32:
            return take_numbers<arrow::UInt32Array>;
        case arrow::Type::UINT16:
            return take_numbers<arrow::UInt16Array>;
        case arrow::Type::UINT8:
            return take_numbers<arrow::UInt8Array>;
        case arrow::Type::BOOL:
            return take_numbers<arrow::BooleanArray>;
        case arrow::Type::STRING:
            return take_words<arrow::StringArray>;
        case arrow::Type::LARGE_STRING:
            return take_words<arrow::LargeStringArray>;
        case arrow::Type::STRING_VIEW:
            return take_words<arrow::StringViewArray>;
        default:
            return nullptr;
    }
}

ColumnHead::Type column_type_of(arrow::Type::type type) {
    if (type == arrow::Type::FLOAT) return ColumnHead::Type::kFloat;
    const bool is_text =
        type == arrow::Type::STRING || type == arrow::Type::LARGE_STRING || type == arrow::Type::STRING_VIEW;
    return is_text ? ColumnHead::Type::kText : ColumnHead::Type::kDouble;
}

}  // namespace nightshift::jobs
