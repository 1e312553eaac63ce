// How notifications go to sockets.
#pragma once

#include <cstddef>

#include "base/time.hpp"

namespace carillon::inbox {

struct DeliveryOptions {
  std::size_t window = 64;                     // sent to one socket and not proven yet
  std::size_t window_bytes_max = 1024 * 1024;  // of them; one is always sent, however large
  Milliseconds ack_timeout{10'000};            // for the application to acknowledge; then it is sent again
  unsigned attempts_max = 3;                   // per connection, with acknowledgement; then it waits for the next one
  std::size_t given_up_max = 10'000;           // of those, remembered: a late acknowledgement of them counts
  Milliseconds ping_delay{20};                 // from a notification to the ping that proves it and what came meanwhile
  Milliseconds retry_min{100};                 // after an error of the store, doubled up to ...
  Milliseconds retry_max{5'000};
};

}  // namespace carillon::inbox
