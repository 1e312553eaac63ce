#include "inbox/ranges.hpp"

#include <algorithm>

namespace carillon::inbox {

void add_range(std::uint64_t& cursor, std::vector<Range>& above, Range range) {
  if (range.upto <= cursor || range.upto <= range.after) return;
  // Those that touch the new one become part of it.
  auto first = std::ranges::find_if(above, [&](const Range& other) { return other.upto >= range.after; });
  auto last = first;
  for (; last != above.end() && last->after <= range.upto; ++last) {
    range.after = std::min(range.after, last->after);
    range.upto = std::max(range.upto, last->upto);
  }
  first = above.erase(first, last);
  if (range.after > cursor) {
    above.insert(first, range);
  } else {
    cursor = range.upto;
    // What the cursor has come to pass.
    std::erase_if(above, [&](const Range& other) { return other.upto <= cursor; });
  }
}

bool holds(std::uint64_t cursor, const std::vector<Range>& above, std::uint64_t number) {
  if (number <= cursor) return true;
  return std::ranges::any_of(above, [&](const Range& range) { return number > range.after && number <= range.upto; });
}

}  // namespace carillon::inbox
