#include <algorithm>

#include <nlohmann/json.hpp>

#include "api/file_stream.h"
#include "api/handlers/handlers.h"
#include "api/job_files.h"
#include "api/media_type.h"

namespace nightshift::api::handle {
namespace {

using nlohmann::ordered_json;

/// What a report may do in the tab it is opened in: show itself, and nothing else.
constexpr const char* kSandbox = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:";

std::string without_slash(std::string name) {
    while (!name.empty() && name.back() == '/') name.pop_back();
    return name;
}

/// Percent-encodes all but unreserved characters; slashes stay.
std::string encoded(const std::string& text) {
    static constexpr char kDigits[] = "0123456789ABCDEF";
    std::string out;
    for (char c : text) {
        const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                              std::string_view("-._~/").find(c) != std::string_view::npos;
        if (is_plain) {
            out += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out += '%';
            out += kDigits[byte >> 4];
            out += kDigits[byte & 15];
        }
    }
    return out;
}

std::string artifact_url(JobId job, const std::string& name) {
    return "/api/v1/jobs/" + std::to_string(job.value) + "/artifacts/" + encoded(name);
}

/// The newest attempt's artifact of that name: the recorded list decides, never the disk.
Result<db::StoredArtifact> recorded(Context& context, JobId job, const std::string& name) {
    const auto list = context.queries.artifacts(job);
    if (!list) return list.error();
    const db::StoredArtifact* found = nullptr;
    for (const db::StoredArtifact& artifact : *list) {
        const bool is_named = without_slash(artifact.name) == without_slash(name);
        if (is_named && (found == nullptr || artifact.attempt > found->attempt)) found = &artifact;
    }
    if (found != nullptr) return *found;
    return Error{
        ErrorCode::kNotFound, "no_such_artifact",
        "Job " + std::to_string(job.value) + " has recorded no artifact " + name.substr(0, 200) + ".",
        "GET " + artifact_url(job, "").substr(0, 200) + " lists them.", ""};
}

Result<Response> file_answer(Context& context, JobId job, const db::StoredArtifact& artifact) {
    const std::string path = "jobs/" + std::to_string(job.value) + "/" + std::to_string(artifact.attempt) +
                             "/output/" + without_slash(artifact.name);
    auto file = open_below(context.commands.status().data_folder, path);
    if (!file) return file.error();
    Response response;
    response.content_type = media_type_of(artifact.name);
    response.stream_bytes = static_cast<std::uint64_t>(file->size());
    response.stream =
        std::make_shared<FileStream>(std::move(*file), static_cast<std::int64_t>(*response.stream_bytes));
    return response;
}

}  // namespace

void list_artifacts(Context& context, const RequestPtr& request, Respond respond) {
    const auto job = job_of(context, *request);
    if (!job) return respond(error_answer(*request, job.error()));
    const auto list = context.queries.artifacts(job->id);
    if (!list) return respond(error_answer(*request, list.error()));
    ordered_json body;
    body["job"] = job->id.value;
    body["artifacts"] = ordered_json::array();
    for (const db::StoredArtifact& artifact : *list) {
        const bool is_newest = std::none_of(list->begin(), list->end(), [&](const db::StoredArtifact& other) {
            return other.name == artifact.name && other.attempt > artifact.attempt;
        });
        if (!is_newest) continue;
        ordered_json row;
        row["name"] = artifact.name;
        row["type"] = artifact.type;
        row["bytes"] = artifact.bytes.value;
        row["sha256"] = artifact.sha256;
        row["attempt"] = artifact.attempt;
        row["url"] = artifact_url(job->id, artifact.name);
        body["artifacts"].push_back(std::move(row));
    }
    respond(json_answer(body));
}

void get_artifact(Context& context, const RequestPtr& request, Respond respond) {
    const auto job = job_of(context, *request);
    if (!job) return respond(error_answer(*request, job.error()));
    const auto artifact = recorded(context, job->id, request->param("name"));
    if (!artifact) return respond(error_answer(*request, artifact.error()));
    auto response = file_answer(context, job->id, *artifact);
    if (!response) return respond(error_answer(*request, response.error()));
    const std::string base = artifact->name.substr(artifact->name.rfind('/') + 1);
    response->headers.emplace_back("Content-Disposition", "attachment; filename*=UTF-8''" + encoded(base));
    response->headers.emplace_back("Content-Security-Policy", "sandbox; default-src 'none'");
    if (!artifact->sha256.empty()) response->headers.emplace_back("ETag", "\"" + artifact->sha256 + "\"");
    respond(std::move(*response));
}

void make_ticket(Context& context, const RequestPtr& request, Respond respond) {
    const auto job = job_of(context, *request);
    if (!job) return respond(error_answer(*request, job.error()));
    const auto artifact = recorded(context, job->id, request->param("name"));
    if (!artifact) return respond(error_answer(*request, artifact.error()));
    const std::string code =
        context.credentials.mint_ticket({job->id.value, artifact->name}, context.commands.now());
    respond(json_answer({{"url", "/ticket/" + code}, {"expires_in", kCodeLifetime.value / 1000}}, 201));
}

void open_ticket(Context& context, const RequestPtr& request, Respond respond) {
    const auto ticket = context.credentials.find_ticket(request->param("code"), context.commands.now());
    if (!ticket) {
        return respond(error_answer(
            *request, Error{ErrorCode::kNotFound, "no_such_ticket", "The ticket is unknown or has expired.",
                            "Open the report from the dashboard again; a ticket lasts 60 seconds.", ""}));
    }
    const auto artifact = recorded(context, JobId{ticket->job}, ticket->artifact);
    if (!artifact) return respond(error_answer(*request, artifact.error()));
    auto response = file_answer(context, JobId{ticket->job}, *artifact);
    if (!response) return respond(error_answer(*request, response.error()));
    response->headers.emplace_back("Content-Security-Policy", kSandbox);
    respond(std::move(*response));
}

}  // namespace nightshift::api::handle
