// The functions that the worker finds by name.
#include "jobs/table/arrow_module.h"

#include "jobs/table/arrow/arrow_files.h"

extern "C" {

int nightshift_arrow_module_version() {
    return nightshift::jobs::kArrowModuleVersion;
}

void nightshift_arrow_open(const char* path, int format, nightshift::jobs::ArrowOpened& out) {
    nightshift::jobs::open_arrow_file(path, static_cast<nightshift::jobs::TableFormat>(format), out);
}

void nightshift_arrow_create(const char* path, int format,
                             const std::vector<nightshift::jobs::ColumnHead>& columns,
                             const std::map<std::string, std::string>& notes,
                             nightshift::jobs::ByteListener* listener, nightshift::jobs::ArrowCreated& out) {
    nightshift::jobs::create_arrow_file(path, static_cast<nightshift::jobs::TableFormat>(format), columns,
                                        notes, listener, out);
}

}  // extern "C"
