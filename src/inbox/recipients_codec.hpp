// Who has got a notification, in one blob: recipients = *(user number), both as LEB128.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace carillon::inbox {

struct HolderKey {
  std::int64_t user = 0;     // user.num
  std::uint64_t number = 0;  // in that user's log
  friend bool operator==(const HolderKey&, const HolderKey&) = default;
};

std::string encode_recipients(const std::vector<HolderKey>& holders);
// A blob that was cut or damaged gives those before the damage.
std::vector<HolderKey> decode_recipients(std::string_view blob);

}  // namespace carillon::inbox
