#pragma once

#include <arrow/type_fwd.h>

#include "jobs/table/table.h"

namespace nightshift::jobs {

/// Copies an array of its type into a column, into the memory that is there: text, floats as floats, every
/// other number and bool as double; null = NaN or an empty text.
using CopyValues = void (*)(const arrow::Array& values, Column::Values& out);

/// nullptr for what is neither number nor text.
CopyValues copy_of(arrow::Type::type type);
/// Of a type that has a copy_of().
ColumnHead::Type column_type_of(arrow::Type::type type);

}  // namespace nightshift::jobs
