#include "app/setting_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <initializer_list>
#include <system_error>

#include "base/utf8.hpp"
#include "engineio/cookie.hpp"
#include "http/forwarded.hpp"
#include "http/text.hpp"
#include "io/endpoint.hpp"
#include "redis/url.hpp"

namespace carillon::app {
namespace {

bool is_visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isgraph(c) != 0; });
}

Complaint check_choice(std::string_view expected, const std::string& given,
                       std::initializer_list<std::string_view> choices) {
  if (std::find(choices.begin(), choices.end(), given) != choices.end()) return std::nullopt;
  return mismatch(expected, given);
}

// The only choice of this version, beside those that the design has for later ones.
Complaint check_only_choice(std::string_view expected, const std::string& given, std::string_view only,
                            std::initializer_list<std::string_view> later) {
  if (std::find(later.begin(), later.end(), given) == later.end()) return check_choice(expected, given, {only});
  return fmt::format("expected \"{}\": \"{}\" is not in this version yet", only, given);
}

// "https://example.com:8443", without a path.
bool is_origin(std::string_view text) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!text.starts_with(scheme)) continue;
    const std::string_view host = text.substr(scheme.size());
    return !host.empty() && is_visible(host) && host.find_first_of("/?#*") == std::string_view::npos;
  }
  return false;
}

}  // namespace

Complaint mismatch(std::string_view expected, const SettingValue& value) {
  return fmt::format("expected {}, got {}", expected, to_toml(value));
}

Complaint mismatch_of_kind(std::string_view expected, const SettingValue& value) {
  static constexpr std::string_view kinds[] = {"a boolean", "a whole number", "a number", "a text", "a list of texts"};
  const auto* foreign = std::get_if<Foreign>(&value);
  return fmt::format("expected {}, got {}", expected, foreign != nullptr ? foreign->description : kinds[value.index()]);
}

Complaint check_endpoint(std::string_view expected, const std::string& given) {
  return io::parse_endpoint(given) ? std::nullopt : mismatch(expected, given);
}

Complaint check_endpoints(std::string_view expected, const std::vector<std::string>& given) {
  if (given.empty()) return mismatch(expected, given);
  for (const auto& endpoint : given) {
    if (auto complaint = check_endpoint(expected, endpoint)) return complaint;
  }
  return std::nullopt;
}

Complaint check_networks(std::string_view expected, const std::vector<std::string>& given) {
  for (const std::string& text : given)
    if (!IpNetwork::parse(text)) return mismatch(expected, text);
  return std::nullopt;
}

Complaint check_proxies(std::string_view expected, const std::vector<std::string>& given) {
  if (const auto proxies = http::TrustedProxies::parse(given); !proxies) return mismatch(expected, proxies.error());
  return std::nullopt;
}

Complaint check_path(std::string_view expected, const std::string& given) {
  return given.contains('\0') ? mismatch(expected, given) : std::nullopt;
}

Complaint check_tls_version(std::string_view expected, const std::string& given) {
  return check_choice(expected, given, {"1.2", "1.3"});
}

Complaint check_origins(std::string_view expected, const std::vector<std::string>& given) {
  if (given == std::vector<std::string>{"*"}) return std::nullopt;
  return std::all_of(given.begin(), given.end(), is_origin) ? std::nullopt : mismatch(expected, given);
}

Complaint check_rooms(std::string_view expected, const std::vector<std::string>& given) {
  const auto is_room = [](const std::string& room) { return !room.empty() && room.size() <= 256 && is_utf8(room); };
  return std::all_of(given.begin(), given.end(), is_room) ? std::nullopt : Complaint(mismatch(expected, given));
}

Complaint check_keys(std::string_view expected, const std::vector<std::string>& given) {
  const auto is_key = [](const std::string& key) { return !key.empty() && key.size() <= 256 && is_visible(key); };
  return std::all_of(given.begin(), given.end(), is_key)
             ? std::nullopt
             : Complaint(fmt::format("expected {}; what was given is not shown, because it may be secret", expected));
}

Complaint check_redis_url(std::string_view, const std::string& given) {
  if (given.empty()) return std::nullopt;
  if (const auto url = redis::parse_url(given); !url) return url.error();
  return std::nullopt;
}

Complaint check_folder(std::string_view expected, const std::string& given) {
  if (given.empty() || given.contains('\0')) return mismatch(expected, given);
  std::error_code ignored;
  if (std::filesystem::exists(given, ignored) && !std::filesystem::is_directory(given, ignored)) {
    return fmt::format("expected {}, but \"{}\" is a file", expected, given);
  }
  return std::nullopt;
}

Complaint check_optional_folder(std::string_view expected, const std::string& given) {
  return given.empty() ? std::nullopt : check_folder(expected, given);
}

Complaint check_url_path(std::string_view expected, const std::string& given) {
  const bool valid = given.starts_with('/') && is_visible(given) && given.find_first_of("?#;") == std::string::npos;
  return valid ? std::nullopt : mismatch(expected, given);
}

Complaint check_token(std::string_view expected, const std::string& given) {
  return std::ranges::all_of(given, http::is_token_character) ? std::nullopt : mismatch(expected, given);
}

Complaint check_tokens(std::string_view expected, const std::vector<std::string>& given) {
  const auto is_token = [](const std::string& text) {
    return !text.empty() && std::ranges::all_of(text, http::is_token_character);
  };
  return std::ranges::all_of(given, is_token) ? std::nullopt : mismatch(expected, given);
}

Complaint check_domain(std::string_view expected, const std::string& given) {
  return engineio::check_cookie({.domain = given}) ? mismatch(expected, given) : std::nullopt;
}

Complaint check_same_site(std::string_view expected, const std::string& given) {
  return check_choice(expected, given, {"lax", "strict", "none", ""});
}

Complaint check_node_name(std::string_view expected, const std::string& given) {
  const auto is_allowed = [](unsigned char c) { return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-'; };
  if (given.size() <= 64 && std::all_of(given.begin(), given.end(), is_allowed)) return std::nullopt;
  return mismatch(expected, given);
}

Complaint check_auth_mode(std::string_view expected, const std::string& given) {
  return check_only_choice(expected, given, "none", {"jwt", "webhook"});
}

Complaint check_log_level(std::string_view expected, const std::string& given) {
  return check_choice(expected, given, {"debug", "info", "warn", "error", "off"});
}

Complaint check_parser(std::string_view expected, const std::string& given) {
  return check_choice(expected, given, {"json", "msgpack"});
}

Complaint check_log_format(std::string_view expected, const std::string& given) {
  return check_choice(expected, given, {"text", "json"});
}

Complaint check_adapter(std::string_view expected, const std::string& given) {
  return check_choice(expected, given, {"pubsub", "sharded", "streams"});
}

Complaint check_sharded_mode(std::string_view expected, const std::string& given) {
  return check_choice(expected, given, {"static", "dynamic", "dynamic-private"});
}

Complaint check_prefix(std::string_view expected, const std::string& given) {
  const bool valid =
      !given.empty() && given.size() <= 128 && is_visible(given) && given.find_first_of("*?[]\\") == std::string::npos;
  return valid ? std::nullopt : mismatch(expected, given);
}

}  // namespace carillon::app
