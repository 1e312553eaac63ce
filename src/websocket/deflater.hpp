// Messages to the payload of permessage-deflate, RFC 7692 section 7.2.1.
//
// The payload of a compressed message is DEFLATE data (RFC 1951) that ends at a byte's border with an empty stored
// block, without that block's last four bytes 00 00 ff ff. zlib does the compression.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "websocket/deflate_stats.hpp"

struct z_stream_s;  // NOLINT(readability-identifier-naming): zlib's

namespace carillon::websocket {

// Compresses messages, each for itself: no context is taken over. One for all connections of a shard; its state (about
// 260 KiB with a window of 15 bits) is made on first use.
class Deflater {
 public:
  // `level` 1 to 9, `window_bits` 9 to 15.
  Deflater(int level, int window_bits, DeflateStats& stats);
  ~Deflater();

  // Appends the compressed payload of `message`. Throws std::bad_alloc.
  void compress(std::string_view message, std::string& out);

 private:
  void run(std::string_view message, std::string& out);

  int level_;
  int window_bits_;
  DeflateStats& stats_;
  std::unique_ptr<z_stream_s> stream_;
};

}  // namespace carillon::websocket
