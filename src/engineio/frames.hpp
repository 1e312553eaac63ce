// Engine.IO message packets, encoded once for all receivers.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "websocket/deflater.hpp"

namespace carillon::engineio {

class Frames;
using FramesPtr = std::shared_ptr<const Frames>;

// How a binary message goes over WebSocket. The client's version and the parameter `b64` of its request decide.
enum class BinaryForm : std::uint8_t {
  raw,           // version 4
  base64,        // version 4 with b64: text, "b" base64
  typed,         // version 3: the packet type as a byte, then the bytes
  typed_base64,  // version 3 with b64: text, "b4" base64
};

// One or more packets that belong together (a Socket.IO packet and its attachments), as the WebSocket frames that carry
// them, back to back. Long polling uses the same bytes without the frame headers.
// Immutable and shared between sessions and shards: a broadcast is one of these, whatever the number of receivers.
class Frames {
 public:
  struct Part {
    std::size_t offset;  // of the payload, behind its frame header
    std::size_t size;
    bool binary;  // binary: raw bytes. text: packet type digit and data
  };

  Frames() = default;
  ~Frames();
  Frames(const Frames&) = delete;
  Frames& operator=(const Frames&) = delete;

  // What goes out over WebSocket.
  std::string_view wire() const { return wire_; }
  const std::vector<Part>& parts() const { return parts_; }
  std::string_view payload(const Part& part) const { return std::string_view(wire_).substr(part.offset, part.size); }
  // Bytes that this counts for in a send queue.
  std::size_t bytes() const { return wire_.size(); }

  // What goes out to clients that have agreed on permessage-deflate: messages of at least `threshold_bytes` are
  // compressed, where that makes them shorter. Done once, by whoever asks first, for the receivers of all shards, whose
  // settings are the same. Any thread; `deflater` is the caller's own.
  std::string_view deflated_wire(websocket::Deflater& deflater, std::size_t threshold_bytes) const;

  // Whether transports may compress it, if they are configured to.
  bool compressible() const { return compressible_; }

  void append_text(std::string_view packet);  // "4hello": with its type digit
  void append_text(std::string_view head, std::string_view tail);
  void append_binary(std::string_view bytes);  // a binary message has no type on the wire
  // Replaces bytes of wire(), as many as there are; before anybody shares these frames.
  void overwrite(std::size_t at, std::string_view bytes) { wire_.replace(at, bytes.size(), bytes); }

  // `frames` for clients that want binary messages in another form: these frames themselves where they hold none,
  // otherwise frames that are made when the first client asks and shared from then on. Any thread; the result is valid
  // as long as `frames`.
  static const FramesPtr& in_form(const FramesPtr& frames, BinaryForm form);

  // A copy that is never compressed.
  static FramesPtr without_compression(const Frames& frames);
  // A copy with other bytes of wire(), as many as there are.
  static FramesPtr with_bytes(const Frames& frames, std::size_t at, std::string_view bytes);

 private:
  struct Variant;

  const Variant* find_variant(BinaryForm form) const;
  FramesPtr make_variant(BinaryForm form) const;
  void deflate(websocket::Deflater& deflater, std::size_t threshold_bytes) const;

  std::string wire_;
  std::vector<Part> parts_;
  bool compressible_ = true;
  mutable std::once_flag deflate_once_;
  mutable std::unique_ptr<const std::string> deflated_wire_;  // null: nothing became shorter, or nobody has asked
  mutable std::atomic<const Variant*> variants_ = nullptr;    // a list that only grows
};

// A single text packet, for instance "2" (ping) or "4hello".
FramesPtr make_text_frames(std::string_view packet);
FramesPtr make_binary_frames(std::string_view bytes);

}  // namespace carillon::engineio
