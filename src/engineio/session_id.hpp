// Session ids name the node and the shard that own the session, so that any listener can tell where a request belongs.
//
//   sid = node-tag shard random ; 4 + 2 + 20 characters of A-Za-z0-9-_
//
// The random part carries 120 bits: knowing the format does not help to guess an id.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/random.hpp"

namespace carillon::engineio {

inline constexpr std::size_t node_tag_characters = 4;
inline constexpr unsigned shards_max = 64;

std::string make_session_id(std::string_view node_tag, unsigned shard, Random& random);

struct SessionPlace {
  std::string_view node_tag;
  unsigned shard;
};
// None for anything that is not shaped like a session id.
std::optional<SessionPlace> place_of(std::string_view session_id);

}  // namespace carillon::engineio
