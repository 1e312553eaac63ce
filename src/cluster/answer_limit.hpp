// Redis ends the connection of a subscriber whose output buffer grows too large (client-output-buffer-limit pubsub, 32 MiB
// by default), so what servers answer each other is bounded.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <carillon/value.hpp>

namespace carillon::cluster {

// { name: items }, as many items as fit, and, if some do not, also { "leftOut": number of those }. Published servers
// pass over that; ours count who leaves out something as missing.
Object limited_answer(std::string name, Array items, std::size_t bytes_max);

inline constexpr std::string_view left_out_member = "leftOut";

}  // namespace carillon::cluster
