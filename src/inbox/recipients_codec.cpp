#include "inbox/recipients_codec.hpp"

#include <optional>

namespace carillon::inbox {
namespace {

void append_number(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>((value & 0x7f) | 0x80));
  out.push_back(static_cast<char>(value));
}

std::optional<std::uint64_t> take_number(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

}  // namespace

std::string encode_recipients(const std::vector<HolderKey>& holders) {
  std::string blob;
  for (const HolderKey& holder : holders) {
    append_number(blob, static_cast<std::uint64_t>(holder.user));
    append_number(blob, holder.number);
  }
  return blob;
}

std::vector<HolderKey> decode_recipients(std::string_view blob) {
  std::vector<HolderKey> holders;
  while (!blob.empty()) {
    const auto user = take_number(blob);
    const auto number = take_number(blob);
    if (!user || !number) break;
    holders.push_back({static_cast<std::int64_t>(*user), *number});
  }
  return holders;
}

}  // namespace carillon::inbox
