// What compression does on one shard, and what it saves.
#pragma once

#include "base/counter.hpp"

namespace carillon::websocket {

// Written by one shard, read by /metrics.
struct DeflateStats {
  Counter messages_compressed;  // a broadcast counts once
  Counter compressed_bytes_in;
  Counter compressed_bytes_out;
  Counter messages_inflated;
  Counter inflated_bytes_in;
  Counter inflated_bytes_out;
};

}  // namespace carillon::websocket
