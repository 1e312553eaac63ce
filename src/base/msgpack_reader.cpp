#include "base/msgpack_reader.hpp"

#include <bit>
#include <cmath>
#include <limits>

namespace carillon {
namespace {

using Kind = MsgpackToken::Kind;

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

bool set(MsgpackToken& token, Kind kind, std::int64_t integer = 0) {
  token.kind = kind;
  token.integer = integer;
  return true;
}

bool set_real(MsgpackToken& token, double value) {
  token.kind = Kind::real;
  token.real = value;
  return true;
}

// As JavaScript's Date: fractions of a millisecond are cut, beyond its range there is no date (null in JSON).
bool set_date(MsgpackToken& token, double milliseconds) {
  constexpr double most = 8.64e15;
  if (!(std::abs(milliseconds) <= most)) return set(token, Kind::nil);
  return set(token, Kind::date, static_cast<std::int64_t>(milliseconds));
}

// A timestamp's payload: 32-bit seconds, 30-bit nanoseconds and 34-bit seconds, or 32-bit nanoseconds and 64-bit seconds.
bool set_timestamp(MsgpackToken& token, std::string_view bytes) {
  const std::uint64_t first = big_endian(bytes.substr(0, bytes.size() == 12 ? 4 : bytes.size()));
  const auto date = [&](double seconds, double nanoseconds) {
    return set_date(token, seconds * 1e3 + nanoseconds / 1e6);
  };
  switch (bytes.size()) {
    case 4:
      return date(static_cast<double>(first), 0);
    case 8:
      return date(static_cast<double>(first & 0x3ffffffffU), static_cast<double>(first >> 34));
    case 12:
      return date(static_cast<double>(static_cast<std::int64_t>(big_endian(bytes.substr(4)))),
                  static_cast<double>(first));
    default:
      return false;
  }
}

}  // namespace

bool MsgpackReader::next(MsgpackToken& token) {
  if (at_end()) return fail(MsgpackError::cut_off);
  const unsigned form = static_cast<unsigned char>(bytes_[at_++]);
  if (form < 0x80) return set(token, Kind::integer, form);
  if (form < 0x90) return container(token, Kind::map, form & 0x0fU);
  if (form < 0xa0) return container(token, Kind::array, form & 0x0fU);
  if (form < 0xc0) return bytes(token, Kind::text, form & 0x1fU);
  if (form >= 0xe0) return set(token, Kind::integer, static_cast<std::int8_t>(form));
  switch (form) {
    case 0xc0:
      return set(token, Kind::nil);
    case 0xc1:
      return fail(MsgpackError::invalid);
    case 0xc2:
      return set(token, Kind::boolean, 0);
    case 0xc3:
      return set(token, Kind::boolean, 1);
    case 0xd4:
      return extension(token, 1, true);
    case 0xd5:
      return extension(token, 2, true);
    case 0xd6:
      return extension(token, 4, true);
    case 0xd7:
      return extension(token, 8, true);
    case 0xd8:
      return extension(token, 16, true);
    default:
      return form >= 0xca && form <= 0xd3 ? number(token, form) : sized(token, form);
  }
}

// Forms whose size follows as a number: c4..c9, d9..df.
bool MsgpackReader::sized(MsgpackToken& token, unsigned form) {
  constexpr std::size_t c_widths[] = {1, 2, 4, 1, 2, 4};     // binary, extension
  constexpr std::size_t d_widths[] = {1, 2, 4, 2, 4, 2, 4};  // text, array, map
  std::uint64_t size = 0;
  if (!take_number(form < 0xd9 ? c_widths[form - 0xc4] : d_widths[form - 0xd9], size)) return false;
  if (form <= 0xc6) return bytes(token, Kind::binary, size);
  if (form <= 0xc9) return extension(token, size, false);
  if (form <= 0xdb) return bytes(token, Kind::text, size);
  return container(token, form <= 0xdd ? Kind::array : Kind::map, size);
}

// Forms ca..d3.
bool MsgpackReader::number(MsgpackToken& token, unsigned form) {
  constexpr std::size_t widths[] = {4, 8, 1, 2, 4, 8, 1, 2, 4, 8};
  std::uint64_t bits = 0;
  if (!take_number(widths[form - 0xca], bits)) return false;
  switch (form) {
    case 0xca:
      return set_real(token, static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits))));
    case 0xcb:
      return set_real(token, std::bit_cast<double>(bits));
    case 0xd0:
      return set(token, Kind::integer, static_cast<std::int8_t>(bits));
    case 0xd1:
      return set(token, Kind::integer, static_cast<std::int16_t>(bits));
    case 0xd2:
      return set(token, Kind::integer, static_cast<std::int32_t>(bits));
    case 0xd3:
      return set(token, Kind::integer, static_cast<std::int64_t>(bits));
    default:
      break;
  }
  token.natural = bits;
  const bool large = bits > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  return set(token, large ? Kind::natural : Kind::integer, static_cast<std::int64_t>(bits));
}

bool MsgpackReader::extension(MsgpackToken& token, std::uint64_t size, bool fixed) {
  std::uint64_t type_byte = 0;
  if (!take_number(1, type_byte) || !take(size, token.bytes)) return false;
  const auto type = static_cast<std::int8_t>(type_byte);
  if (type == -1 && (!fixed || size == 4 || size == 8))
    return set_timestamp(token, token.bytes) || fail(MsgpackError::invalid);
  if (type == 0) {
    if (!fixed) return set(token, Kind::binary);
    if (size == 1) return set(token, Kind::undefined);
    if (size == 8) return set_date(token, static_cast<double>(static_cast<std::int64_t>(big_endian(token.bytes))));
  }
  return set(token, Kind::extension, type);
}

// An element takes a byte at least: what claims more than is left is found out before anybody allocates for it.
bool MsgpackReader::container(MsgpackToken& token, Kind kind, std::uint64_t size) {
  const std::size_t left = bytes_.size() - at_;
  if (size > (kind == Kind::map ? left / 2 : left)) return fail(MsgpackError::cut_off);
  token.kind = kind;
  token.size = static_cast<std::size_t>(size);
  return true;
}

bool MsgpackReader::bytes(MsgpackToken& token, Kind kind, std::uint64_t size) {
  token.kind = kind;
  return take(size, token.bytes);
}

bool MsgpackReader::skip(std::string_view& value) {
  const std::size_t start = at_;
  MsgpackToken token;
  for (std::uint64_t values = 1; values > 0; --values) {
    if (!next(token)) return false;
    if (token.is(Kind::array)) values += token.size;
    if (token.is(Kind::map)) values += 2 * std::uint64_t{token.size};
  }
  value = bytes_.substr(start, at_ - start);
  return true;
}

bool MsgpackReader::take(std::uint64_t count, std::string_view& out) {
  if (count > bytes_.size() - at_) return fail(MsgpackError::cut_off);
  out = std::string_view(bytes_.data() + at_, static_cast<std::size_t>(count));
  at_ += static_cast<std::size_t>(count);
  return true;
}

bool MsgpackReader::take_number(std::size_t width, std::uint64_t& out) {
  std::string_view number;
  if (!take(width, number)) return false;
  out = big_endian(number);
  return true;
}

bool MsgpackReader::fail(MsgpackError error) {
  error_ = error;
  return false;
}

}  // namespace carillon
