#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/http_types.h"
#include "db/queries.h"
#include "scheduler/units.h"

namespace nightshift::api {

inline constexpr Millis kSessionLifetime = hours(12);  ///< of a browser's token
inline constexpr Millis kCodeLifetime = seconds(60);   ///< of a one-time code and of a ticket
inline constexpr int kCodesMax = 256;                  ///< codes and tickets alive at once, each

/// Who a token belongs to.
struct Credential {
    std::string sha256;
    Role role = Role::kNone;
    std::string label;
};

/// Known tokens (by hash), one-time codes and tickets. Thread: the loop.
class Credentials {
  public:
    /// Takes the stored tokens; call again after they changed.
    void set_tokens(std::vector<db::StoredToken> tokens);
    /// The owner of a token, compared in constant time over all of them.
    std::optional<Credential> check(std::string_view token, UnixMs now) const;
    /// Proofs for GET /livez?challenge=: one for each lasting credential.
    std::vector<std::string> proofs(int port, std::string_view nonce) const;

    /// Failures of the last minute decide how long the next refusal is held back: 1 s after ten.
    void count_failure(UnixMs now);
    Millis refusal_delay(UnixMs now) const;

    /// A code that the page exchanges for a session of `role`, once, within kCodeLifetime.
    std::string mint_code(Role role, UnixMs now);
    std::optional<Role> redeem_code(std::string_view code, UnixMs now);

    /// A ticket opens one artifact without a header credential for kCodeLifetime.
    struct Ticket {
        std::int64_t job = 0;
        std::string artifact;
    };
    std::string mint_ticket(Ticket ticket, UnixMs now);
    std::optional<Ticket> find_ticket(std::string_view code, UnixMs now) const;

  private:
    struct PendingCode {
        std::string sha256;
        Role role;
        UnixMs expires_at;
    };
    struct PendingTicket {
        std::string sha256;
        Ticket ticket;
        UnixMs expires_at;
    };
    std::vector<db::StoredToken> tokens_;
    std::deque<PendingCode> codes_;
    std::deque<PendingTicket> tickets_;
    std::deque<UnixMs> failures_;
};

}  // namespace nightshift::api
