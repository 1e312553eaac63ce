#include "engineio/cookie.hpp"

#include <algorithm>

#include "http/text.hpp"

namespace carillon::engineio {
namespace {

bool is_letter_or_digit(char c) {
  return (c >= '0' && c <= '9') || (http::to_lower(c) >= 'a' && http::to_lower(c) <= 'z');
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::ranges::all_of(label, [](char c) { return is_letter_or_digit(c) || c == '-'; });
}

// "example.com", ".example.com"
bool is_domain(std::string_view domain) {
  if (domain.starts_with('.')) domain.remove_prefix(1);
  for (;;) {
    const std::size_t dot = domain.find('.');
    if (!is_label(domain.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    domain.remove_prefix(dot + 1);
  }
}

bool is_path(std::string_view path) {
  return path.starts_with('/') && std::ranges::all_of(path, [](char c) { return c >= ' ' && c <= '~' && c != ';'; });
}

}  // namespace

std::optional<std::string> check_cookie(const CookieOptions& options) {
  if (options.name.empty() || !std::ranges::all_of(options.name, http::is_token_character))
    return "cookie.name: expected letters, digits and !#$%&'*+-.^_`|~";
  if (!options.path.empty() && !is_path(options.path)) return "cookie.path: expected a path such as \"/\"";
  if (!options.domain.empty() && !is_domain(options.domain)) return "cookie.domain: expected a domain name";
  return std::nullopt;
}

std::string set_cookie(const CookieOptions& options, std::string_view sid) {
  std::string text = options.name + "=";
  text += sid;
  if (options.max_age_s) text += "; Max-Age=" + std::to_string(*options.max_age_s);
  if (!options.domain.empty()) text += "; Domain=" + options.domain;
  if (!options.path.empty()) text += "; Path=" + options.path;
  if (options.http_only) text += "; HttpOnly";
  if (options.secure) text += "; Secure";
  switch (options.same_site) {
    case CookieOptions::SameSite::unsaid:
      break;
    case CookieOptions::SameSite::lax:
      text += "; SameSite=Lax";
      break;
    case CookieOptions::SameSite::strict:
      text += "; SameSite=Strict";
      break;
    case CookieOptions::SameSite::none:
      text += "; SameSite=None";
      break;
  }
  return text;
}

}  // namespace carillon::engineio
