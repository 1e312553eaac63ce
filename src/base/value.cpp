#include <algorithm>
#include <cmath>
#include <limits>

#include <carillon/value.hpp>

namespace carillon {

Object::Object() = default;
Object::Object(std::initializer_list<Member> members) : members_(members) {}
Object::Object(const Object&) = default;
Object::Object(Object&&) noexcept = default;
Object& Object::operator=(const Object&) = default;
Object& Object::operator=(Object&&) noexcept = default;
Object::~Object() = default;

Value* Object::find(std::string_view key) {
  const auto found = std::find_if(members_.rbegin(), members_.rend(), [&](const Member& m) { return m.first == key; });
  return found == members_.rend() ? nullptr : &found->second;
}
const Value* Object::find(std::string_view key) const { return const_cast<Object*>(this)->find(key); }

void Object::set(std::string key, Value value) {
  if (Value* found = find(key)) {
    *found = std::move(value);
  } else {
    append(std::move(key), std::move(value));
  }
}
void Object::append(std::string key, Value value) { members_.emplace_back(std::move(key), std::move(value)); }
bool Object::erase(std::string_view key) {
  return std::erase_if(members_, [&](const Member& m) { return m.first == key; }) > 0;
}
std::size_t Object::size() const { return members_.size(); }
const Object::Member* Object::begin() const { return members_.data(); }
const Object::Member* Object::end() const { return members_.data() + members_.size(); }
Object::Member* Object::begin() { return members_.data(); }
Object::Member* Object::end() { return members_.data() + members_.size(); }
bool operator==(const Object& a, const Object& b) { return a.members_ == b.members_; }

bool Value::is_number() const {
  return std::holds_alternative<std::int64_t>(storage_) || std::holds_alternative<std::uint64_t>(storage_) ||
         std::holds_alternative<double>(storage_);
}

double Value::as_double(double fallback) const {
  if (const auto* number = std::get_if<std::int64_t>(&storage_)) return static_cast<double>(*number);
  if (const auto* number = std::get_if<std::uint64_t>(&storage_)) return static_cast<double>(*number);
  if (const auto* number = std::get_if<double>(&storage_)) return *number;
  return fallback;
}

std::int64_t Value::as_int64(std::int64_t fallback) const {
  if (const auto* number = std::get_if<std::int64_t>(&storage_)) return *number;
  if (const auto* number = std::get_if<std::uint64_t>(&storage_)) {
    constexpr auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    return *number <= largest ? static_cast<std::int64_t>(*number) : fallback;
  }
  if (const auto* number = std::get_if<double>(&storage_)) {
    constexpr double limit = 9223372036854775808.0;  // 2^63
    if (std::trunc(*number) == *number && *number >= -limit && *number < limit)
      return static_cast<std::int64_t>(*number);
  }
  return fallback;
}

const Value* Value::find(std::string_view key) const {
  const Object* object = as_object();
  return object != nullptr ? object->find(key) : nullptr;
}

}  // namespace carillon
