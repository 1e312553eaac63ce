// What was received beyond a cursor: ranges that are apart, ascending.
#pragma once

#include <cstdint>
#include <vector>

#include "inbox/store.hpp"

namespace carillon::inbox {

// Adds a range to a cursor and what lies above it: the cursor moves where they touch.
void add_range(std::uint64_t& cursor, std::vector<Range>& above, Range range);
// Whether `number` is received.
bool holds(std::uint64_t cursor, const std::vector<Range>& above, std::uint64_t number);

}  // namespace carillon::inbox
