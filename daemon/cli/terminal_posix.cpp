#include "daemon/cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

namespace nightshift::cli {

bool is_terminal_out() {
    return isatty(STDOUT_FILENO) == 1;
}

bool is_terminal_in() {
    return isatty(STDIN_FILENO) == 1;
}

int terminal_columns() {
    winsize size{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 100;
    return size.ws_col;
}

}  // namespace nightshift::cli
