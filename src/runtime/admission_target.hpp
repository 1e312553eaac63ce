// Where an Admission leads to: one handshake that waits on its shard, wherever the answer is given.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "engineio/engine.hpp"
#include "runtime/shard.hpp"
#include "socketio/shard_link.hpp"

namespace carillon::runtime {

// Any thread, and longer than the server.
class AdmissionTarget {
 public:
  AdmissionTarget(std::shared_ptr<socketio::ShardLink> link, Shard& shard, std::uint64_t ticket)
      : link_(std::move(link)), shard_(shard), ticket_(ticket) {}

  // `refusal`: why, for the client; none: allowed.
  void answer(std::optional<std::string> refusal);

 private:
  std::shared_ptr<socketio::ShardLink> link_;
  Shard& shard_;  // touched by tasks of the link only, which run while it lives
  std::uint64_t ticket_;
  std::atomic<bool> answered_ = false;
};

}  // namespace carillon::runtime
