#include "engineio/frames.hpp"

#include "websocket/frame.hpp"

namespace carillon::engineio {

void Frames::append_text(std::string_view head, std::string_view tail) {
  const std::size_t size = head.size() + tail.size();
  wire_.reserve(wire_.size() + size + websocket::header_bytes_max);
  websocket::append_header(wire_, websocket::Opcode::text, size);
  parts_.push_back({wire_.size(), size, false});
  wire_.append(head).append(tail);
}

void Frames::append_text(std::string_view packet) { append_text(packet, {}); }

void Frames::append_binary(std::string_view bytes) {
  wire_.reserve(wire_.size() + bytes.size() + websocket::header_bytes_max);
  websocket::append_header(wire_, websocket::Opcode::binary, bytes.size());
  parts_.push_back({wire_.size(), bytes.size(), true});
  wire_.append(bytes);
}

FramesPtr make_text_frames(std::string_view packet) {
  auto frames = std::make_shared<Frames>();
  frames->append_text(packet);
  return frames;
}

FramesPtr make_binary_frames(std::string_view bytes) {
  auto frames = std::make_shared<Frames>();
  frames->append_binary(bytes);
  return frames;
}

}  // namespace carillon::engineio
