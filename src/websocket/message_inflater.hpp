// How one connection's compressed messages are read.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "websocket/inflater.hpp"

namespace carillon::websocket {

// With the shard's Inflater, and what is kept of the messages before. Owned by one connection.
class MessageInflater {
 public:
  // `window_bytes`: how much is kept, once there has been a message; 0 where the peer takes no context over.
  MessageInflater(Inflater& inflater, std::size_t window_bytes) : inflater_(inflater), window_bytes_(window_bytes) {}

  Result<void, InflateError> inflate(std::string_view payload, std::size_t bytes_max, std::string& out);

 private:
  Inflater& inflater_;
  std::size_t window_bytes_;
  std::string window_;
};

}  // namespace carillon::websocket
