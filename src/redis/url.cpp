#include "redis/url.hpp"

#include <charconv>
#include <optional>

namespace carillon::redis {
namespace {

// Messages never quote the text: what is wrong may well be a part of a password.
constexpr std::string_view form = "redis://[user][:password]@host[:port][/database]";

Failure<std::string> fail(std::string_view found) {
  return Failure("Redis URL: " + std::string(found) + "; expected " + std::string(form));
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    unsigned byte = 0;
    const char* end = text.data() + i + 3;
    if (std::from_chars(text.data() + i + 1, end, byte, 16).ptr != end) return std::nullopt;
    out.push_back(static_cast<char>(byte));
    i += 2;
  }
  return out;
}

template <class T>
std::optional<T> number(std::string_view text) {
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Cuts `text` at the first (or last) separator and returns what is behind it.
std::optional<std::string_view> cut(std::string_view& text, std::size_t at) {
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view behind = text.substr(at + 1);
  text = text.substr(0, at);
  return behind;
}

bool has_control_characters(std::string_view text) {
  for (const char c : text)
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f) return true;
  return false;
}

}  // namespace

Result<Url, std::string> parse_url(std::string_view text) {
  for (const std::string_view scheme : {"rediss://", "redis+sentinel://", "redis+cluster://"})
    if (text.starts_with(scheme))
      return Failure("Redis URL: " + std::string(scheme) + " is not supported in this version");
  static constexpr std::string_view scheme = "redis://";
  if (!text.starts_with(scheme)) return fail("it does not start with redis://");
  std::string_view rest = text.substr(scheme.size());
  Url url;

  if (rest.find_first_of("?#") != std::string_view::npos)
    return fail("\"?\" and \"#\" have no meaning here (write them as %3F and %23 in a password)");
  // In this order, because a password may hold "@" and "/" as they are in other programs' examples.
  const std::size_t at = rest.rfind('@');
  if (at != std::string_view::npos) {
    std::string_view user = rest.substr(0, at);
    rest.remove_prefix(at + 1);
    const auto password = cut(user, user.find(':'));
    const auto user_text = percent_decode(user);
    const auto password_text = percent_decode(password.value_or(""));
    if (!user_text || !password_text)
      return fail("a \"%\" in user or password is not followed by two hexadecimal digits");
    url.user = *user_text;
    url.password = *password_text;
  }

  if (const auto database = cut(rest, rest.find('/')); database && !database->empty()) {
    const auto value = number<unsigned>(*database);
    if (!value) return fail("the database is not a number");
    url.database = *value;
  }

  std::optional<std::string_view> port;
  std::string_view host = rest;
  if (rest.starts_with('[')) {
    const auto behind = cut(rest, rest.find(']'));
    if (!behind) return fail("\"[\" without \"]\"");
    host = rest.substr(1);
    if (!behind->empty()) {
      if (behind->front() != ':') return fail("unexpected text behind \"]\"");
      port = behind->substr(1);
    }
  } else {
    if (rest.find(':') != rest.rfind(':'))
      return fail("more than one \":\" in host and port (an IPv6 address needs brackets)");
    port = cut(host, host.find(':'));
  }
  const auto host_text = percent_decode(host);
  if (!host_text || has_control_characters(*host_text)) return fail("the host is malformed");
  if (host_text->empty()) return fail("there is no host");
  url.host = *host_text;
  if (port) {
    const auto value = number<std::uint16_t>(*port);
    if (!value || *value == 0) return fail("the port is not a number from 1 to 65535");
    url.port = *value;
  }
  return url;
}

std::string endpoint(const Url& url) {
  const bool brackets = url.host.find(':') != std::string::npos;
  return (brackets ? "[" + url.host + "]" : url.host) + ":" + std::to_string(url.port);
}

}  // namespace carillon::redis
