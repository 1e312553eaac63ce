#include "cluster/msgpack_reader.hpp"

#include <bit>
#include <cmath>
#include <limits>

namespace carillon::cluster {
namespace {

using Kind = MsgpackToken::Kind;
using Token = Result<MsgpackToken, MsgpackError>;

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

MsgpackToken integer(std::int64_t value) { return {.kind = Kind::integer, .integer = value}; }
MsgpackToken real(double value) { return {.kind = Kind::real, .real = value}; }

// As JavaScript's Date: fractions of a millisecond are cut, beyond its range there is no date (null in JSON).
MsgpackToken date(double milliseconds) {
  constexpr double most = 8.64e15;
  if (!(std::abs(milliseconds) <= most)) return {};
  return {.kind = Kind::date, .integer = static_cast<std::int64_t>(milliseconds)};
}

// A timestamp's payload: 32-bit seconds, 30-bit nanoseconds and 34-bit seconds, or 32-bit nanoseconds and 64-bit seconds.
Token timestamp(std::string_view bytes) {
  double seconds = 0;
  double nanoseconds = 0;
  switch (bytes.size()) {
    case 4:
      seconds = static_cast<double>(big_endian(bytes));
      break;
    case 8: {
      const std::uint64_t both = big_endian(bytes);
      seconds = static_cast<double>(both & 0x3ffffffffU);
      nanoseconds = static_cast<double>(both >> 34);
      break;
    }
    case 12:
      nanoseconds = static_cast<double>(big_endian(bytes.substr(0, 4)));
      seconds = static_cast<double>(static_cast<std::int64_t>(big_endian(bytes.substr(4))));
      break;
    default:
      return Failure(MsgpackError::invalid);
  }
  return date(seconds * 1e3 + nanoseconds / 1e6);
}

}  // namespace

Token MsgpackReader::next() {
  std::string_view first;
  if (!take(1, first)) return Failure(MsgpackError::cut_off);
  const auto form = static_cast<unsigned char>(first[0]);
  if (form < 0x80) return integer(form);
  if (form < 0x90) return sized(Kind::map, form & 0x0fU);
  if (form < 0xa0) return sized(Kind::array, form & 0x0fU);
  if (form < 0xc0) return sized(Kind::text, form & 0x1fU);
  if (form >= 0xe0) return integer(static_cast<std::int8_t>(form));
  switch (form) {
    case 0xc0:
      return MsgpackToken{};
    case 0xc1:
      return Failure(MsgpackError::invalid);
    case 0xc2:
      return MsgpackToken{.kind = Kind::boolean, .integer = 0};
    case 0xc3:
      return MsgpackToken{.kind = Kind::boolean, .integer = 1};
    case 0xd4:
      return extension(1, true);
    case 0xd5:
      return extension(2, true);
    case 0xd6:
      return extension(4, true);
    case 0xd7:
      return extension(8, true);
    case 0xd8:
      return extension(16, true);
    default:
      break;
  }
  return form >= 0xca && form <= 0xd3 ? number(form) : wide(form);
}

// Forms whose size follows as a number: c4..c9, d9..df.
Token MsgpackReader::wide(unsigned form) {
  struct Form {
    Kind kind;
    std::size_t width;
  };
  const Form shape = [&]() -> Form {
    switch (form) {
      case 0xc4:
        return {Kind::binary, 1};
      case 0xc5:
        return {Kind::binary, 2};
      case 0xc6:
        return {Kind::binary, 4};
      case 0xc7:
        return {Kind::extension, 1};
      case 0xc8:
        return {Kind::extension, 2};
      case 0xc9:
        return {Kind::extension, 4};
      case 0xd9:
        return {Kind::text, 1};
      case 0xda:
        return {Kind::text, 2};
      case 0xdb:
        return {Kind::text, 4};
      case 0xdc:
        return {Kind::array, 2};
      case 0xdd:
        return {Kind::array, 4};
      case 0xde:
        return {Kind::map, 2};
      default:
        return {Kind::map, 4};  // df
    }
  }();
  std::uint64_t size = 0;
  if (!take_number(shape.width, size)) return Failure(MsgpackError::cut_off);
  return shape.kind == Kind::extension ? extension(size, false) : sized(shape.kind, size);
}

// Forms ca..d3.
Token MsgpackReader::number(unsigned form) {
  constexpr std::size_t widths[] = {4, 8, 1, 2, 4, 8, 1, 2, 4, 8};
  std::uint64_t bits = 0;
  if (!take_number(widths[form - 0xca], bits)) return Failure(MsgpackError::cut_off);
  switch (form) {
    case 0xca:
      return real(static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits))));
    case 0xcb:
      return real(std::bit_cast<double>(bits));
    case 0xd0:
      return integer(static_cast<std::int8_t>(bits));
    case 0xd1:
      return integer(static_cast<std::int16_t>(bits));
    case 0xd2:
      return integer(static_cast<std::int32_t>(bits));
    case 0xd3:
      return integer(static_cast<std::int64_t>(bits));
    default:
      break;
  }
  if (bits > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    return MsgpackToken{.kind = Kind::natural, .natural = bits};
  return integer(static_cast<std::int64_t>(bits));
}

Token MsgpackReader::extension(std::uint64_t size, bool fixed) {
  std::uint64_t type_byte = 0;
  MsgpackToken token{.kind = Kind::extension};
  if (!take_number(1, type_byte) || !take(size, token.bytes)) return Failure(MsgpackError::cut_off);
  token.integer = static_cast<std::int8_t>(type_byte);
  if (token.integer == -1 && (fixed ? size == 4 || size == 8 : true)) return timestamp(token.bytes);
  if (token.integer != 0) return token;
  if (!fixed) token.kind = Kind::binary;
  if (fixed && size == 1) return MsgpackToken{.kind = Kind::undefined};
  if (fixed && size == 8) return date(static_cast<double>(static_cast<std::int64_t>(big_endian(token.bytes))));
  return token;
}

// An element takes a byte at least: what claims more than is left is found out before anybody allocates for it.
Token MsgpackReader::sized(Kind kind, std::uint64_t size) {
  MsgpackToken token{.kind = kind};
  const std::size_t left = bytes_.size() - at_;
  switch (kind) {
    case Kind::array:
    case Kind::map:
      if (size > (kind == Kind::map ? left / 2 : left)) return Failure(MsgpackError::cut_off);
      token.size = static_cast<std::size_t>(size);
      return token;
    default:
      if (!take(size, token.bytes)) return Failure(MsgpackError::cut_off);
      return token;
  }
}

Result<std::string_view, MsgpackError> MsgpackReader::skip() {
  const std::size_t start = at_;
  for (std::uint64_t values = 1; values > 0; --values) {
    const auto token = next();
    if (!token) return Failure(token.error());
    if (token->is(Kind::array)) values += token->size;
    if (token->is(Kind::map)) values += 2 * std::uint64_t{token->size};
  }
  return bytes_.substr(start, at_ - start);
}

bool MsgpackReader::take(std::size_t count, std::string_view& out) {
  if (count > bytes_.size() - at_) return false;
  out = bytes_.substr(at_, count);
  at_ += count;
  return true;
}

bool MsgpackReader::take_number(std::size_t width, std::uint64_t& out) {
  std::string_view bytes;
  if (!take(width, bytes)) return false;
  out = big_endian(bytes);
  return true;
}

}  // namespace carillon::cluster
