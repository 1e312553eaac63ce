// Replies out of bytes: RESP2 as hiredis reads it, without its own objects: the memory of a reply is that of the next.
//
//   reply = "+" text CRLF / "-" text CRLF / ":" integer CRLF / "$" length CRLF bytes CRLF / "$-1" CRLF
//         / "*" count CRLF *reply / "*-1" CRLF
//
// Source: the Redis serialization protocol specification, version 2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "redis/reply.hpp"

struct redisReader;
struct redisReadTask;

namespace carillon::redis {

// Owned by one shard.
class RespReader {
 public:
  // A reply of more than `reply_bytes_max`, in its bytes or in what it takes here, is an error.
  explicit RespReader(std::size_t reply_bytes_max);
  ~RespReader();
  RespReader(const RespReader&) = delete;
  RespReader& operator=(const RespReader&) = delete;

  // Forgets everything; for a new connection.
  void reset();
  // Gives bytes; they are all taken over by the time next() returns nullptr.
  void feed(std::string_view bytes) { input_ = bytes; }
  // The next reply, valid until the next call (it may be moved from), or nullptr when more bytes are needed or error()
  // is not empty.
  Reply* next();
  // What is wrong with the bytes; final.
  std::string_view error() const { return error_; }
  bool too_long() const { return too_long_; }  // that is what is wrong

 private:
  struct Free {
    void operator()(redisReader* reader) const;
  };
  struct Callbacks;

  Reply* begin_item(const redisReadTask* task, Reply::Type type, std::size_t bytes);
  void fail_too_long();

  std::size_t reply_bytes_max_;
  std::unique_ptr<redisReader, Free> reader_;
  std::string_view input_;
  Reply reply_;
  std::size_t size_ = 0;   // elements of reply_; beyond are those of an earlier one
  std::size_t bytes_ = 0;  // that reply_ takes
  std::string error_;
  bool too_long_ = false;
};

}  // namespace carillon::redis
