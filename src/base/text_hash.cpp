#include "base/text_hash.hpp"

#include <array>
#include <bit>
#include <cstring>

#include "base/random.hpp"

namespace carillon {
namespace {

static_assert(std::endian::native == std::endian::little, "SipHash reads its words in little-endian order");

struct SipState {
  std::uint64_t v0;
  std::uint64_t v1;
  std::uint64_t v2;
  std::uint64_t v3;

  void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }

  void take(std::uint64_t word) {
    v3 ^= word;
    round();
    v0 ^= word;
  }
};

SipKey draw_key() {
  std::array<std::uint8_t, sizeof(SipKey)> bytes{};
  make_system_random()->fill(bytes);
  return std::bit_cast<SipKey>(bytes);
}

}  // namespace

std::uint64_t sip_hash(const SipKey& key, std::string_view text) {
  SipState state{.v0 = key.first ^ 0x736f6d6570736575,
                 .v1 = key.second ^ 0x646f72616e646f6d,
                 .v2 = key.first ^ 0x6c7967656e657261,
                 .v3 = key.second ^ 0x7465646279746573};
  const std::uint64_t size = text.size();
  for (; text.size() >= 8; text.remove_prefix(8)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data(), 8);
    state.take(word);
  }
  std::uint64_t last = 0;
  if (!text.empty()) std::memcpy(&last, text.data(), text.size());
  state.take(last | size << 56);
  state.v2 ^= 0xff;
  for (int i = 0; i < 3; ++i) state.round();
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

std::size_t TextHash::operator()(std::string_view text) const {
  static const SipKey key = draw_key();
  return sip_hash(key, text);
}

}  // namespace carillon
