// Who may call the API.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/request.hpp"
#include "http/response.hpp"

namespace carillon::api {

// The configured API keys, as digests only. Immutable.
class Keys {
 public:
  explicit Keys(const std::vector<std::string>& keys);

  bool empty() const { return digests_.empty(); }
  // Takes the same time whichever key it is, and for any other of the same length.
  bool accepts(std::string_view key) const;

  // None when the request may pass. With keys: 401 unless it bears one ("Authorization: Bearer KEY").
  // Without keys the API is for programs of this machine: 403 for a request that a page of another site makes a
  // browser send, which would otherwise be as trusted as the machine's owner.
  std::optional<http::Response> refuse(const http::Request& request) const;

 private:
  using Digest = std::array<std::uint8_t, 32>;
  static Digest digest_of(std::string_view key);

  std::vector<Digest> digests_;
};

}  // namespace carillon::api
