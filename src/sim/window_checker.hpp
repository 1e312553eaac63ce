// Watches one socket from outside: how much was sent to it and is not proven. Part of the checkers (history.hpp): "queue".
#pragma once

#include <cstdint>
#include <vector>

#include "sim/world.hpp"

namespace carillon::sim {

class WindowChecker {
 public:
  WindowChecker(World& world, bool acknowledges) : world_(world), acknowledges_(acknowledges) {}

  void on_sent(std::uint64_t number, std::size_t bytes);
  void on_pinged() { pinged_ = outstanding_.size(); }
  void on_ponged();
  void on_acknowledged(std::uint64_t number);
  void on_new_epoch();

 private:
  struct Sent {
    std::uint64_t number;
    std::size_t bytes;
    TimePoint at;
  };
  bool is_given_up(const Sent& sent) const;

  World& world_;
  bool acknowledges_;
  std::vector<Sent> outstanding_;
  std::size_t pinged_ = 0;  // of them, before the ping that is out
};

}  // namespace carillon::sim
