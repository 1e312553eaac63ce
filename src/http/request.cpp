#include "http/request.hpp"

#include <algorithm>
#include <unordered_map>

#include "base/text_hash.hpp"
#include "http/text.hpp"

namespace carillon::http {
namespace {

// A list may be spread over several headers of one name.
bool any_has_token(const std::vector<Header>& headers, std::string_view name, std::string_view token) {
  return std::ranges::any_of(headers, [&](const Header& header) {
    return same_in_any_case(header.first, name) && has_token(header.second, token);
  });
}

// The target without scheme and authority, which only proxies are sent ("http://host:80/path?query").
std::string_view origin_form(std::string_view target) {
  if (target.starts_with('/')) return target;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!same_in_any_case(target.substr(0, scheme.size()), scheme)) continue;
    const std::size_t end = target.find_first_of("/?", scheme.size());
    return end == std::string_view::npos ? std::string_view() : target.substr(end);
  }
  return target;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char small = to_lower(c);
  return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

}  // namespace

std::optional<std::string_view> find_header(const std::vector<Header>& headers, std::string_view name) {
  for (auto header = headers.rbegin(); header != headers.rend(); ++header)
    if (same_in_any_case(header->first, name)) return header->second;
  return std::nullopt;
}

bool has_token(std::string_view list, std::string_view token) {
  while (true) {
    const std::size_t comma = list.find(',');
    if (same_in_any_case(trim(list.substr(0, comma)), token)) return true;
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma + 1);
  }
}

std::string_view Request::path() const {
  const std::string_view form = origin_form(target);
  const std::string_view path = form.substr(0, form.find('?'));
  return path.empty() ? std::string_view("/") : path;
}

std::string_view Request::query() const {
  const std::size_t mark = target.find('?');
  return mark == std::string::npos ? std::string_view() : std::string_view(target).substr(mark + 1);
}

std::optional<std::string> Request::parameter(std::string_view name) const { return query_parameter(query(), name); }

bool Request::wants_websocket() const {
  return any_has_token(headers, "connection", "upgrade") && any_has_token(headers, "upgrade", "websocket");
}

std::optional<std::string> query_parameter(std::string_view query, std::string_view name) {
  std::optional<std::string_view> found;
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    const std::size_t equals = pair.find('=');
    const std::string_view key = pair.substr(0, equals);
    const bool plain = key.find_first_of("%+") == std::string_view::npos;
    if (!pair.empty() && (plain ? key == name : percent_decode(key, true) == name))
      found = equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    if (end == std::string_view::npos) break;
    query.remove_prefix(end + 1);
  }
  if (!found) return std::nullopt;
  return percent_decode(*found, true);
}

std::vector<std::pair<std::string, std::string>> query_parameters(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> parameters;
  std::unordered_map<std::string, std::size_t, TextHash> places;  // the client chooses the names
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    std::string name = percent_decode(pair.substr(0, equals), true);
    std::string value;
    if (equals != std::string_view::npos) value = percent_decode(pair.substr(equals + 1), true);
    const auto [place, is_new] = places.emplace(name, parameters.size());
    if (is_new) {
      parameters.emplace_back(std::move(name), std::move(value));
    } else {
      parameters[place->second].second = std::move(value);
    }
  }
  return parameters;
}

std::string percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out.push_back(' ');
      continue;
    }
    if (text[i] == '%' && i + 2 < text.size()) {
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high >= 0 && low >= 0) {
        out.push_back(static_cast<char>(high * 16 + low));
        i += 2;
        continue;
      }
    }
    out.push_back(text[i]);
  }
  return out;
}

}  // namespace carillon::http
