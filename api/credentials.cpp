#include "api/credentials.h"

#include "api/digest.h"

namespace nightshift::api {
namespace {

constexpr std::size_t kFailuresFree = 10;
constexpr Millis kFailureWindow = minutes(1);
constexpr std::size_t kFailuresKept = 64;
constexpr std::size_t kTokenCharsMax = 256;

/// Keeps a queue of things that expire short: old ones first, then the oldest above the limit.
template <typename Queue>
void trim(Queue& queue, UnixMs now) {
    while (!queue.empty() && (queue.front().expires_at <= now || queue.size() >= kCodesMax))
        queue.pop_front();
}

}  // namespace

void Credentials::set_tokens(std::vector<db::StoredToken> tokens) {
    tokens_ = std::move(tokens);
}

std::optional<Credential> Credentials::check(std::string_view token, UnixMs now) const {
    if (token.empty() || token.size() > kTokenCharsMax) return std::nullopt;
    const std::string hash = sha256_hex(token);
    std::optional<Credential> found;
    for (const db::StoredToken& known : tokens_) {
        // No early exit: the time says nothing about which token was nearly right.
        const bool is_same = equals_in_constant_time(known.sha256, hash);
        const bool is_alive = !known.expires_at || *known.expires_at > now;
        const auto role = parse_role(known.role);
        if (is_same && is_alive && role) found = Credential{known.sha256, *role, known.label};
    }
    return found;
}

std::vector<std::string> Credentials::proofs(int port, std::string_view nonce) const {
    std::vector<std::string> out;
    for (const db::StoredToken& known : tokens_) {
        if (known.expires_at || out.size() == 8) continue;
        std::string proof = proof_of(known.sha256, port, nonce);
        if (!proof.empty()) out.push_back(std::move(proof));
    }
    return out;
}

void Credentials::count_failure(UnixMs now) {
    failures_.push_back(now);
    while (failures_.size() > kFailuresKept) failures_.pop_front();
}

Millis Credentials::refusal_delay(UnixMs now) const {
    std::size_t recent = 0;
    for (UnixMs at : failures_) recent += now - at < kFailureWindow ? 1 : 0;
    return recent > kFailuresFree ? seconds(1) : Millis{0};
}

std::string Credentials::mint_code(Role role, UnixMs now) {
    trim(codes_, now);
    std::string code = random_hex(32);
    codes_.push_back({sha256_hex(code), role, now + kCodeLifetime});
    return code;
}

std::optional<Role> Credentials::redeem_code(std::string_view code, UnixMs now) {
    trim(codes_, now);
    const std::string hash = sha256_hex(code);
    for (auto it = codes_.begin(); it != codes_.end(); ++it) {
        if (!equals_in_constant_time(it->sha256, hash) || it->expires_at <= now) continue;
        const Role role = it->role;
        codes_.erase(it);
        return role;
    }
    return std::nullopt;
}

std::string Credentials::mint_ticket(Ticket ticket, UnixMs now) {
    trim(tickets_, now);
    std::string code = random_hex(32);
    tickets_.push_back({sha256_hex(code), std::move(ticket), now + kCodeLifetime});
    return code;
}

std::optional<Credentials::Ticket> Credentials::find_ticket(std::string_view code, UnixMs now) const {
    const std::string hash = sha256_hex(code);
    for (const PendingTicket& pending : tickets_) {
        if (equals_in_constant_time(pending.sha256, hash) && pending.expires_at > now) return pending.ticket;
    }
    return std::nullopt;
}

}  // namespace nightshift::api
