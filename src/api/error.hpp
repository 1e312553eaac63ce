// What the API answers when it refuses: {"error":{"code":"...","message":"..."}} with the fitting status.
#pragma once

#include <string>
#include <string_view>

#include "http/response.hpp"

namespace carillon::api {

struct Error {
  int status = 400;
  std::string code;     // for programs: "invalid_body"; part of the contract
  std::string message;  // for people: which field, what was expected
};

http::Response to_response(const Error& error);
// With the code that belongs to the status.
http::Response error_response(int status, std::string_view message);

// What the listener refuses before any route sees it: 400, 413, 431, 501 (http::ParseError), 408 (a stalled request).
// Closes the connection.
http::Response listener_error(int status);

// `body` is JSON.
http::Response json_response(int status, std::string body);

}  // namespace carillon::api
