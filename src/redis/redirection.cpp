#include "redis/redirection.hpp"

#include <algorithm>
#include <charconv>
#include <string>

#include "redis/key_slot.hpp"

namespace carillon::redis {
namespace {

std::string_view next_word(std::string_view& text) {
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(std::min(word.size() + 1, text.size()));
  return word;
}

template <class T>
bool read_number(std::string_view text, T& number) {
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && rest == end;
}

}  // namespace

std::optional<Redirection> parse_redirection(std::string_view error, const Address& asked) {
  using Kind = Redirection::Kind;
  const std::string_view word = next_word(error);
  if (word == "TRYAGAIN" || word == "CLUSTERDOWN") return Redirection{.kind = Kind::later};
  if (word == "CROSSSLOT") return Redirection{.kind = Kind::never};
  if (word != "MOVED" && word != "ASK") return std::nullopt;
  Redirection found{.kind = word == "MOVED" ? Kind::moved : Kind::ask};
  if (!read_number(next_word(error), found.slot) || found.slot >= slot_count) return std::nullopt;
  const std::string_view address = next_word(error);
  const std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view host = address.substr(0, colon);
  found.address.host = host.empty() || host == "?" ? asked.host : std::string(host);
  if (!read_number(address.substr(colon + 1), found.address.port) || found.address.port == 0) return std::nullopt;
  return found;
}

}  // namespace carillon::redis
