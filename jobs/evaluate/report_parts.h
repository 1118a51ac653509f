#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>

/// Pieces of which every report page is made. Text arguments are HTML already.
namespace nightshift::jobs {

/// Everything up to the body: one style element, light and dark by the system, nothing from outside.
std::string page_start(const char* title);
std::string heading(const char* ko, const char* en);
std::string cell(const std::string& text, bool is_number = true);
/// A table up to its first row; the first column is text, the others numbers. Ends with
/// "</tbody></table></div>".
std::string head(std::initializer_list<const char*> columns);
/// A large figure under its label, inside an element of class facts.
std::string fact(const std::string& label, const std::string& value);
/// "3 / 12 · 25.0 %"
std::string share(std::int64_t part, std::int64_t whole);

}  // namespace nightshift::jobs
