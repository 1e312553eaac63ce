// A hash of texts that others may choose: names of rooms, of namespaces, of parameters.
//
// SipHash-1-3 with a key that each process draws for itself. std::hash has no key: whoever knows it can choose names that
// all fall into one bucket, so that each look-up passes all of them. Source: Aumasson and Bernstein, "SipHash: a fast
// short-input PRF"; 1 and 3 rounds, as CPython and Rust have it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace carillon {

struct SipKey {
  std::uint64_t first = 0;
  std::uint64_t second = 0;
};
std::uint64_t sip_hash(const SipKey& key, std::string_view text);

// For unordered containers whose keys are texts, which may be looked up by string_view. Any thread.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const;
};

}  // namespace carillon
