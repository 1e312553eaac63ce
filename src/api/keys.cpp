#include "api/keys.hpp"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "api/error.hpp"
#include "http/text.hpp"

namespace carillon::api {
namespace {

// The token of "Bearer TOKEN", the scheme in any case.
std::optional<std::string_view> bearer_token(std::string_view authorization) {
  const std::string_view value = http::trim(authorization);
  const std::size_t space = value.find(' ');
  if (space == std::string_view::npos || !http::same_in_any_case(value.substr(0, space), "bearer")) return std::nullopt;
  return http::trim(value.substr(space));
}

http::Response unauthorized(std::string_view message) {
  auto response = error_response(401, message);
  response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

// Whether the page that sent the request came from this machine: "http://localhost:3001".
bool is_local_origin(std::string_view origin) {
  const std::size_t scheme = origin.find("://");
  if (scheme == std::string_view::npos) return false;
  const std::string_view authority = origin.substr(scheme + 3);
  for (const std::string_view host : {"localhost", "127.0.0.1", "[::1]"}) {
    if (!authority.starts_with(host)) continue;
    const std::string_view port = authority.substr(host.size());
    return port.empty() || (port.front() == ':' && port.find_first_not_of("0123456789", 1) == std::string_view::npos);
  }
  return false;
}

}  // namespace

Keys::Keys(const std::vector<std::string>& keys) {
  digests_.reserve(keys.size());
  for (const auto& key : keys) digests_.push_back(digest_of(key));
}

Keys::Digest Keys::digest_of(std::string_view key) {
  Digest digest;
  const std::string bytes(key);
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  return digest;
}

bool Keys::accepts(std::string_view key) const {
  const Digest offered = digest_of(key);
  bool accepted = false;
  for (const Digest& digest : digests_) {
    accepted |= CRYPTO_memcmp(digest.data(), offered.data(), digest.size()) == 0;
  }
  return accepted;
}

std::optional<http::Response> Keys::refuse(const http::Request& request) const {
  if (empty()) {
    const auto origin = request.header("origin");
    if (!origin || is_local_origin(*origin)) return std::nullopt;
    return error_response(403, "pages of other sites may call this API only with a key: set api.keys");
  }
  const auto authorization = request.header("authorization");
  if (!authorization) return unauthorized("an API key is needed: send the header \"Authorization: Bearer KEY\"");
  const auto token = bearer_token(*authorization);
  if (!token) return unauthorized("the Authorization header should be \"Bearer KEY\"");
  if (!accepts(*token)) return unauthorized("this API key is not known here");
  return std::nullopt;
}

}  // namespace carillon::api
