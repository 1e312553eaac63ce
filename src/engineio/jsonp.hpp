// Long polling for browsers without XMLHttpRequest across origins: answers are scripts, messages come from a form.
//
//   answer = "___eio[" *DIGIT "](" JSON-string ");"      ; the payload; the digits are those of the parameter `j`
//   body   = form data, of which the field `d` is the payload; in it "\n" stands for a line feed, "\\n" for "\n"
//
// Source: the Engine.IO protocol document, version 3, and the published server (engine.io 6).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace carillon::engineio {

// What an answer begins with. Characters of `index` that are no digits are left out.
std::string jsonp_head(std::string_view index);
std::string jsonp_answer(std::string_view head, std::string_view payload);

// The payload in a form; none if it holds none.
std::optional<std::string> decode_jsonp_form(std::string_view body);

}  // namespace carillon::engineio
