#include <array>

#include "api/handlers/handlers.h"
#include "api/router.h"

namespace nightshift::api {
namespace {

constexpr Role kPublic = Role::kNone;
constexpr Role kViewer = Role::kViewer;
constexpr Role kOperator = Role::kOperator;
constexpr Role kAdmin = Role::kAdmin;

constexpr Route get(std::string_view pattern, Role role, Handler handler) {
    return {Method::kGet, pattern, role, BodyKind::kNone, handler};
}
constexpr Route post(std::string_view pattern, Role role, Handler handler, BodyKind body = BodyKind::kNone) {
    return {Method::kPost, pattern, role, body, handler};
}
constexpr Route change(Method method, std::string_view pattern, Role role, Handler handler,
                       BodyKind body = BodyKind::kNone) {
    return {method, pattern, role, body, handler};
}

// Every URL, who may use it, and who answers. Each row also stands in openapi.json.
constexpr std::array kRoutes{
    get("/livez", kPublic, handle::livez),
    get("/readyz", kPublic, handle::readyz),
    get("/metrics", kViewer, handle::metrics),
    get("/api/v1/openapi.json", kViewer, handle::openapi),
    get("/api/v1/status", kViewer, handle::status),
    get("/api/v1/kinds", kViewer, handle::kinds),
    get("/api/v1/selfcheck", kViewer, handle::self_check),
    get("/api/v1/backup", kViewer, handle::list_backups),
    post("/api/v1/backup", kAdmin, handle::make_backup),

    get("/api/v1/history", kViewer, handle::history),
    post("/api/v1/history", kAdmin, handle::import_history, BodyKind::kNdjson),
    get("/api/v1/history/imports", kViewer, handle::list_imports),
    get("/api/v1/history/jobs", kViewer, handle::list_imported),

    get("/api/v1/jobs", kViewer, handle::list_jobs),
    post("/api/v1/jobs", kOperator, handle::submit, BodyKind::kJson),
    post("/api/v1/jobs:batch", kOperator, handle::batch, BodyKind::kNdjson),
    get("/api/v1/jobs/{id}", kViewer, handle::get_job),
    change(Method::kPatch, "/api/v1/jobs/{id}", kOperator, handle::patch_job, BodyKind::kJson),
    change(Method::kDelete, "/api/v1/jobs/{id}", kOperator, handle::delete_job),
    post("/api/v1/jobs/{id}/cancel", kOperator, handle::cancel),
    post("/api/v1/jobs/{id}/retry", kOperator, handle::retry),
    post("/api/v1/jobs/{id}/hold", kOperator, handle::hold),
    post("/api/v1/jobs/{id}/release", kOperator, handle::release),
    post("/api/v1/jobs/{id}/preempt", kOperator, handle::preempt),
    post("/api/v1/jobs/{id}/move", kOperator, handle::move, BodyKind::kJson),
    get("/api/v1/jobs/{id}/why", kViewer, handle::why),
    get("/api/v1/jobs/{id}/log", kViewer, handle::log),
    get("/api/v1/jobs/{id}/metrics", kViewer, handle::curves),
    get("/api/v1/jobs/{id}/events", kViewer, handle::job_events),
    get("/api/v1/jobs/{id}/artifacts", kViewer, handle::list_artifacts),
    post("/api/v1/jobs/{id}/artifacts/{name*}/ticket", kViewer, handle::make_ticket),
    get("/api/v1/jobs/{id}/artifacts/{name*}", kViewer, handle::get_artifact),
    get("/ticket/{code}", kPublic, handle::open_ticket),

    get("/api/v1/schedules", kViewer, handle::list_schedules),
    post("/api/v1/schedules", kOperator, handle::create_schedule, BodyKind::kJson),
    get("/api/v1/schedules/{name}", kViewer, handle::get_schedule),
    change(Method::kPut, "/api/v1/schedules/{name}", kOperator, handle::put_schedule, BodyKind::kJson),
    change(Method::kDelete, "/api/v1/schedules/{name}", kOperator, handle::delete_schedule),
    post("/api/v1/schedules/{name}/run", kOperator, handle::run_schedule),
    post("/api/v1/schedules/{name}/pause", kOperator, handle::pause_schedule),
    post("/api/v1/schedules/{name}/resume", kOperator, handle::resume_schedule),
    get("/api/v1/schedules/{name}/next", kViewer, handle::next_fires),

    get("/api/v1/policy", kViewer, handle::get_policy),
    change(Method::kPut, "/api/v1/policy", kAdmin, handle::put_policy, BodyKind::kJson),
    get("/api/v1/plan", kViewer, handle::night_contract),
    post("/api/v1/replay", kViewer, handle::replay, BodyKind::kJson),
    post("/api/v1/queue/pause", kOperator, handle::pause_queue, BodyKind::kJson),
    post("/api/v1/queue/resume", kOperator, handle::resume_queue),
    post("/api/v1/shutdown", kAdmin, handle::shut_down, BodyKind::kJson),
    get("/api/v1/gpu", kViewer, handle::gpu),
    get("/api/v1/gpu/history", kViewer, handle::gpu_history),
    get("/api/v1/events", kViewer, handle::events),

    post("/api/v1/session/code", kOperator, handle::mint_code),
    post("/api/v1/session", kPublic, handle::open_session, BodyKind::kJson),
    change(Method::kDelete, "/api/v1/session", kViewer, handle::close_session),

    get("/", kPublic, handle::static_file),
    get("/{path*}", kPublic, handle::static_file),
};

}  // namespace

std::span<const Route> routes() {
    return kRoutes;
}

}  // namespace nightshift::api
