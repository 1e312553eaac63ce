// Why a store has not done what it was asked.
#pragma once

#include <cstdint>
#include <string_view>

namespace carillon::inbox {

enum class StoreError : std::uint8_t {
  unavailable,   // it cannot be reached, or has not answered: the call may have had its effect
  overloaded,    // too much is waiting for it
  full,          // no room on the disk, or in memory
  read_only,     // it may not be written
  corrupt,       // what it holds cannot be understood: damaged, or of another program or version
  failed,        // another error of the disk or of the engine, which is in the log
  key_conflict,  // the idempotency key was used for something else; the store is well
};

// For people and /readyz: "the disk is full".
std::string_view to_string(StoreError error);

}  // namespace carillon::inbox
