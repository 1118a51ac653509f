#pragma once

namespace CLI {
class App;
}

namespace nightshift::cli {

struct Session;

// Each adds a family of verbs. A verb's callback does its work while the arguments are parsed, writes to
// stdout, and leaves its exit code in the session or throws Failure. `session` outlives `app`.
void add_daemon_verbs(CLI::App& app, Session& session);    ///< up down open status
void add_doctor_verb(CLI::App& app, Session& session);     ///< doctor
void add_submit_verbs(CLI::App& app, Session& session);    ///< run submit
void add_list_verbs(CLI::App& app, Session& session);      ///< ls show
void add_why_verb(CLI::App& app, Session& session);        ///< why
void add_log_verb(CLI::App& app, Session& session);        ///< logs
void add_wait_verb(CLI::App& app, Session& session);       ///< wait
void add_act_verbs(CLI::App& app, Session& session);       ///< cancel hold release retry preempt move edit
void add_schedule_verbs(CLI::App& app, Session& session);  ///< schedule …
void add_policy_verbs(CLI::App& app, Session& session);    ///< policy …, pause, resume
void add_plan_verbs(CLI::App& app, Session& session);      ///< plan replay
void add_machine_verbs(CLI::App& app, Session& session);   ///< gpu kinds token
void add_storage_verbs(CLI::App& app, Session& session);   ///< backup, restore
void add_history_verbs(CLI::App& app, Session& session);   ///< history …
void add_demo_verb(CLI::App& app, Session& session);       ///< demo

}  // namespace nightshift::cli
