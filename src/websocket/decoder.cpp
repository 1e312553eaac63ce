#include "websocket/decoder.hpp"

#include <algorithm>
#include <utility>

#include "base/utf8.hpp"
#include "websocket/mask.hpp"

namespace carillon::websocket {
namespace {

std::uint8_t byte_at(std::span<const char> bytes, std::size_t index) { return static_cast<std::uint8_t>(bytes[index]); }

// Codes that a close frame may carry: RFC 6455 section 7.4 and the registry (1012 to 1014); as `ws` has it.
bool is_valid_close_code(std::uint16_t code) {
  if (code >= 3000 && code <= 4999) return true;
  return code >= 1000 && code <= 1014 && code != 1004 && code != close_code::none && code != close_code::abnormal;
}

// Assigning an empty string would keep the capacity.
void drop(std::string& text) { std::string().swap(text); }

Event make_error(std::uint16_t code, std::string_view what) { return {Event::Kind::error, what, code}; }

}  // namespace

struct Decoder::Header {
  std::uint8_t opcode = 0;
  bool fin = false;
  bool compressed = false;       // RSV1, on the first frame of a message
  std::size_t size = 0;          // of the header itself
  std::size_t payload_size = 0;  // within the limits
  MaskKey mask{};

  bool is_control() const { return opcode >= 8; }
  std::size_t frame_size() const { return size + payload_size; }
};

void Decoder::feed(std::span<char> bytes) {
  if (!done_) input_ = bytes;
}

std::string_view Decoder::unread() const {
  if (input_.empty() && !pending_delivered_) return pending_;
  return {input_.data(), input_.size()};
}

std::optional<Event> Decoder::next() {
  release_delivered();
  while (!done_) {
    Header header;
    std::optional<Event> event;
    if (pending_.empty()) {
      if (input_.empty()) return std::nullopt;
      switch (read_header(input_, header, event)) {
        case Progress::failed:
          return fail(*event);
        case Progress::more:
          return keep_rest(0);
        case Progress::whole:
          break;
      }
      if (input_.size() < header.frame_size()) return keep_rest(header.frame_size());
      const std::span<char> frame = input_.first(header.frame_size());
      input_ = input_.subspan(header.frame_size());
      event = take_frame(header, frame);
    } else {
      switch (complete_pending(header, event)) {
        case Progress::failed:
          return fail(*event);
        case Progress::more:
          return std::nullopt;
        case Progress::whole:
          break;
      }
      pending_delivered_ = true;
      event = take_frame(header, pending_);
      if (!event) release_delivered();
    }
    if (!event) continue;
    if (event->kind == Event::Kind::error) return fail(*event);
    if (event->kind == Event::Kind::close) stop();
    return event;
  }
  return std::nullopt;
}

// The checks come in the order in which the bytes do, so that a violation is known as early as possible.
Decoder::Progress Decoder::read_header(std::span<const char> bytes, Header& header, std::optional<Event>& error) const {
  const auto violation = [&](std::string_view what) {
    error = make_error(close_code::protocol_error, what);
    return Progress::failed;
  };
  if (bytes.size() < 2) return Progress::more;
  const std::uint8_t first = byte_at(bytes, 0);
  const std::uint8_t second = byte_at(bytes, 1);
  header.fin = (first & 0x80U) != 0;
  header.opcode = first & 0x0fU;
  const bool masked = (second & 0x80U) != 0;
  const std::uint8_t length = second & 0x7fU;

  header.compressed = (first & 0x40U) != 0;
  if ((first & 0x30U) != 0) return violation("a reserved bit is set");
  if (header.compressed && (!inflater_ || header.is_control() || header.opcode == 0))
    return violation("a reserved bit is set");
  if (header.is_control()) {
    if (header.opcode > 10) return violation("reserved opcode");
    if (!header.fin) return violation("fragmented control frame");
    if (length > 125) return violation("control frame of more than 125 bytes");
    if (header.opcode == static_cast<std::uint8_t>(Opcode::close) && length == 1)
      return violation("close frame of one byte");
  } else {
    if (header.opcode > 2) return violation("reserved opcode");
    if (header.opcode == 0 && fragment_opcode_ == 0) return violation("continuation of no message");
    if (header.opcode != 0 && fragment_opcode_ != 0) return violation("new message inside a fragmented one");
  }
  if (masked != (role_ == Role::server)) return violation(masked ? "masked frame" : "unmasked frame");

  const std::size_t length_bytes = length < 126 ? 0 : length == 126 ? 2 : 8;
  header.size = 2 + length_bytes;
  if (bytes.size() < header.size) return Progress::more;
  // A longer encoding than needed is accepted, as `ws` does.
  std::uint64_t payload_size = length_bytes == 0 ? length : 0;
  for (std::size_t i = 0; i < length_bytes; ++i) payload_size = payload_size << 8 | byte_at(bytes, 2 + i);
  if (!header.is_control() && payload_size > message_bytes_max_ - message_.size()) {
    error = make_error(close_code::too_big, "message too big");
    return Progress::failed;
  }
  header.payload_size = static_cast<std::size_t>(payload_size);

  if (!masked) return Progress::whole;
  const std::size_t mask_at = header.size;
  header.size += header.mask.size();
  if (bytes.size() < header.size) return Progress::more;
  for (std::size_t i = 0; i < header.mask.size(); ++i) header.mask[i] = byte_at(bytes, mask_at + i);
  return Progress::whole;
}

// Moves bytes from the input to pending_ until that holds one frame, and no more than that.
Decoder::Progress Decoder::complete_pending(Header& header, std::optional<Event>& error) {
  while (true) {
    const Progress progress = read_header(pending_, header, error);
    if (progress == Progress::failed) return progress;
    if (progress == Progress::whole) {
      take_into_pending(header.frame_size());
      return pending_.size() == header.frame_size() ? Progress::whole : Progress::more;
    }
    if (input_.empty()) return Progress::more;
    // Up to the next place where the header tells more: its first two bytes, the length, the mask.
    take_into_pending(pending_.size() < 2 ? 2 : std::max(header.size, pending_.size() + 1));
  }
}

void Decoder::take_into_pending(std::size_t size_wanted) {
  const std::size_t count = std::min(size_wanted - pending_.size(), input_.size());
  // Grows with what has come, not with what a header promises, and not beyond the frame.
  const std::size_t size = pending_.size() + count;
  if (size > pending_.capacity()) pending_.reserve(std::max(size, std::min(size_wanted, 2 * pending_.capacity())));
  pending_.append(input_.data(), count);
  input_ = input_.subspan(count);
}

std::optional<Event> Decoder::keep_rest(std::size_t size_wanted) {
  take_into_pending(std::max(size_wanted, input_.size()));
  return std::nullopt;
}

std::optional<Event> Decoder::take_frame(const Header& header, std::span<char> frame) {
  const std::span<char> payload = frame.subspan(header.size);
  if (role_ == Role::server) apply_mask(payload.data(), payload.size(), header.mask);
  const std::string_view text(payload.data(), payload.size());
  if (header.is_control() || !header.fin) ++bare_frames_;
  if (header.is_control()) return take_control(static_cast<Opcode>(header.opcode), text);
  if (header.fin && header.opcode != 0)
    return header.compressed ? inflate(header.opcode, text) : make_message(header.opcode, text);
  if (header.opcode != 0) {
    fragment_opcode_ = header.opcode;
    fragments_compressed_ = header.compressed;
  }
  message_ += text;
  if (!header.fin) return std::nullopt;
  const std::uint8_t opcode = std::exchange(fragment_opcode_, std::uint8_t{0});
  return fragments_compressed_ ? inflate(opcode, std::exchange(message_, {})) : make_message(opcode, message_);
}

Event Decoder::inflate(std::uint8_t opcode, std::string_view payload) {
  const auto inflated = inflater_->inflate(payload, message_bytes_max_, message_);
  if (inflated) return make_message(opcode, message_);
  switch (inflated.error()) {
    case InflateError::bad_data:
      return make_error(close_code::invalid_data, "bad compressed data");
    case InflateError::too_big:
      return make_error(close_code::too_big, "message too big");
  }
  return make_error(close_code::invalid_data, "bad compressed data");
}

Event Decoder::make_message(std::uint8_t opcode, std::string_view payload) {
  if (opcode == static_cast<std::uint8_t>(Opcode::binary)) return {Event::Kind::binary, payload};
  if (!is_utf8(payload)) return make_error(close_code::invalid_data, "text message that is not UTF-8");
  return {Event::Kind::text, payload};
}

std::optional<Event> Decoder::take_control(Opcode opcode, std::string_view payload) {
  if (opcode == Opcode::ping) return Event{Event::Kind::ping, payload};
  if (opcode == Opcode::pong) return Event{Event::Kind::pong, payload};
  if (payload.empty()) return Event{Event::Kind::close, {}, close_code::none};
  const auto code = static_cast<std::uint16_t>(byte_at(payload, 0) << 8 | byte_at(payload, 1));
  if (!is_valid_close_code(code)) return make_error(close_code::protocol_error, "close code that may not be sent");
  const std::string_view reason = payload.substr(2);
  if (!is_utf8(reason)) return make_error(close_code::invalid_data, "close reason that is not UTF-8");
  return Event{Event::Kind::close, reason, code};
}

// What the last event showed is not needed any more; the capacity goes too, so that an idle connection holds nothing.
void Decoder::release_delivered() {
  if (pending_delivered_) {
    drop(pending_);
    pending_delivered_ = false;
  }
  if (fragment_opcode_ == 0 && !message_.empty()) drop(message_);
}

void Decoder::stop() {
  done_ = true;
  input_ = {};
  if (fragment_opcode_ != 0) {
    fragment_opcode_ = 0;
    drop(message_);
  }
}

std::optional<Event> Decoder::fail(Event error) {
  stop();
  drop(pending_);
  pending_delivered_ = false;
  drop(message_);
  return error;
}

}  // namespace carillon::websocket
