// Something that lives on a loop beside its main user.
#pragma once

#include "base/time.hpp"

namespace carillon::runtime {

class TurnGuest {
 public:
  virtual ~TurnGuest() = default;
  // At the end of each turn, before sockets are written.
  virtual void on_turn_end(TimePoint now) = 0;
  // When the next turn must begin at the latest.
  virtual TimePoint next_deadline() const = 0;
  // The loop is to end, as soon as this is true.
  virtual bool has_finished() const = 0;
  // It could not wait any longer: what is unfinished is given up, and counted.
  virtual void give_up() = 0;
};

}  // namespace carillon::runtime
