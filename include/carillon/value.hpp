// What an event can carry: JSON plus binary. A plain value type; any thread, no sharing between copies.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace carillon {

class Value;

// Bytes that travel as a Socket.IO attachment (a Buffer, ArrayBuffer or Blob on the JavaScript side).
struct Binary {
  std::string bytes;
  friend bool operator==(const Binary&, const Binary&) = default;
};

using Array = std::vector<Value>;

// Members in insertion order, as JavaScript keeps them. Keys are unique by convention: the last one wins in find().
class Object {
 public:
  using Member = std::pair<std::string, Value>;

  Object();
  Object(std::initializer_list<Member> members);
  Object(const Object&);
  Object(Object&&) noexcept;
  Object& operator=(const Object&);
  Object& operator=(Object&&) noexcept;
  ~Object();

  // The member's value, or nullptr. Linear: objects in events are small.
  const Value* find(std::string_view key) const;
  Value* find(std::string_view key);
  void set(std::string key, Value value);     // replaces a member of that name or appends one
  void append(std::string key, Value value);  // appends without looking for the key
  bool erase(std::string_view key);

  std::size_t size() const;
  bool empty() const { return size() == 0; }
  const Member* begin() const;
  const Member* end() const;
  Member* begin();
  Member* end();

  friend bool operator==(const Object& a, const Object& b);

 private:
  std::vector<Member> members_;
};

// Numbers keep their kind: integers of up to 64 bits stay exact, everything else is a double.
class Value {
 public:
  using Storage =
      std::variant<std::nullptr_t, bool, std::int64_t, std::uint64_t, double, std::string, Binary, Array, Object>;

  Value() = default;
  Value(std::nullptr_t) {}
  Value(bool value) : storage_(value) {}
  template <std::signed_integral T>
  Value(T value) : storage_(static_cast<std::int64_t>(value)) {}
  template <std::unsigned_integral T>
    requires(!std::same_as<T, bool>)
  Value(T value) : storage_(static_cast<std::uint64_t>(value)) {}
  Value(double value) : storage_(value) {}
  Value(const char* text) : storage_(std::string(text)) {}
  Value(std::string_view text) : storage_(std::string(text)) {}
  Value(std::string text) : storage_(std::move(text)) {}
  Value(Binary binary) : storage_(std::move(binary)) {}
  Value(Array array) : storage_(std::move(array)) {}
  Value(Object object) : storage_(std::move(object)) {}

  bool is_null() const { return std::holds_alternative<std::nullptr_t>(storage_); }
  bool is_number() const;

  // The value as that kind, or nullptr.
  const bool* as_bool() const { return std::get_if<bool>(&storage_); }
  const std::string* as_string() const { return std::get_if<std::string>(&storage_); }
  const Binary* as_binary() const { return std::get_if<Binary>(&storage_); }
  const Array* as_array() const { return std::get_if<Array>(&storage_); }
  const Object* as_object() const { return std::get_if<Object>(&storage_); }

  // The number, or `fallback` where this is none, or (as_int64) where it is not a whole number in range.
  double as_double(double fallback = 0) const;
  std::int64_t as_int64(std::int64_t fallback = 0) const;

  // Member of an object, or nullptr if this is no object or has no such member.
  const Value* find(std::string_view key) const;

  const Storage& storage() const { return storage_; }
  Storage& storage() { return storage_; }

  friend bool operator==(const Value&, const Value&) = default;

 private:
  Storage storage_;
};

// JSON text. Binary inside becomes {"_placeholder":true,"num":N}, numbered from 0, as on the wire.
std::string to_json(const Value& value);

}  // namespace carillon
