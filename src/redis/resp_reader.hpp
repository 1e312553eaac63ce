// Replies out of bytes: RESP2 as hiredis reads it, without its tree of allocated objects.
//
//   reply = "+" text CRLF / "-" text CRLF / ":" integer CRLF / "$" length CRLF bytes CRLF / "$-1" CRLF
//         / "*" count CRLF *reply / "*-1" CRLF
//
// Source: the Redis serialization protocol specification, version 2.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct redisReader;
struct redisReadTask;

namespace carillon::redis {

// One reply. Of an array the first three elements are kept, and nothing of arrays inside it: the commands used here
// have no longer answers.
struct Reply {
  enum class Type : std::uint8_t { status, error, integer, text, nil, array };
  struct Item {
    Type type = Type::nil;
    std::string text;
    std::int64_t number = 0;
  };

  Type type = Type::nil;
  std::size_t size = 0;         // elements of the array; otherwise 1
  std::array<Item, 3> items{};  // a reply that is no array is items[0]
};

// Owned by one shard.
class RespReader {
 public:
  // A reply of more than `reply_bytes_max` is an error.
  explicit RespReader(std::size_t reply_bytes_max);
  ~RespReader();
  RespReader(const RespReader&) = delete;
  RespReader& operator=(const RespReader&) = delete;

  // Forgets everything; for a new connection.
  void reset();
  // Gives bytes; they are all taken over by the time next() returns nullptr.
  void feed(std::string_view bytes) { input_ = bytes; }
  // The next reply, valid until the next call, or nullptr when more bytes are needed or error() is not empty.
  const Reply* next();
  // What is wrong with the bytes; final.
  std::string_view error() const { return error_; }

 private:
  struct Free {
    void operator()(redisReader* reader) const;
  };
  struct Callbacks;

  void begin_item(const redisReadTask* task, Reply::Type type);

  std::size_t reply_bytes_max_;
  std::unique_ptr<redisReader, Free> reader_;
  std::string_view input_;
  Reply reply_;
  Reply::Item* item_ = nullptr;  // the one being read, or nullptr for one that is not kept
  std::string error_;
};

}  // namespace carillon::redis
