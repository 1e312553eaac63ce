// A call of the HTTP API by a command.
#pragma once

#include <string>

#include "base/result.hpp"

namespace carillon::app {

struct ApiCall {
  std::string api;     // "http://127.0.0.1:3001"
  std::string path;    // "/v1/emit"
  std::string key;     // empty: none is sent
  std::string body{};  // JSON for a POST; empty: a GET
};

// The body of an answer of success; else a sentence: what the API says about its refusal, or why there is no answer.
Result<std::string, std::string> call_api(const ApiCall& call);

}  // namespace carillon::app
