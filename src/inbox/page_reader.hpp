// The inbox screen of an app: one page of a user's log as JSON, for the HTTP API and for clients alike.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include "base/time.hpp"
#include "inbox/position.hpp"
#include "inbox/store.hpp"

namespace carillon::inbox {

inline constexpr std::size_t page_entries_max = 1'000;
inline constexpr std::size_t page_entries_default = 100;
inline constexpr std::size_t page_bytes_max = 1024 * 1024;

struct PageRequest {
  std::string user;
  std::optional<Position> after;  // none: from the beginning
  std::size_t entries_max = page_entries_default;
  UnixMs now = 0;
};

// wire.hpp's page with "unread". A position of another epoch begins at the beginning, and says so. `store` lives until
// `done` is called.
void read_page(Store& store, PageRequest request, std::function<void(Result<std::string, StoreError>)> done);

}  // namespace carillon::inbox
