// What the fuzzers share: an input taken apart, bytes that arrive in pieces, and properties that hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

namespace carillon::fuzz {

// Ends the run where `holds` is false; libFuzzer keeps the input. `property` says what should be so.
void check(bool holds, std::string_view property, std::source_location where = std::source_location::current());

// Whether this run is to show that the harness can fail: then the harness spoils what the code under test gives, as a
// mistake in that code would. By CARILLON_FUZZ_CANARY in the environment; tools/fuzz.sh --canary.
bool canary();

// An input, from its front. Where it has ended there are zeros.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}

  bool done() const { return rest_.empty(); }
  std::uint8_t byte();
  bool flag() { return (byte() & 1U) != 0; }
  std::size_t below(std::size_t bound) { return byte() % bound; }  // bound of 1 to 256
  std::string_view bytes(std::size_t count);                       // fewer at the end
  std::string_view rest() { return bytes(rest_.size()); }
  std::string_view line();  // up to a line feed, which is taken, too

 private:
  std::string_view rest_;
};

// Cuts bytes into pieces as a network may: the same pieces for the same seed.
class Pieces {
 public:
  // Seed 0: all in one piece; 1: byte by byte.
  Pieces(std::string_view bytes, std::uint32_t seed) : rest_(bytes), seed_(seed), state_(seed) {}

  bool done() const { return rest_.empty(); }
  std::string_view next();  // not empty, unless done

 private:
  std::string_view rest_;
  std::uint32_t seed_;
  std::uint32_t state_;
};

}  // namespace carillon::fuzz
