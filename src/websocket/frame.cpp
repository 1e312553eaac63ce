#include "websocket/frame.hpp"

#include "websocket/mask.hpp"

namespace carillon::websocket {
namespace {

constexpr unsigned fin_bit = 0x80;
constexpr unsigned mask_bit = 0x80;
constexpr std::size_t close_reason_bytes_max = 123;  // a control frame carries 125, two are the code

void put(std::string& out, std::uint64_t byte) { out.push_back(static_cast<char>(byte & 255U)); }

void append_header(std::string& out, Opcode opcode, std::uint64_t size, unsigned mask) {
  put(out, fin_bit | static_cast<unsigned>(opcode));
  if (size < 126) {
    put(out, mask | size);
  } else if (size < 65536) {
    put(out, mask | 126U);
    for (const unsigned shift : {8U, 0U}) put(out, size >> shift);
  } else {
    put(out, mask | 127U);
    for (unsigned shift = 64; shift > 0;) put(out, size >> (shift -= 8));
  }
}

}  // namespace

void append_header(std::string& out, Opcode opcode, std::size_t payload_size) {
  append_header(out, opcode, payload_size, 0);
}

void append_compressed_header(std::string& out, Opcode opcode, std::size_t payload_size) {
  constexpr unsigned rsv1_bit = 0x40;
  const std::size_t start = out.size();
  append_header(out, opcode, payload_size, 0);
  out[start] = static_cast<char>(static_cast<unsigned char>(out[start]) | rsv1_bit);
}

void append_frame(std::string& out, Opcode opcode, std::string_view payload) {
  append_header(out, opcode, payload.size(), 0);
  out += payload;
}

void append_masked_frame(std::string& out, Opcode opcode, std::string_view payload, std::array<std::uint8_t, 4> mask) {
  append_header(out, opcode, payload.size(), mask_bit);
  for (const std::uint8_t byte : mask) put(out, byte);
  const std::size_t start = out.size();
  out += payload;
  apply_mask(out.data() + start, payload.size(), mask);
}

std::string close_frame(std::uint16_t code, std::string_view reason) {
  std::string out;
  if (code == close_code::none) {
    append_frame(out, Opcode::close, {});
    return out;
  }
  if (reason.size() > close_reason_bytes_max) {
    // Cut between characters: the reason must stay valid UTF-8.
    std::size_t end = close_reason_bytes_max;
    while (end > 0 && (static_cast<unsigned char>(reason[end]) & 0xc0U) == 0x80U) --end;
    reason = reason.substr(0, end);
  }
  append_header(out, Opcode::close, reason.size() + 2);
  put(out, static_cast<unsigned>(code) >> 8);
  put(out, code);
  out += reason;
  return out;
}

}  // namespace carillon::websocket
