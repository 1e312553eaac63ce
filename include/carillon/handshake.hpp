// What a client said when it connected.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <carillon/value.hpp>

namespace carillon {

// The HTTP request that opened the Engine.IO session; shared by the session's sockets.
struct HandshakeRequest {
  std::string address;  // of the peer: "127.0.0.1", "::1"
  std::string url;      // target of the request
  std::vector<std::pair<std::string, std::string>> headers;
  std::int64_t issued_unix_ms = 0;
  bool secure = false;

  // Parameter of the query, decoded; the last one where it is repeated.
  std::optional<std::string> query(std::string_view key) const;
  // All of them, each once, in the order in which they come first.
  std::vector<std::pair<std::string, std::string>> query() const;
  // The last header of that name, in any case.
  std::optional<std::string> header(std::string_view name) const;
};

// Immutable; readable on the socket's shard.
class Handshake {
 public:
  Handshake(Value auth, std::shared_ptr<const HandshakeRequest> request)
      : auth_(std::move(auth)), request_(std::move(request)) {}

  // Member `key` of the CONNECT packet's auth object: strings as they are, numbers and booleans as text; none otherwise.
  std::optional<std::string> auth(std::string_view key) const;
  const Value& auth() const { return auth_; }

  // Parameter of the Engine.IO request's query, decoded; the last one where it is repeated.
  std::optional<std::string> query(std::string_view key) const { return request_->query(key); }
  // Header of the Engine.IO handshake request, name in any case.
  std::optional<std::string> header(std::string_view name) const { return request_->header(name); }

  const HandshakeRequest& request() const { return *request_; }
  const std::string& address() const { return request_->address; }
  const std::string& url() const { return request_->url; }
  std::int64_t issued_unix_ms() const { return request_->issued_unix_ms; }
  bool secure() const { return request_->secure; }
  bool cross_domain() const { return header("origin").has_value(); }

 private:
  Value auth_;
  std::shared_ptr<const HandshakeRequest> request_;
};

}  // namespace carillon
