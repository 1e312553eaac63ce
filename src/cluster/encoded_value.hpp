// Values inside messages that are still JSON text or MessagePack: what is only passed on is not taken apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <carillon/value.hpp>

#include "base/msgpack_reader.hpp"
#include "base/result.hpp"
#include "cluster/statistics.hpp"

namespace carillon::cluster {

// Borrowed from the message, whose form has been checked as a whole.
struct EncodedValue {
  enum class Form : std::uint8_t { none, json, msgpack };
  Form form = Form::none;
  std::string_view bytes{};  // without space around it

  bool exists() const { return form != Form::none; }
};

// The whole of the bytes is one value.
Result<EncodedValue, Malformed> check_json_value(std::string_view text);
Result<EncodedValue, Malformed> check_msgpack_value(std::string_view bytes);

// One member of an object after the other. What is no object has none.
class MemberReader {
 public:
  explicit MemberReader(const EncodedValue& object);

  // False: that was the last one.
  bool next();
  // Names with escapes stay as they are written, and are no name that anybody looks for.
  std::string_view name() const { return name_; }
  const EncodedValue& value() const { return value_; }

 private:
  bool next_json();
  bool next_msgpack();

  EncodedValue::Form form_;
  std::string_view rest_;         // json
  MsgpackReader reader_;          // msgpack
  std::size_t members_left_ = 0;  // msgpack
  std::string_view name_;
  EncodedValue value_;
};

// Of repeated members the last, as in JavaScript; none if there is no such member.
EncodedValue find_member(const EncodedValue& object, std::string_view name);

Result<Value, Malformed> to_value(const EncodedValue& value);

// Whether it is an array that begins with an event's name: a text that no event may not have, or a number.
bool is_event_data(const EncodedValue& value);

}  // namespace carillon::cluster
