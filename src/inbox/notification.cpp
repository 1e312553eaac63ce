#include "inbox/notification.hpp"

#include <array>
#include <string_view>

namespace carillon::inbox {

std::string make_id(UnixMs now, Random& random) {
  static constexpr std::string_view alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";  // Crockford's
  static constexpr std::size_t time_characters = 10;
  static constexpr std::size_t random_characters = 16;
  std::string id(time_characters + random_characters, '0');
  auto time = static_cast<std::uint64_t>(now);
  for (std::size_t i = time_characters; i-- > 0; time >>= 5) id[i] = alphabet[time & 31U];
  std::array<std::uint8_t, random_characters> chance{};
  random.fill(chance);
  for (std::size_t i = 0; i < random_characters; ++i) id[time_characters + i] = alphabet[chance[i] & 31U];
  return id;
}

}  // namespace carillon::inbox
