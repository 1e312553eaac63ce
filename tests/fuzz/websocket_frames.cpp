// Decoder: bytes in pieces of any size give the same events as in one piece and, without compression, those that a
// plain reading of RFC 6455 gives; messages that were framed, fragmented or compressed come back whole.
//
//   input = setup(1) limit(1) pieces(1) ( bytes / end(1) messages )
//   setup = role(1 bit) compression(2 bits) framed(1 bit)
//
// Covers: src/websocket/decoder.cpp src/websocket/frame.cpp src/websocket/inflater.cpp
// Covers: src/websocket/message_inflater.cpp src/websocket/deflater.cpp
#include <zlib.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "values.hpp"
#include "websocket/decoder.hpp"
#include "websocket/deflater.hpp"

namespace carillon::fuzz {
namespace {

using namespace carillon::websocket;
using Kind = Event::Kind;

struct Seen {
  Kind kind;
  std::string payload;
  std::uint16_t code = 0;
  friend bool operator==(const Seen&, const Seen&) = default;
};

struct Setup {
  Role role = Role::server;
  std::size_t limit = 0;
  bool compressed = false;
  std::size_t window_bytes = 0;
};

struct Outcome {
  std::vector<Seen> events;
  std::string unread;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

void check_event(const Seen& seen, const Setup& setup) {
  switch (seen.kind) {
    case Kind::text:
      check(is_utf8_slowly(seen.payload), "text is UTF-8");
      [[fallthrough]];
    case Kind::binary:
      check(seen.payload.size() <= setup.limit, "no message is longer than allowed");
      break;
    case Kind::ping:
    case Kind::pong:
      check(seen.payload.size() <= 125, "control frames are short");
      break;
    case Kind::close:
      check(is_utf8_slowly(seen.payload) && seen.payload.size() <= 123, "a reason is short text");
      check(seen.code == close_code::none || (seen.code >= 1000 && seen.code <= 4999), "a close code is one");
      break;
    case Kind::error:
      check(seen.code == 1002 || seen.code == 1007 || seen.code == 1009, "an error is one of the RFC's");
      break;
  }
}

Outcome run(const Setup& setup, std::string_view bytes, std::uint32_t seed) {
  DeflateStats stats;
  Inflater inflater(stats);
  Decoder decoder(setup.role, setup.limit);
  if (setup.compressed) decoder.read_compressed(std::make_unique<MessageInflater>(inflater, setup.window_bytes));
  Outcome outcome;
  bool ended = false;
  for (Pieces pieces(bytes, seed); !pieces.done();) {
    std::string piece(pieces.next());  // in memory of its own: the sanitizer sees who reads beyond it
    decoder.feed(piece);
    while (const auto event = decoder.next()) {
      check(!ended, "nothing comes after the end");
      Seen seen{event->kind, std::string(event->payload), event->code};
      check_event(seen, setup);
      check(std::string_view(piece).ends_with(decoder.unread()), "the rest is a part of what came");
      ended = seen.kind == Kind::close || seen.kind == Kind::error;
      // A mistake with frames that do not come in one piece.
      if (canary() && seed > 0 && seen.kind == Kind::pong && seen.payload.size() > 2) seen.payload[2] = 'X';
      outcome.events.push_back(std::move(seen));
    }
    check(decoder.buffered_bytes() <= setup.limit + 125 + header_bytes_max, "no more is kept than one message");
    check(!ended || decoder.buffered_bytes() <= 125 + header_bytes_max, "at the end nothing is kept");
  }
  if (!ended) outcome.unread = decoder.unread();
  return outcome;
}

// --- a plain reading of the RFC, of all bytes at once ---

class PlainReader {
 public:
  PlainReader(const Setup& setup, std::string_view bytes) : setup_(setup), rest_(bytes) {}

  std::vector<Seen> read() {
    while (!ended_ && frame()) continue;
    return events_;
  }

 private:
  void end(Kind kind, std::uint16_t code, std::string_view reason = {}) {
    events_.push_back({kind, std::string(reason), code});
    ended_ = true;
  }
  unsigned byte(std::size_t at) const { return static_cast<unsigned char>(rest_[at]); }

  // False: it is not all there.
  bool frame() {
    if (rest_.size() < 2) return false;
    const bool fin = byte(0) >> 7 != 0;
    const unsigned opcode = byte(0) & 15U;
    const bool masked = byte(1) >> 7 != 0;
    std::uint64_t size = byte(1) & 127U;
    const bool control = opcode >= 8;
    const bool known = opcode <= 2 || (opcode >= 8 && opcode <= 10);
    if ((byte(0) & 0x70U) != 0 || !known || masked != (setup_.role == Role::server))
      return end(Kind::error, 1002), true;
    if (control && (!fin || size > 125 || (opcode == 8 && size == 1))) return end(Kind::error, 1002), true;
    if (!control && (opcode == 0) != in_message_) return end(Kind::error, 1002), true;
    std::size_t at = 2;
    if (size > 125) {
      const std::size_t width = size == 126 ? 2 : 8;
      if (rest_.size() < at + width) return false;
      for (size = 0; width > at - 2; ++at) size = size << 8 | byte(at);
    }
    if (!control && (size > setup_.limit || message_.size() + size > setup_.limit)) return end(Kind::error, 1009), true;
    const std::size_t mask_at = at;
    if (masked) at += 4;
    if (rest_.size() < at || rest_.size() - at < size) return false;
    std::string payload(rest_.substr(at, size));
    for (std::size_t i = 0; masked && i < payload.size(); ++i)
      payload[i] = static_cast<char>(static_cast<unsigned char>(payload[i]) ^ byte(mask_at + i % 4));
    rest_.remove_prefix(at + size);
    take(opcode, fin, payload);
    return true;
  }

