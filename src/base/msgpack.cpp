// Writing; reading is in msgpack_decode.cpp.
#include "base/msgpack.hpp"

#include <bit>
#include <cmath>
#include <variant>

namespace carillon {
namespace {

void append_big_endian(std::string& out, std::uint64_t value, unsigned width) {
  for (unsigned shift = 8 * width; shift > 0; shift -= 8) out.push_back(static_cast<char>(value >> (shift - 8)));
}

void append_form(std::string& out, unsigned form, std::uint64_t value, unsigned width) {
  out.push_back(static_cast<char>(form));
  append_big_endian(out, value, width);
}

// The head of an array or a map: up to 15 in the first byte.
void append_container(std::string& out, std::size_t size, unsigned fixed_form, unsigned form16) {
  if (size < 0x10) return out.push_back(static_cast<char>(fixed_form | static_cast<unsigned>(size)));
  if (size < 0x10000) return append_form(out, form16, size, 2);
  append_form(out, form16 + 1, size, 4);
}

// The head of text or binary from 8-bit lengths on.
void append_length(std::string& out, std::size_t size, unsigned form8) {
  if (size < 0x100) return append_form(out, form8, size, 1);
  if (size < 0x10000) return append_form(out, form8 + 1, size, 2);
  append_form(out, form8 + 2, size, 4);
}

void append_natural(std::string& out, std::uint64_t value) {
  if (value < 0x80) return out.push_back(static_cast<char>(value));
  if (value < 0x100) return append_form(out, 0xcc, value, 1);
  if (value < 0x10000) return append_form(out, 0xcd, value, 2);
  if (value < 0x100000000) return append_form(out, 0xce, value, 4);
  append_form(out, 0xcf, value, 8);
}

void append_real(std::string& out, double value) {
  constexpr double whole_max = 9007199254740992.0;  // 2^53
  if (std::trunc(value) == value && std::abs(value) <= whole_max)
    return append_msgpack_integer(out, static_cast<std::int64_t>(value));
  append_form(out, 0xcb, std::bit_cast<std::uint64_t>(value), 8);
}

struct Writer {
  std::string& out;

  void operator()(std::nullptr_t) const { out.push_back('\xc0'); }
  void operator()(bool value) const { append_msgpack_bool(out, value); }
  void operator()(std::int64_t value) const { append_msgpack_integer(out, value); }
  void operator()(std::uint64_t value) const { append_natural(out, value); }
  void operator()(double value) const { append_real(out, value); }
  void operator()(const std::string& value) const { append_msgpack_text(out, value); }
  void operator()(const Binary& value) const { append_msgpack_binary(out, value.bytes); }
  void operator()(const Array& items) const {
    append_msgpack_array(out, items.size());
    for (const Value& item : items) std::visit(*this, item.storage());
  }
  void operator()(const Object& members) const {
    append_msgpack_map(out, members.size());
    for (const auto& [key, value] : members) {
      append_msgpack_text(out, key);
      std::visit(*this, value.storage());
    }
  }
};

}  // namespace

void append_msgpack_array(std::string& out, std::size_t size) { append_container(out, size, 0x90, 0xdc); }
void append_msgpack_map(std::string& out, std::size_t size) { append_container(out, size, 0x80, 0xde); }

void append_msgpack_text(std::string& out, std::string_view text) {
  if (text.size() < 0x20) {
    out.push_back(static_cast<char>(0xa0 | text.size()));
  } else {
    append_length(out, text.size(), 0xd9);
  }
  out += text;
}

void append_msgpack_binary(std::string& out, std::string_view bytes) {
  append_length(out, bytes.size(), 0xc4);
  out += bytes;
}

void append_msgpack_integer(std::string& out, std::int64_t value) {
  if (value >= 0) return append_natural(out, static_cast<std::uint64_t>(value));
  const auto bits = static_cast<std::uint64_t>(value);
  if (value >= -0x20) return out.push_back(static_cast<char>(bits));
  if (value >= -0x80) return append_form(out, 0xd0, bits, 1);
  if (value >= -0x8000) return append_form(out, 0xd1, bits, 2);
  if (value >= -0x80000000LL) return append_form(out, 0xd2, bits, 4);
  append_form(out, 0xd3, bits, 8);
}

void append_msgpack_bool(std::string& out, bool value) { out.push_back(value ? '\xc3' : '\xc2'); }

void append_msgpack(std::string& out, const Value& value) { std::visit(Writer{out}, value.storage()); }

}  // namespace carillon
