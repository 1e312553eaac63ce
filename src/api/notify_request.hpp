// The body of POST /v1/notifications:
//
//   {"to":{"users":["42"]} or {"room":"news"}, "event":"notification", "data":ANY, "ttl_s":604800, "idempotency_key":"..",
//    "collapse_key":".."}
//
// `to` and `data` are required.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <carillon/value.hpp>

#include "api/error.hpp"
#include "base/result.hpp"

namespace carillon::api {

inline constexpr std::size_t recipients_max = 10'000;
inline constexpr std::size_t data_bytes_max = 64 * 1024;  // as it stands in the body
inline constexpr std::size_t key_bytes_max = 256;
inline constexpr std::size_t user_id_bytes_max = 256;
inline constexpr std::int64_t ttl_s_max = 31'536'000;

struct NotifyDefaults {
  std::int64_t ttl_s = 604'800;
};

struct NotifyRequest {
  std::vector<std::string> users;  // each once, in order
  std::string room;                // instead of users
  std::string event = "notification";
  std::string data;  // JSON
  std::int64_t ttl_s = 0;
  std::string idempotency_key;
  std::string collapse_key;
  std::string fingerprint;  // equal for bodies that are equal as JSON values
};

// Strict: what is unknown, repeated, or of another type is refused with a message that names the field.
Result<NotifyRequest, Error> parse_notify_request(std::string_view body, const NotifyDefaults& defaults);

// 1 to 256 bytes of UTF-8 without control characters.
bool is_user_id(std::string_view text);

// Of a text that is one, or of a whole number, which counts as its digits.
std::optional<std::string> user_id_of(const Value& value);

}  // namespace carillon::api
