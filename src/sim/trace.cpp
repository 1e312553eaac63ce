#include "sim/trace.hpp"

#include <cstdio>

namespace carillon::sim {

void Trace::add(std::string_view text) {
  const auto take = [this](unsigned char byte) {
    hash_ ^= byte;
    hash_ *= 0x100000001b3;
  };
  const std::int64_t at = scheduler_.now().time_since_epoch().count();
  for (unsigned shift = 0; shift < 64; shift += 8) take(static_cast<unsigned char>(at >> shift & 0xff));
  for (const char c : text) take(static_cast<unsigned char>(c));
  if (print_) fmt::print("{:9} {}\n", at, text);
}

}  // namespace carillon::sim
