#pragma once

namespace nightshift::cli {

bool is_terminal_out();  ///< stdout is shown to a person
bool is_terminal_in();   ///< a person could answer a question
int terminal_columns();  ///< width of the terminal, 100 when there is none

}  // namespace nightshift::cli
