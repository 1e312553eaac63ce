// An HTTP/1.1 response and its bytes.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/request.hpp"

namespace carillon::http {

struct Response {
  int status = 200;
  std::vector<Header> headers{};  // without content-length and connection, which serialize() writes
  std::string body{};
  bool close = false;      // close the connection after it, whatever the request said
  bool omit_body = false;  // the answer to HEAD: content-length tells the size of a body that is not sent
};

// A header's line. Line breaks in name and value become spaces: handlers copy input into headers.
void append_header(std::string& out, std::string_view name, std::string_view value);

std::string_view reason_phrase(int status);

// The bytes of the response. `keep_alive` is what the request allows; content-length is always written, except for
// 101, 204 and 304.
std::string serialize(const Response& response, bool keep_alive);

}  // namespace carillon::http
