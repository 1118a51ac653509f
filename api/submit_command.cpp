#include "api/submit_command.h"

#include <algorithm>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "api/params_check.h"

namespace nightshift::api {
namespace {

using nlohmann::json;

constexpr std::size_t kArgumentsMax = 4096;
constexpr std::size_t kEnvMax = 256;

void read_arguments(FieldReader& fields, const json& command, JobSpec& spec) {
    const auto is_argument = [](const json& part) {
        return part.is_string() && part.get_ref<const std::string&>().find('\0') == std::string::npos;
    };
    const bool is_list = command.is_array() && !command.empty() && command.size() <= kArgumentsMax &&
                         std::all_of(command.begin(), command.end(), is_argument) &&
                         !command[0].get_ref<const std::string&>().empty();
    if (!is_list) {
        fields.fail("command", "command_not_a_list",
                    "`command` has to be a list of strings, the program first (at most 4,096).",
                    "Write [\"python3\", \"train.py\"].");
        return;
    }
    for (const json& part : command) spec.command.push_back(part.get<std::string>());
}

}  // namespace

void read_command(FieldReader& fields, const SubmitDefaults& defaults, bool is_known_kind, JobSpec& spec,
                  std::vector<Error>& errors) {
    const bool is_command = spec.kind == "command";
    const json* command = fields.take("command");
    if (command != nullptr && command->is_string()) {
        fields.fail(
            "command", "command_not_a_list",
            "`command` is a list of arguments, not one string: no shell is involved.",
            "Write [\"python3\", \"train.py\"], or [\"sh\", \"-c\", \"...\"] where a shell is wanted.");
    } else if (command != nullptr) {
        read_arguments(fields, *command, spec);
    } else if (is_command) {
        fields.fail("command", "missing_field", "`command` is missing.",
                    "Write [\"python3\", \"train.py\"].");
    }
    const auto cwd = fields.text("cwd");
    if (cwd && check_path(*cwd, "/cwd", defaults, true, errors)) spec.cwd = *cwd;
    if (auto env = fields.texts("env", kEnvMax)) {
        for (const auto& [name, value] : *env) {
            if (name.find('=') == std::string::npos && name.rfind("NIGHTSHIFT_", 0) != 0) continue;
            errors.push_back({ErrorCode::kInvalidArgument, "reserved_env",
                              "The variable `" + name + "` cannot be set.",
                              "Names have no \"=\", and NIGHTSHIFT_... belongs to the daemon.",
                              "/env/" + escape_pointer(name)});
        }
        spec.env = std::move(*env);
    }
    if (is_command || !is_known_kind) return;
    for (const char* name : {"command", "cwd", "env"}) {
        const bool is_given = name == std::string_view("command") ? command != nullptr
                              : name == std::string_view("cwd")   ? cwd.has_value()
                                                                  : !spec.env.empty();
        if (is_given) {
            fields.fail(name, "not_for_this_kind",
                        std::string("`") + name + "` belongs to the kind `command` only.",
                        "Use `params` for the kind `" + spec.kind + "`.");
        }
    }
}

}  // namespace nightshift::api