  void take(unsigned opcode, bool fin, const std::string& payload) {
    if (opcode == 8) return close(payload);
    if (opcode >= 9) return events_.push_back({opcode == 9 ? Kind::ping : Kind::pong, payload});
    if (opcode != 0) text_ = opcode == 1;
    message_ += payload;
    in_message_ = !fin;
    if (!fin) return;
    if (text_ && !is_utf8_slowly(message_)) return end(Kind::error, 1007);
    events_.push_back({text_ ? Kind::text : Kind::binary, std::exchange(message_, {})});
  }

  void close(const std::string& payload) {
    if (payload.empty()) return end(Kind::close, close_code::none);
    const auto code = static_cast<std::uint16_t>(static_cast<unsigned char>(payload[0]) << 8 |
                                                 static_cast<unsigned char>(payload[1]));
    const bool registered = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
    if (!registered && (code < 3000 || code > 4999)) return end(Kind::error, 1002);
    if (!is_utf8_slowly(payload.substr(2))) return end(Kind::error, 1007);
    end(Kind::close, code, payload.substr(2));
  }

  const Setup& setup_;
  std::string_view rest_;
  std::vector<Seen> events_;
  std::string message_;
  bool in_message_ = false;
  bool text_ = false;
  bool ended_ = false;
};

void compare_with_plain_reader(const Setup& setup, std::string_view bytes, const Outcome& outcome) {
  const auto expected = PlainReader(setup, bytes).read();
  check(std::ranges::equal(outcome.events, expected,
                           [](const Seen& a, const Seen& b) {
                             return a.kind == b.kind && a.code == b.code &&
                                    (a.kind == Kind::error || a.payload == b.payload);
                           }),
        "events are those of RFC 6455");
}

// --- messages that are framed ---

// A client that takes its context over from message to message.
class ContextKeeper {
 public:
  explicit ContextKeeper(int window_bits) {
    check(deflateInit2(&stream_, 6, Z_DEFLATED, -window_bits, 8, Z_DEFAULT_STRATEGY) == Z_OK, "zlib starts");
  }
  ~ContextKeeper() { deflateEnd(&stream_); }
  std::string compress(std::string message) {
    if (message.empty()) return std::string(1, '\0');  // zlib has nothing to flush; RFC 7692 section 7.2.3.6
    std::string out(message.size() + 1000, '\0');
    stream_.next_in = reinterpret_cast<Bytef*>(message.data());
    stream_.avail_in = static_cast<uInt>(message.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    deflate(&stream_, Z_SYNC_FLUSH);
    check(stream_.avail_out > 0, "there was room");
    out.resize(out.size() - stream_.avail_out - 4);
    return out;
  }

 private:
  z_stream stream_{};
};

class Framer {
 public:
  Framer(const Setup& setup, Input& input) : setup_(setup), input_(input), deflater_(6, 15, stats_) {
    if (setup.window_bytes > 0) {
      int bits = 9;
      while (std::size_t{1} << bits < setup.window_bytes) ++bits;
      keeper_ = std::make_unique<ContextKeeper>(bits);
    }
  }

  void run() {
    const std::uint8_t end = input_.byte();
    while (!input_.done() && wire.size() < 100'000) {
      const std::uint8_t how = input_.byte();
      std::string payload(input_.bytes(input_.byte()));
      if ((how & 3U) < 2) {
        for (unsigned i = how >> 6; i > 0; --i) payload += payload;  // up to eight times as long
        message((how & 1U) != 0, (how & 4U) != 0, how >> 3 & 7U, payload);
      } else {
        control((how & 1U) != 0 ? Opcode::ping : Opcode::pong, payload.substr(0, 125));
      }
    }
    if ((end & 1U) != 0) close((end & 2U) != 0 ? close_code::none : static_cast<std::uint16_t>(3000 + end));
  }

  std::string wire;
  std::vector<Seen> expected;

 private:
  void message(bool text, bool compressed, unsigned fragments, std::string payload) {
    if (text) payload = text_of(payload);
    if (payload.size() > setup_.limit) return;
    Seen seen{text ? Kind::text : Kind::binary, payload};
    compressed = compressed && setup_.compressed;
    if (compressed) payload = compress(payload);
    if (payload.size() > setup_.limit) return;
    if (fragments == 0) {
      whole(text ? Opcode::text : Opcode::binary, compressed, payload);
    } else {
      fragment(text ? 1 : 2, compressed, fragments, payload);
    }
    expected.push_back(std::move(seen));
  }

