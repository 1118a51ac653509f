#include "api/credentials.h"

#include <doctest/doctest.h>

#include <set>

#include "api/digest.h"

using namespace nightshift;
using namespace nightshift::api;

TEST_CASE("digest: known answers") {
    CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    // RFC 4231, test case 2.
    CHECK(hmac_sha256_hex("Jefe", "what do ya want for nothing?") ==
          "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    CHECK(random_hex(32).size() == 64);
    CHECK(random_hex(32) != random_hex(32));
    CHECK(equals_in_constant_time("abc", "abc"));
    CHECK_FALSE(equals_in_constant_time("abc", "abd"));
    CHECK_FALSE(equals_in_constant_time("abc", "ab"));
}

TEST_CASE("digest: the proof depends on token, port and nonce") {
    const std::string hash = sha256_hex("token");
    const std::string nonce = "0123456789abcdef";
    std::set<std::string> proofs{proof_of(hash, 7390, nonce), proof_of(hash, 7391, nonce),
                                 proof_of(hash, 7390, nonce + "0"),
                                 proof_of(sha256_hex("other"), 7390, nonce)};
    CHECK(proofs.size() == 4);
    CHECK(proof_of(hash, 7390, nonce) == proof_of(hash, 7390, nonce));
    CHECK(proof_of("no hash", 7390, nonce) == "");
    CHECK(is_nonce(nonce));
    CHECK_FALSE(is_nonce("short"));
    CHECK_FALSE(is_nonce("0123456789abcdef\n"));
    CHECK_FALSE(is_nonce(std::string(129, 'a')));
}

TEST_CASE("credentials: a code works once and for a minute") {
    Credentials credentials;
    const std::string code = credentials.mint_code(Role::kOperator, UnixMs{0});
    CHECK_FALSE(credentials.redeem_code(code + "0", UnixMs{1}));
    CHECK(credentials.redeem_code(code, UnixMs{59'999}) == Role::kOperator);
    CHECK_FALSE(credentials.redeem_code(code, UnixMs{59'999}));
    const std::string late = credentials.mint_code(Role::kAdmin, UnixMs{0});
    CHECK_FALSE(credentials.redeem_code(late, UnixMs{60'000}));
}

TEST_CASE("credentials: codes and tickets alive are bounded") {
    Credentials credentials;
    const std::string first = credentials.mint_code(Role::kViewer, UnixMs{0});
    for (int i = 0; i < kCodesMax; ++i) static_cast<void>(credentials.mint_code(Role::kViewer, UnixMs{1}));
    CHECK_FALSE(credentials.redeem_code(first, UnixMs{2}));
    const std::string ticket = credentials.mint_ticket({7, "a/report.html"}, UnixMs{0});
    REQUIRE(credentials.find_ticket(ticket, UnixMs{1}));
    CHECK(credentials.find_ticket(ticket, UnixMs{1})->artifact == "a/report.html");
    CHECK_FALSE(credentials.find_ticket(ticket, UnixMs{60'000}));
    CHECK_FALSE(credentials.find_ticket("x", UnixMs{1}));
}

TEST_CASE("credentials: after ten failures in a minute refusals are held back, then no longer") {
    Credentials credentials;
    for (int i = 0; i < 10; ++i) credentials.count_failure(UnixMs{0});
    CHECK(credentials.refusal_delay(UnixMs{1}).value == 0);
    credentials.count_failure(UnixMs{1});
    CHECK(credentials.refusal_delay(UnixMs{2}) == seconds(1));
    CHECK(credentials.refusal_delay(UnixMs{70'000}).value == 0);
}
