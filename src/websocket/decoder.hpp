// Bytes to messages: fragmentation, control frames in between, masking, UTF-8, limits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "websocket/frame.hpp"
#include "websocket/message_inflater.hpp"

namespace carillon::websocket {

enum class Role { server, client };  // a server takes masked frames only, a client unmasked ones only

struct Event {
  enum class Kind {
    text,    // payload: the whole message, valid UTF-8
    binary,  // payload: the whole message
    ping,    // payload: to be sent back in a pong
    pong,
    close,  // code: what the peer said, or close_code::none; the connection is to be answered with it and ended;
            // payload: the reason, valid UTF-8
    error,  // code: what to close with (1002, 1007, 1009); payload: what was wrong, for the log
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

  // permessage-deflate was agreed on: messages may be compressed. Before the first feed().
  void read_compressed(std::unique_ptr<MessageInflater> inflater) { inflater_ = std::move(inflater); }

  // Gives bytes to the decoder, which unmasks them in place. They must stay until next() has returned nothing.
  void feed(std::span<char> bytes);
  // The next event, or none when more bytes are needed (what is left has then been copied away).
  // After Kind::close or Kind::error nothing more comes.
  std::optional<Event> next();

  // How many frames have come since the last call that were no whole message and did not complete one.
  std::uint32_t take_bare_frames() { return std::exchange(bare_frames_, 0); }

  // Bytes held from earlier feeds (an incomplete frame, fragments of a message).
  std::size_t buffered_bytes() const { return pending_.size() + message_.size(); }
  // The part of the input that has not been consumed; for handing the connection to another owner. Once next() has
  // returned nothing, this is the incomplete frame. Not to be asked between feed() and the first next() after it.
  std::string_view unread() const;

 private:
  enum class Progress { more, whole, failed };
  struct Header;

  Progress read_header(std::span<const char> bytes, Header& header, std::optional<Event>& error) const;
  Progress complete_pending(Header& header, std::optional<Event>& error);
  void take_into_pending(std::size_t size_wanted);
  std::optional<Event> keep_rest(std::size_t size_wanted);
  std::optional<Event> take_frame(const Header& header, std::span<char> frame);
  Event inflate(std::uint8_t opcode, std::string_view payload);
  static Event make_message(std::uint8_t opcode, std::string_view payload);
  static std::optional<Event> take_control(Opcode opcode, std::string_view payload);
  void release_delivered();
  void stop();
  std::optional<Event> fail(Event error);

  Role role_;
  std::size_t message_bytes_max_;
  std::string pending_;  // incomplete frame from earlier feeds, as it came; never more than one frame
  std::string message_;  // fragments so far, or a message that was compressed
  std::unique_ptr<MessageInflater> inflater_;  // null: nothing may be compressed
  std::span<char> input_;
  std::uint32_t bare_frames_ = 0;
  std::uint8_t fragment_opcode_ = 0;  // of the message being assembled, 0: none
  bool fragments_compressed_ = false;
  bool pending_delivered_ = false;  // pending_ is what the last event shows
  bool done_ = false;
};

}  // namespace carillon::websocket