  std::string compress(const std::string& payload) {
    if (keeper_) return keeper_->compress(payload);
    std::string out;
    deflater_.compress(payload, out);
    return out;
  }

  void control(Opcode opcode, std::string_view payload) {
    append(opcode, payload);
    expected.push_back({opcode == Opcode::ping ? Kind::ping : Kind::pong, std::string(payload)});
  }

  // Reasons are cut where they are too long, between characters.
  void close(std::uint16_t code) {
    std::string reason = "é€😀x";
    for (int i = code % 5; i > 0; --i) reason += reason;
    const std::string frame = close_frame(code, reason);
    check(frame.size() <= 2 + 125, "a close frame is short");
    append(Opcode::close, std::string_view(frame).substr(2));
    if (code == close_code::none) return expected.push_back({Kind::close, "", code});
    check(frame.size() - 4 >= std::min<std::size_t>(reason.size(), 120), "no more than needed is cut");
    expected.push_back({Kind::close, reason.substr(0, frame.size() - 4), code});
  }

  void append(Opcode opcode, std::string_view payload) {
    if (setup_.role == Role::server) {
      append_masked_frame(wire, opcode, payload, {input_.byte(), 1, 0, 255});
    } else {
      append_frame(wire, opcode, payload);
    }
  }

  void whole(Opcode opcode, bool compressed, std::string_view payload) {
    if (compressed && setup_.role == Role::client) {
      append_compressed_header(wire, opcode, payload.size());
      wire += payload;
      return;
    }
    const std::size_t start = wire.size();
    if (setup_.role == Role::client && payload.size() % 2 == 1) {
      append_header(wire, opcode, payload.size());  // as frames for many receivers are made
      wire += payload;
    } else {
      append(opcode, payload);
    }
    if (compressed) wire[start] = static_cast<char>(static_cast<unsigned char>(wire[start]) | 0x40U);
  }

  // Frames of about the same size, with control frames in between.
  void fragment(unsigned opcode, bool compressed, unsigned count, std::string_view payload) {
    const std::size_t step = payload.size() / count + 1;
    for (bool first = true, last = false; !last; first = false) {
      const std::string_view part = payload.substr(0, step);
      payload.remove_prefix(part.size());
      last = payload.empty();
      const std::size_t start = wire.size();
      append(Opcode::binary, part);
      wire[start] = static_cast<char>((last ? 0x80U : 0U) | (first && compressed ? 0x40U : 0U) | (first ? opcode : 0U));
      if (!last && input_.flag()) control(Opcode::ping, "between");
    }
  }

  const Setup& setup_;
  Input& input_;
  DeflateStats stats_;
  Deflater deflater_;
  std::unique_ptr<ContextKeeper> keeper_;
};

// Lengths that inputs seldom have.
void check_headers() {
  for (const std::size_t size : {0U, 125U, 126U, 65'535U, 65'536U, 70'000U}) {
    for (const bool masked : {false, true}) {
      const std::string payload(size, 'x');
      std::string wire;
      if (masked) {
        append_masked_frame(wire, Opcode::binary, payload, {1, 2, 3, 4});
      } else {
        append_frame(wire, Opcode::binary, payload);
      }
      check(masked || wire.size() == header_size(size) + size, "a header has its size");
      const Setup setup{masked ? Role::server : Role::client, 70'000, false, 0};
      for (const std::uint32_t seed : {0U, 7U})
        check(run(setup, wire, seed).events == std::vector<Seen>{{Kind::binary, payload}}, "a long frame comes back");
    }
  }
}

}  // namespace
}  // namespace carillon::fuzz

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  carillon::fuzz::check_headers();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace carillon::fuzz;
  Input input(data, size);
  const std::uint8_t bits = input.byte();
  constexpr std::array<std::size_t, 6> limits{16, 125, 126, 1000, 70'000, 0};
  constexpr std::array<std::size_t, 4> windows{0, 0, 1U << 15, 1U << 9};
  Setup setup;
  setup.role = (bits & 1U) != 0 ? Role::client : Role::server;
  setup.compressed = (bits >> 1 & 3U) != 0;
  setup.window_bytes = windows[bits >> 1 & 3U];
  setup.limit = limits[input.below(limits.size())];
  const std::uint32_t seed = input.byte() + 1U;
  if ((bits & 8U) != 0) {
    Framer framer(setup, input);
    framer.run();
    for (const std::uint32_t pieces : {0U, seed})
      check(run(setup, framer.wire, pieces).events == framer.expected, "what was framed comes back");
    return 0;
  }
  const std::string_view bytes = input.rest();
  const Outcome whole = run(setup, bytes, 0);
  check(run(setup, bytes, seed) == whole, "pieces make no difference");
  check(run(setup, bytes, 1) == whole, "nor do single bytes");
  if (!setup.compressed) compare_with_plain_reader(setup, bytes, whole);
  return 0;
}
