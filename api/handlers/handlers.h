#pragma once

#include "api/answer.h"
#include "api/context.h"
#include "api/http_types.h"
#include "api/submit_codec.h"

/// One function for each row of the table in api/routes.cpp.
namespace nightshift::api::handle {

// health.cpp, prometheus.cpp, overview.cpp
void livez(Context& context, const RequestPtr& request, Respond respond);
void readyz(Context& context, const RequestPtr& request, Respond respond);
void metrics(Context& context, const RequestPtr& request, Respond respond);
void openapi(Context& context, const RequestPtr& request, Respond respond);
void status(Context& context, const RequestPtr& request, Respond respond);
void kinds(Context& context, const RequestPtr& request, Respond respond);

// storage.cpp
void self_check(Context& context, const RequestPtr& request, Respond respond);
void list_backups(Context& context, const RequestPtr& request, Respond respond);
void make_backup(Context& context, const RequestPtr& request, Respond respond);

// history.cpp
void history(Context& context, const RequestPtr& request, Respond respond);
void import_history(Context& context, const RequestPtr& request, Respond respond);
void list_imports(Context& context, const RequestPtr& request, Respond respond);
void list_imported(Context& context, const RequestPtr& request, Respond respond);

// submit.cpp, batch.cpp
void submit(Context& context, const RequestPtr& request, Respond respond);
void batch(Context& context, const RequestPtr& request, Respond respond);

// jobs.cpp, job_edit.cpp, job_actions.cpp
void list_jobs(Context& context, const RequestPtr& request, Respond respond);
void get_job(Context& context, const RequestPtr& request, Respond respond);
void patch_job(Context& context, const RequestPtr& request, Respond respond);
void delete_job(Context& context, const RequestPtr& request, Respond respond);
void cancel(Context& context, const RequestPtr& request, Respond respond);
void hold(Context& context, const RequestPtr& request, Respond respond);
void release(Context& context, const RequestPtr& request, Respond respond);
void preempt(Context& context, const RequestPtr& request, Respond respond);
void retry(Context& context, const RequestPtr& request, Respond respond);
void move(Context& context, const RequestPtr& request, Respond respond);
void why(Context& context, const RequestPtr& request, Respond respond);

// log.cpp, curves.cpp, artifacts.cpp, events.cpp
void log(Context& context, const RequestPtr& request, Respond respond);
void curves(Context& context, const RequestPtr& request, Respond respond);
void list_artifacts(Context& context, const RequestPtr& request, Respond respond);
void get_artifact(Context& context, const RequestPtr& request, Respond respond);
void make_ticket(Context& context, const RequestPtr& request, Respond respond);
void open_ticket(Context& context, const RequestPtr& request, Respond respond);
void job_events(Context& context, const RequestPtr& request, Respond respond);
void events(Context& context, const RequestPtr& request, Respond respond);

// projections.cpp
void night_contract(Context& context, const RequestPtr& request, Respond respond);
void replay(Context& context, const RequestPtr& request, Respond respond);

// schedules.cpp, schedule_edit.cpp
void list_schedules(Context& context, const RequestPtr& request, Respond respond);
void create_schedule(Context& context, const RequestPtr& request, Respond respond);
void get_schedule(Context& context, const RequestPtr& request, Respond respond);
void put_schedule(Context& context, const RequestPtr& request, Respond respond);
void delete_schedule(Context& context, const RequestPtr& request, Respond respond);
void run_schedule(Context& context, const RequestPtr& request, Respond respond);
void pause_schedule(Context& context, const RequestPtr& request, Respond respond);
void resume_schedule(Context& context, const RequestPtr& request, Respond respond);
void next_fires(Context& context, const RequestPtr& request, Respond respond);

// policy.cpp, queue.cpp, gpu.cpp, session.cpp, static_files.cpp
void get_policy(Context& context, const RequestPtr& request, Respond respond);
void put_policy(Context& context, const RequestPtr& request, Respond respond);
void pause_queue(Context& context, const RequestPtr& request, Respond respond);
void resume_queue(Context& context, const RequestPtr& request, Respond respond);
void shut_down(Context& context, const RequestPtr& request, Respond respond);
void gpu(Context& context, const RequestPtr& request, Respond respond);
void gpu_history(Context& context, const RequestPtr& request, Respond respond);
void mint_code(Context& context, const RequestPtr& request, Respond respond);
void open_session(Context& context, const RequestPtr& request, Respond respond);
void close_session(Context& context, const RequestPtr& request, Respond respond);
void static_file(Context& context, const RequestPtr& request, Respond respond);

/// What submits of this moment are checked with.
SubmitDefaults submit_defaults(Context& context);

}  // namespace nightshift::api::handle
