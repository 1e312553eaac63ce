// Binary in JSON answers.
#pragma once

#include <carillon/value.hpp>

namespace carillon::api {

// A copy in which binary is text, in base64.
Value without_binary(const Value& value);

}  // namespace carillon::api
