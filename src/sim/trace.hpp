// What has happened, line by line, and a hash of it: two runs of one seed must have the same.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string_view>
#include <utility>

#include "sim/scheduler.hpp"

namespace carillon::sim {

class Trace {
 public:
  Trace(const Scheduler& scheduler, bool print) : scheduler_(scheduler), print_(print) {}

  template <class... Values>
  void line(fmt::format_string<Values...> format, Values&&... values) {
    add(fmt::format(format, std::forward<Values>(values)...));
  }
  std::uint64_t hash() const { return hash_; }

 private:
  void add(std::string_view text);

  const Scheduler& scheduler_;
  bool print_;
  std::uint64_t hash_ = 0xcbf29ce484222325;  // FNV-1a
};

}  // namespace carillon::sim
