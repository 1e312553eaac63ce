#include "base/random.hpp"

#include <array>
#include <limits>

namespace carillon {

std::uint64_t Random::below(std::uint64_t bound) {
  // Rejection keeps it uniform: values in the incomplete last interval are drawn again.
  const std::uint64_t limit = std::numeric_limits<std::uint64_t>::max() / bound * bound;
  std::uint64_t value = 0;
  do {
    std::array<std::uint8_t, 8> bytes{};
    fill(bytes);
    value = 0;
    for (const std::uint8_t byte : bytes) value = value << 8 | byte;
  } while (value >= limit);
  return value % bound;
}

std::string random_id(Random& random, std::size_t length) {
  static constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string id(length, '\0');
  random.fill({reinterpret_cast<std::uint8_t*>(id.data()), id.size()});
  for (char& c : id) c = alphabet[static_cast<unsigned char>(c) & 63U];
  return id;
}

}  // namespace carillon
