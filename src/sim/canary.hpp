// Bugs on purpose, one for each checker: they show that it can fail. In the program carillon-sim-canary alone.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace carillon::sim {

// Called as the checker that has to find it.
enum class Canary : std::uint8_t {
  none,
  accepted,  // the store answers before the disk has it
  order,     // two notifications change places on their way to a socket
  gap,       // readers are not told what limits have dropped
  proof,     // a ping counts as its pong
  cursor,    // a store that comes back has forgotten a proof that was saved
  queue,     // more is sent ahead of its proof than the window allows
  liveness,  // signals are lost, and nobody compares heads
  expiry,    // a node's clock is an hour late
  once,      // a repeat of a request comes without its idempotency key
};

inline constexpr std::array<std::string_view, 10> canary_names = {"none",   "accepted", "order",    "gap",    "proof",
                                                                  "cursor", "queue",    "liveness", "expiry", "once"};

constexpr std::optional<Canary> canary_of(std::string_view name) {
  for (std::size_t i = 0; i < canary_names.size(); ++i)
    if (canary_names[i] == name) return static_cast<Canary>(i);
  return std::nullopt;
}

// Whether this program has them. The only file that is compiled twice says so (canary.cpp).
extern const bool canaries_compiled;

inline bool is_bug(Canary chosen, Canary bug) { return canaries_compiled && chosen == bug; }

}  // namespace carillon::sim
