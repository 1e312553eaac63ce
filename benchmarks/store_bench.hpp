// What the benchmarks of the inbox's stores have in common: the same notification, and how rounds are compared.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace carillon::bench {

using Steady = std::chrono::steady_clock;
inline constexpr std::size_t rounds = 5;

inline double seconds_since(Steady::time_point start) {
  return std::chrono::duration<double>(Steady::now() - start).count();
}

// Of each notification.
inline const std::string& data() {
  static const std::string text = R"({"text":"Your parcel is on its way","order":)" + std::string(100, '7') + "}";
  return text;
}

// The median of several rounds is what is compared: the disk is not alone.
inline double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

// Any thread; others are not waited for.
[[noreturn]] inline void fail(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::_Exit(1);
}

}  // namespace carillon::bench
