#include "engineio/session_id.hpp"

namespace carillon::engineio {
namespace {

constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::size_t random_characters = 20;
constexpr std::size_t sid_characters = node_tag_characters + 2 + random_characters;

}  // namespace

std::string make_session_id(std::string_view node_tag, unsigned shard, Random& random) {
  std::string sid;
  sid.reserve(sid_characters);
  sid.append(node_tag.substr(0, node_tag_characters));
  sid.push_back(digits[shard / 64 % 64]);
  sid.push_back(digits[shard % 64]);
  sid.append(random_id(random, random_characters));
  return sid;
}

std::optional<SessionPlace> place_of(std::string_view session_id) {
  if (session_id.size() != sid_characters) return std::nullopt;
  const std::size_t high = digits.find(session_id[node_tag_characters]);
  const std::size_t low = digits.find(session_id[node_tag_characters + 1]);
  if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
  return SessionPlace{session_id.substr(0, node_tag_characters), static_cast<unsigned>(high * 64 + low)};
}

}  // namespace carillon::engineio
