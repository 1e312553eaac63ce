// Bytes to messages: fragmentation, control frames in between, masking, UTF-8, limits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "websocket/frame.hpp"

namespace carillon::websocket {

enum class Role { server, client };  // a server takes masked frames only, a client unmasked ones only

struct Event {
  enum class Kind {
    text,    // payload: the whole message, valid UTF-8
    binary,  // payload: the whole message
    ping,    // payload: to be sent back in a pong
    pong,
    close,   // code: what the peer said, or close_code::none; the connection is to be answered with it and ended
    error,   // code: what to close with (1002, 1007, 1009); payload: what was wrong, for the log
  };
  Kind kind;
  std::string_view payload;  // into the bytes fed or into the decoder; valid until the next call
  std::uint16_t code = 0;
};

// Sans-I/O; owned by one shard. An idle decoder holds no buffer: whole frames are read in place from the bytes fed,
// and only what is left of an incomplete one is kept.
class Decoder {
 public:
  // `message_bytes_max` bounds a message over all its fragments, checked as soon as a header tells.
  Decoder(Role role, std::size_t message_bytes_max) : role_(role), message_bytes_max_(message_bytes_max) {}

  // Gives bytes to the decoder, which unmasks them in place. They must stay until next() has returned nothing.
  void feed(std::span<char> bytes);
  // The next event, or none when more bytes are needed (what is left has then been copied away).
  // After Kind::close or Kind::error nothing more comes.
  std::optional<Event> next();

  // Bytes held from earlier feeds (an incomplete frame, fragments of a message).
  std::size_t buffered_bytes() const { return pending_.size() + message_.size(); }
  // The part of the input that has not been consumed; for handing the connection to another owner.
  std::string_view unread() const;

 private:
  Role role_;
  std::size_t message_bytes_max_;
  std::string pending_;   // incomplete frame from earlier feeds
  std::string message_;   // fragments so far
  std::span<char> input_;
  std::uint8_t fragment_opcode_ = 0;  // of the message being assembled, 0: none
  bool done_ = false;
};

}  // namespace carillon::websocket
