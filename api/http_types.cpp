#include "api/http_types.h"

namespace nightshift::api {

Method parse_method(std::string_view text) {
    if (text == "GET") return Method::kGet;
    if (text == "HEAD") return Method::kHead;
    if (text == "POST") return Method::kPost;
    if (text == "PUT") return Method::kPut;
    if (text == "PATCH") return Method::kPatch;
    if (text == "DELETE") return Method::kDelete;
    return Method::kOther;
}

std::string_view to_string(Method method) {
    switch (method) {
        case Method::kGet:
            return "GET";
        case Method::kHead:
            return "HEAD";
        case Method::kPost:
            return "POST";
        case Method::kPut:
            return "PUT";
        case Method::kPatch:
            return "PATCH";
        case Method::kDelete:
            return "DELETE";
        case Method::kOther:
            return "OTHER";
    }
    return "OTHER";
}

std::string_view to_string(Role role) {
    switch (role) {
        case Role::kNone:
            return "none";
        case Role::kViewer:
            return "viewer";
        case Role::kOperator:
            return "operator";
        case Role::kAdmin:
            return "admin";
    }
    return "none";
}

std::optional<Role> parse_role(std::string_view text) {
    for (Role role : {Role::kViewer, Role::kOperator, Role::kAdmin}) {
        if (to_string(role) == text) return role;
    }
    return std::nullopt;
}

const std::string* RequestHead::find(std::string_view name) const {
    for (const Field& field : fields) {
        if (field.name == name) return &field.value;
    }
    return nullptr;
}

const std::string& Request::param(std::string_view name) const {
    static const std::string kEmpty;
    for (const auto& [key, value] : params) {
        if (key == name) return value;
    }
    return kEmpty;
}

const std::string* Request::query_value(std::string_view name) const {
    for (const auto& [key, value] : query) {
        if (key == name) return &value;
    }
    return nullptr;
}

void BodySink::answer(Respond respond) {
    respond(Response());  // the stream beside it has said everything
}

}  // namespace nightshift::api
