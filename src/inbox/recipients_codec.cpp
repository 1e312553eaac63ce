#include "inbox/recipients_codec.hpp"

#include "inbox/leb128.hpp"

namespace carillon::inbox {

std::string encode_recipients(const std::vector<HolderKey>& holders) {
  std::string blob;
  for (const HolderKey& holder : holders) {
    append_leb128(blob, static_cast<std::uint64_t>(holder.user));
    append_leb128(blob, holder.number);
  }
  return blob;
}

std::vector<HolderKey> decode_recipients(std::string_view blob) {
  std::vector<HolderKey> holders;
  while (!blob.empty()) {
    const auto user = take_leb128(blob);
    const auto number = take_leb128(blob);
    if (!user || !number) break;
    holders.push_back({static_cast<std::int64_t>(*user), *number});
  }
  return holders;
}

}  // namespace carillon::inbox
