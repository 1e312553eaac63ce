// Time as the cores see it: handed in by the caller, never read from a clock.
#pragma once

#include <chrono>
#include <cstdint>

namespace carillon {

using Milliseconds = std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;  // the type of the scale only; its now() is read in io/ alone
using TimePoint = std::chrono::time_point<Clock, Milliseconds>;

inline constexpr TimePoint never = TimePoint::max();

// Wall-clock time in milliseconds since 1970; handed in like TimePoint where a protocol shows it to people.
using UnixMs = std::int64_t;

}  // namespace carillon
