#include "values.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace carillon::fuzz {
namespace {

std::uint64_t number_of(Input& input) {
  std::uint64_t bits = 0;
  const std::string_view bytes = input.bytes(sizeof bits);
  std::memcpy(&bits, bytes.data(), bytes.size());
  return bits;
}

std::string make_text(Input& input) { return text_of(input.bytes(input.below(40))); }

Value make_array(Input& input, bool binary, int depth) {
  Array items;
  for (std::size_t left = input.below(20); left > 0 && !input.done(); --left)
    items.push_back(make_value(input, binary, depth + 1));
  return items;
}

Value make_object(Input& input, bool binary, int depth) {
  Object members;
  for (std::size_t left = input.below(20); left > 0 && !input.done(); --left)
    members.set("k" + make_text(input), make_value(input, binary, depth + 1));
  return members;
}

bool is_nothing(const Value& value) {
  const auto* number = std::get_if<double>(&value.storage());
  return value.is_null() || (number != nullptr && !std::isfinite(*number));
}

bool same_numbers(const Value& a, const Value& b) {
  const auto* real_a = std::get_if<double>(&a.storage());
  const auto* real_b = std::get_if<double>(&b.storage());
  if (real_a != nullptr || real_b != nullptr) return a.as_double() == b.as_double();
  // Kinds of whole numbers: what does not fit in int64 is uint64.
  const auto* large_a = std::get_if<std::uint64_t>(&a.storage());
  const auto* large_b = std::get_if<std::uint64_t>(&b.storage());
  const auto whole = [](const Value& value) { return value.as_int64(-1); };
  if (large_a != nullptr && large_b != nullptr) return *large_a == *large_b;
  return whole(a) == whole(b) && (large_a == nullptr || whole(a) != -1) && (large_b == nullptr || whole(b) != -1);
}

}  // namespace

bool is_utf8_slowly(std::string_view bytes) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  for (std::size_t i = 0; i < bytes.size();) {
    const unsigned first = at(i);
    const std::size_t length = first < 0x80   ? 1
                               : first < 0xc2 ? 0
                               : first < 0xe0 ? 2
                               : first < 0xf0 ? 3
                               : first < 0xf5 ? 4
                                              : 0;
    if (length == 0 || bytes.size() - i < length) return false;
    unsigned point = length == 1 ? first : first & (0x7fU >> length);
    for (std::size_t k = 1; k < length; ++k) {
      if ((at(i + k) & 0xc0U) != 0x80U) return false;
      point = point << 6 | (at(i + k) & 0x3fU);
    }
    if ((length == 3 && point < 0x800) || (length == 4 && point < 0x10000) || point > 0x10ffff) return false;
    if (point >= 0xd800 && point < 0xe000) return false;
    i += length;
  }
  return true;
}

std::string text_of(std::string_view bytes) {
  std::string text(bytes);
  if (!is_utf8_slowly(text))
    for (char& c : text) c = static_cast<char>(static_cast<unsigned char>(c) & 0x7fU);
  return text;
}

Value make_value(Input& input, bool binary, int depth) {
  switch (input.below(depth < 8 ? 11 : 9)) {
    case 0:
      return nullptr;
    case 1:
      return input.flag();
    case 2:
      return static_cast<std::int64_t>(number_of(input));
    case 3:
      return static_cast<std::int64_t>(number_of(input)) >> input.below(64);
    case 4:
      return number_of(input);
    case 5:
      return std::bit_cast<double>(number_of(input));
    case 6:
      return static_cast<double>(static_cast<std::int64_t>(number_of(input)) >> input.below(64));
    case 7:
      return make_text(input);
    case 8:
      return binary ? Value(Binary{std::string(input.bytes(input.byte()))}) : Value(make_text(input));
    case 9:
      return make_array(input, binary, depth);
    default:
      return make_object(input, binary, depth);
  }
}

std::vector<std::string> make_rooms(Input& input) {
  std::vector<std::string> rooms;
  for (std::size_t left = input.below(4); left > 0; --left) rooms.push_back(text_of(input.bytes(input.below(16))));
  return rooms;
}

bool same(const Value& a, const Value& b) {
  if (is_nothing(a) || is_nothing(b)) return is_nothing(a) && is_nothing(b);
  if (a.is_number() || b.is_number()) return a.is_number() && b.is_number() && same_numbers(a, b);
  if (const Array* items = a.as_array())
    return b.as_array() != nullptr && std::ranges::equal(*items, *b.as_array(), same);
  if (const Object* members = a.as_object())
    return b.as_object() != nullptr &&
           std::equal(members->begin(), members->end(), b.as_object()->begin(), b.as_object()->end(),
                      [](const auto& x, const auto& y) { return x.first == y.first && same(x.second, y.second); });
  return a == b;
}

bool has_placeholder(const Value& value) {
  if (const Array* items = value.as_array()) return std::ranges::any_of(*items, has_placeholder);
  const Object* members = value.as_object();
  if (members == nullptr) return false;
  return std::any_of(members->begin(), members->end(), [](const Object::Member& member) {
    return member.first == "_placeholder" || has_placeholder(member.second);
  });
}

Value without_repeated_keys(const Value& value) {
  if (const Array* items = value.as_array()) {
    Array result;
    for (const Value& item : *items) result.push_back(without_repeated_keys(item));
    return result;
  }
  const Object* members = value.as_object();
  if (members == nullptr) return value;
  Object result;
  for (const auto& [key, member] : *members) result.set(key, without_repeated_keys(member));
  return result;
}

}  // namespace carillon::fuzz
