// The body of POST /v1/emit:
//
//   {"namespace":"/", "rooms":["user:42"], "except":[], "event":"hello", "args":[1,"two"], "volatile":false, "ack_timeout_ms":5000}
//
// Only `event` is required. Without `rooms` every socket of the namespace is meant. With
// `ack_timeout_ms` the answer waits for the acknowledgements of all receivers, so long at most.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <carillon/args.hpp>

#include "api/error.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace carillon::api {

inline constexpr std::size_t event_bytes_max = 128;
inline constexpr std::size_t rooms_max = 10'000;          // of `rooms` and of `except`
inline constexpr std::size_t args_bytes_max = 64 * 1024;  // as they stand in the body
inline constexpr std::int64_t ack_timeout_ms_max = 300'000;
inline constexpr std::size_t body_bytes_max = 1024 * 1024;  // of any request to the API

struct EmitRequest {
  std::string name_space = "/";
  std::vector<std::string> rooms;
  std::vector<std::string> except;
  std::string event;
  Args args;  // owns its bytes
  bool is_volatile = false;
  Milliseconds ack_timeout{0};  // zero: no acknowledgement is asked for
};

// Strict: what is unknown, repeated, or of another type is refused with a message that names the field.
Result<EmitRequest, Error> parse_emit_request(std::string_view body);

}  // namespace carillon::api
