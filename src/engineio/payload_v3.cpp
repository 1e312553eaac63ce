#include "engineio/payload_v3.hpp"

#include <charconv>
#include <optional>

#include "base/base64.hpp"
#include "base/utf8.hpp"

namespace carillon::engineio {
namespace {

constexpr char text_kind = '\x00';
constexpr char binary_kind = '\x01';
constexpr char size_end = '\xff';
constexpr std::size_t size_digits_max = 10;

Result<PacketType, PacketError> type_of(int digit) {
  if (digit < 0 || digit > static_cast<int>(PacketType::noop)) return Failure(PacketError::unknown_type);
  return static_cast<PacketType>(digit);
}

// Takes a length and its colon from the front.
std::optional<std::size_t> take_length(std::string_view& payload) {
  std::size_t length = 0;
  const auto [end, error] = std::from_chars(payload.data(), payload.data() + payload.size(), length);
  if (error != std::errc()) return std::nullopt;
  payload.remove_prefix(static_cast<std::size_t>(end - payload.data()));
  if (!payload.starts_with(':')) return std::nullopt;
  payload.remove_prefix(1);
  return length;
}

// Takes a size and its end from the front.
std::optional<std::size_t> take_size(std::string_view& payload) {
  std::size_t size = 0;
  for (std::size_t i = 0; i < payload.size() && i <= size_digits_max; ++i) {
    const auto digit = static_cast<unsigned char>(payload[i]);
    if (payload[i] == size_end && i > 0) {
      payload.remove_prefix(i + 1);
      return size;
    }
    if (digit > 9) return std::nullopt;
    size = size * 10 + digit;
  }
  return std::nullopt;
}

void append_size(std::string& payload, std::size_t size) {
  for (const char digit : std::to_string(size)) payload.push_back(static_cast<char>(digit - '0'));
  payload.push_back(size_end);
}

Result<Packet, PacketError> decode_one_of_octets(std::string_view packet, bool binary, Binaries& binaries) {
  if (binary) return decode_octets_v3(packet);
  if (!is_utf8(packet)) return Failure(PacketError::bad_utf8);
  return decode_packet_v3(packet, binaries);
}

}  // namespace

// --- reading ---

Result<Packet, PacketError> decode_packet_v3(std::string_view text, Binaries& binaries) {
  if (!text.starts_with('b')) return decode_packet(text);
  text.remove_prefix(1);
  if (text.empty()) return Failure(PacketError::empty);
  const auto type = type_of(text[0] - '0');
  if (!type) return Failure(type.error());
  auto bytes = from_base64(text.substr(1));
  if (!bytes) return Failure(PacketError::bad_base64);
  return Packet{*type, true, binaries.emplace_front(std::move(*bytes))};
}

Result<Packet, PacketError> decode_octets_v3(std::string_view bytes) {
  if (bytes.empty()) return Failure(PacketError::empty);
  const auto type = type_of(static_cast<unsigned char>(bytes[0]));
  if (!type) return Failure(type.error());
  return Packet{*type, true, bytes.substr(1)};
}

Result<std::vector<Packet>, PacketError> decode_payload_v3(std::string_view payload, Binaries& binaries) {
  if (payload.empty()) return Failure(PacketError::empty);
  if (!is_utf8(payload)) return Failure(PacketError::bad_utf8);
  std::vector<Packet> packets;
  while (!payload.empty()) {
    const auto length = take_length(payload);
    if (!length) return Failure(PacketError::bad_length);
    const auto size = bytes_of_utf16(payload, *length);
    if (!size) return Failure(PacketError::bad_length);
    if (*size == 0) continue;
    const auto packet = decode_packet_v3(payload.substr(0, *size), binaries);
    if (!packet) return Failure(packet.error());
    packets.push_back(*packet);
    payload.remove_prefix(*size);
  }
  return packets;
}

Result<std::vector<Packet>, PacketError> decode_octet_payload_v3(std::string_view payload, Binaries& binaries) {
  if (payload.empty()) return Failure(PacketError::empty);
  std::vector<Packet> packets;
  while (!payload.empty()) {
    const char kind = payload[0];
    if (kind != text_kind && kind != binary_kind) return Failure(PacketError::bad_length);
    payload.remove_prefix(1);
    const auto size = take_size(payload);
    if (!size || *size > payload.size()) return Failure(PacketError::bad_length);
    const auto packet = decode_one_of_octets(payload.substr(0, *size), kind == binary_kind, binaries);
    if (!packet) return Failure(packet.error());
    packets.push_back(*packet);
    payload.remove_prefix(*size);
  }
  return packets;
}

// --- writing ---

void append_to_payload_v3(std::string& payload, const Frames& frames) {
  for (const Frames::Part& part : frames.parts()) {
    const std::string_view data = frames.payload(part);
    if (part.binary) {
      const std::string text = base64(data);
      payload.append(std::to_string(text.size() + 2)).append(":b4").append(text);
    } else {
      payload.append(std::to_string(utf16_length(data))).append(":").append(data);
    }
  }
}

void append_to_octet_payload_v3(std::string& payload, const Frames& frames) {
  for (const Frames::Part& part : frames.parts()) {
    const std::string_view data = frames.payload(part);
    payload.push_back(part.binary ? binary_kind : text_kind);
    append_size(payload, data.size() + (part.binary ? 1 : 0));
    if (part.binary) payload.push_back(static_cast<char>(PacketType::message));
    payload.append(data);
  }
}

}  // namespace carillon::engineio
