#include "base/json.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <optional>
#include <utility>

#include "base/utf8.hpp"

namespace carillon {
namespace {

constexpr double whole_number_max = 9007199254740992.0;  // 2^53: up to here doubles hold every whole number

constexpr std::int64_t whole_exponent_max = std::int64_t{1} << 40;  // more than any text has digits

// Recursive descent over the text. `Sink` decides what is built: nothing (check) or a Value.
class Reader {
 public:
  Reader(std::string_view text, const std::vector<Binary>* attachments) : text_(text), attachments_(attachments) {
    if (attachments == nullptr) return;
    for (const Binary& attachment : *attachments) expansion_left_ += json_attachment_uses_max * attachment.bytes.size();
  }

  bool document(Value* out) {
    skip_space();
    if (!value(out, 0)) return false;
    skip_space();
    return at_ == text_.size() || fail("unexpected text after the value");
  }
  JsonError error() const { return {at_, message_}; }

 private:
  bool fail(std::string_view message) {
    if (message_.empty()) message_ = message;
    return false;
  }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool at_end() const { return at_ == text_.size(); }
  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r'))
      ++at_;
  }
  bool literal(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return fail("unexpected character");
    at_ += word.size();
    return true;
  }

  // Values are built where they will stay, and helpers are kept out of line: a nested text takes little stack, even with
  // the large frames that sanitizers make.
  bool value(Value* out, std::size_t depth) {
    if (at_end()) return fail("unexpected end");
    switch (text_[at_]) {
      case '{':
        return object(out, depth + 1);
      case '[':
        return array(out, depth + 1);
      case '"':
        return string(out != nullptr ? &out->storage().emplace<std::string>() : nullptr);
      case 't':
        return literal("true") && assign(out, true);
      case 'f':
        return literal("false") && assign(out, false);
      case 'n':
        return literal("null") && assign(out, nullptr);
      default:
        return number(out);
    }
  }
  template <class T>
  static bool assign(Value* out, T value) {
    if (out != nullptr) out->storage().template emplace<T>(value);
    return true;
  }

  bool array(Value* out, std::size_t depth) {
    if (depth > json_depth_max) return fail("nested too deeply");
    Array* items = out != nullptr ? &out->storage().emplace<Array>() : nullptr;
    ++at_;
    skip_space();
    if (peek() == ']') return ++at_, true;
    for (;;) {
      skip_space();
      if (!value(items != nullptr ? &items->emplace_back() : nullptr, depth)) return false;
      skip_space();
      if (at_end()) return fail("unexpected end");
      const char c = text_[at_++];
      if (c == ']') return true;
      if (c != ',') return --at_, fail("expected ',' or ']'");
    }
  }

  bool object(Value* out, std::size_t depth) {
    if (depth > json_depth_max) return fail("nested too deeply");
    Object* members = out != nullptr ? &out->storage().emplace<Object>() : nullptr;
    ++at_;
    skip_space();
    if (peek() == '}') return ++at_, true;
    for (;;) {
      skip_space();
      if (peek() != '"') return fail("expected a member name");
      Object::Member* member = members != nullptr ? add_member(*members) : nullptr;
      if (!string(member != nullptr ? &member->first : nullptr)) return false;
      skip_space();
      if (peek() != ':') return fail("expected ':'");
      ++at_;
      skip_space();
      if (!value(member != nullptr ? &member->second : nullptr, depth)) return false;
      skip_space();
      if (at_end()) return fail("unexpected end");
      const char c = text_[at_++];
      if (c == '}') return out == nullptr || finish_object(*out);
      if (c != ',') return --at_, fail("expected ',' or '}'");
    }
  }

  [[gnu::noinline]] static Object::Member* add_member(Object& members) {
    members.append(std::string(), Value());
    return members.end() - 1;
  }

  [[gnu::noinline]] bool finish_object(Value& out) {
    Object& members = std::get<Object>(out.storage());
    if (attachments_ != nullptr) {
      const Value* mark = members.find("_placeholder");
      if (mark != nullptr && mark->as_bool() != nullptr && *mark->as_bool()) {
        const Value* number = members.find("num");
        const std::int64_t index = number != nullptr ? number->as_int64(-1) : -1;
        if (index < 0 || static_cast<std::uint64_t>(index) >= attachments_->size())
          return fail("placeholder without attachment");
        const Binary& attachment = (*attachments_)[static_cast<std::size_t>(index)];
        // Each use is a copy: without a limit a page of placeholders would make gigabytes of one attachment.
        if (attachment.bytes.size() > expansion_left_) return fail("placeholders repeat too often");
        expansion_left_ -= attachment.bytes.size();
        out.storage().emplace<Binary>(attachment);
        return true;
      }
    }
    remove_repeated_keys(members);
    return true;
  }

  // JavaScript keeps the place of the first and the value of the last. Small objects are looked through, others sorted:
  // who knows a hash function could choose keys that take it for ever.
  static void remove_repeated_keys(Object& members) {
    const std::size_t count = members.size();
    if (count <= 32) {
      bool repeated = false;
      for (auto* a = members.begin(); a != members.end() && !repeated; ++a)
        for (auto* b = a + 1; b != members.end() && !repeated; ++b) repeated = a->first == b->first;
      if (!repeated) return;
    }
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto key_of = [&](std::size_t place) -> std::string_view { return members.begin()[place].first; };
    std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
      const int compared = key_of(a).compare(key_of(b));
      return compared != 0 ? compared < 0 : a < b;
    });
    std::vector<bool> dropped(count, false);
    for (std::size_t first = 0, next = 0; first < count; first = next) {
      for (next = first + 1; next < count && key_of(order[next]) == key_of(order[first]); ++next)
        dropped[order[next]] = true;
      if (next - first > 1) members.begin()[order[first]].second = std::move(members.begin()[order[next - 1]].second);
    }
    if (std::ranges::find(dropped, true) == dropped.end()) return;
    Object kept;
    for (std::size_t place = 0; place < count; ++place)
      if (auto& [key, value] = members.begin()[place]; !dropped[place]) kept.append(std::move(key), std::move(value));
    members = std::move(kept);
  }

  [[gnu::noinline]] bool string(std::string* out) {
    ++at_;
    for (;;) {
      const std::size_t run = at_;
      while (at_ < text_.size() && static_cast<unsigned char>(text_[at_]) >= 0x20 && text_[at_] != '"' &&
             text_[at_] != '\\')
        ++at_;
      if (out != nullptr) out->append(text_.substr(run, at_ - run));
      if (at_end()) return fail("unexpected end in a string");
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        return true;
      }
      if (c != '\\') return fail("control character in a string");
      if (!escape(out)) return false;
    }
  }

  bool escape(std::string* out) {
    ++at_;
    if (at_end()) return fail("unexpected end in a string");
    const char c = text_[at_++];
    if (c == 'u') return unicode_escape(out);
    static constexpr std::string_view names = "\"\\/bfnrt";
    static constexpr std::string_view bytes = "\"\\/\b\f\n\r\t";
    const std::size_t index = names.find(c);
    if (index == std::string_view::npos) return --at_, fail("unknown escape");
    if (out != nullptr) out->push_back(bytes[index]);
    return true;
  }

  std::optional<std::uint32_t> hex4() {
    if (text_.size() - at_ < 4) return std::nullopt;
    std::uint32_t code = 0;
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + at_ + 4, code, 16);
    if (error != std::errc() || end != text_.data() + at_ + 4) return std::nullopt;
    at_ += 4;
    return code;
  }

  bool unicode_escape(std::string* out) {
    auto code = hex4();
    if (!code) return fail("expected four hexadecimal digits");
    std::uint32_t point = *code;
    if (point >= 0xd800 && point < 0xdc00 && text_.substr(at_, 2) == "\\u") {
      const std::size_t back = at_;
      at_ += 2;
      const auto low = hex4();
      if (!low) return fail("expected four hexadecimal digits");
      if (*low >= 0xdc00 && *low < 0xe000) {
        point = 0x10000 + ((point - 0xd800) << 10) + (*low - 0xdc00);
      } else {
        at_ = back;  // the second escape stands for itself
      }
    }
    if (point >= 0xd800 && point < 0xe000) point = 0xfffd;  // UTF-8 has no lone surrogates
    if (out != nullptr) append_utf8(*out, point);
    return true;
  }

  static void append_utf8(std::string& out, std::uint32_t point) {
    const auto put = [&](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
    if (point < 0x80) return put(point);
    if (point < 0x800) return put(0xc0 | point >> 6), put(0x80 | (point & 63));
    if (point < 0x10000) return put(0xe0 | point >> 12), put(0x80 | (point >> 6 & 63)), put(0x80 | (point & 63));
    put(0xf0 | point >> 18), put(0x80 | (point >> 12 & 63)), put(0x80 | (point >> 6 & 63)), put(0x80 | (point & 63));
  }

  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  bool digits() {
    if (!is_digit(peek())) return fail("expected a digit");
    while (is_digit(peek())) ++at_;
    return true;
  }

  [[gnu::noinline]] bool number(Value* out) {
    const std::size_t start = at_;
    if (peek() == '-') ++at_;
    if (!is_digit(peek())) return at_ = start, fail("unexpected character");
    if (peek() == '0') {
      ++at_;
    } else if (!digits()) {
      return false;
    }
    bool whole = true;
    if (peek() == '.') {
      whole = false;
      ++at_;
      if (!digits()) return false;
    }
    if (peek() == 'e' || peek() == 'E') {
      whole = false;
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      if (!digits()) return false;
    }
    if (out != nullptr) *out = to_number(text_.substr(start, at_ - start), whole);
    return true;
  }

  // Whether a number that is not zero lies between -1 and 1, by the decimal exponent of its first digit.
  static bool is_below_one(std::string_view text) {
    const std::size_t mark = std::min(text.find_first_of("eE"), text.size());
    const std::string_view mantissa = text.substr(0, mark);
    const auto point = static_cast<std::int64_t>(std::min(mantissa.find('.'), mantissa.size()));
    const auto first = static_cast<std::int64_t>(mantissa.find_first_of("123456789"));
    std::int64_t exponent = first < point ? point - first - 1 : point - first;
    if (mark < text.size()) {
      std::string_view digits = text.substr(mark + 1);
      if (digits[0] == '+') digits.remove_prefix(1);
      std::int64_t written = 0;
      if (std::from_chars(digits.data(), digits.data() + digits.size(), written).ec != std::errc())
        return digits[0] == '-';
      if (written < -whole_exponent_max || written > whole_exponent_max) return written < 0;
      exponent += written;
    }
    return exponent < 0;
  }

  static Value to_number(std::string_view text, bool whole) {
    const char* end = text.data() + text.size();
    if (whole) {
      std::int64_t number = 0;
      if (std::from_chars(text.data(), end, number).ec == std::errc() && (number != 0 || text == "0")) return number;
      std::uint64_t large = 0;
      if (text[0] != '-' && std::from_chars(text.data(), end, large).ec == std::errc()) return large;
    }
    double number = 0;
    const auto result = std::from_chars(text.data(), end, number);
    if (result.ec == std::errc::result_out_of_range) {
      // from_chars leaves the value alone; JavaScript has infinities and zeros there, and JSON has no infinity.
      return is_below_one(text) ? Value(text[0] == '-' ? -0.0 : 0.0) : Value(nullptr);
    }
    return number;
  }

  std::string_view text_;
  const std::vector<Binary>* attachments_;
  std::size_t expansion_left_ = 0;  // bytes that placeholders may still become
  std::size_t at_ = 0;
  std::string_view message_;
};

Result<Value, JsonError> parse(std::string_view text, const std::vector<Binary>* attachments) {
  if (!is_utf8(text)) return Failure(JsonError{0, "not UTF-8"});
  Reader reader(text, attachments);
  Value value;
  if (!reader.document(&value)) return Failure(reader.error());
  return value;
}

void append_number(std::string& out, double number) {
  if (!std::isfinite(number)) {
    out += "null";  // as JSON.stringify does
    return;
  }
  std::array<char, 32> text{};
  const bool whole = std::trunc(number) == number && std::abs(number) <= whole_number_max;
  const auto end = whole ? std::to_chars(text.begin(), text.end(), static_cast<std::int64_t>(number)).ptr
                         : std::to_chars(text.begin(), text.end(), number).ptr;
  out.append(text.begin(), end);
}

struct Writer {
  std::string& out;
  std::vector<Binary>& attachments;

  void operator()(std::nullptr_t) const { out += "null"; }
  void operator()(bool value) const { out += value ? "true" : "false"; }
  void operator()(std::int64_t value) const { out += std::to_string(value); }
  void operator()(std::uint64_t value) const { out += std::to_string(value); }
  void operator()(double value) const { append_number(out, value); }
  void operator()(const std::string& value) const { append_json_string(out, value); }
  void operator()(const Binary& value) const {
    out += R"({"_placeholder":true,"num":)" + std::to_string(attachments.size()) + "}";
    attachments.push_back(value);
  }
  void operator()(const Array& items) const {
    out.push_back('[');
    bool first = true;
    for (const Value& item : items) {
      if (!std::exchange(first, false)) out.push_back(',');
      std::visit(*this, item.storage());
    }
    out.push_back(']');
  }
  void operator()(const Object& members) const {
    out.push_back('{');
    bool first = true;
    for (const auto& [key, value] : members) {
      if (!std::exchange(first, false)) out.push_back(',');
      append_json_string(out, key);
      out.push_back(':');
      std::visit(*this, value.storage());
    }
    out.push_back('}');
  }
};

}  // namespace

Result<void, JsonError> check_json(std::string_view text) {
  if (!is_utf8(text)) return Failure(JsonError{0, "not UTF-8"});
  Reader reader(text, nullptr);
  if (!reader.document(nullptr)) return Failure(reader.error());
  return {};
}

Result<Value, JsonError> parse_json(std::string_view text) { return parse(text, nullptr); }

Result<Value, JsonError> parse_json(std::string_view text, const std::vector<Binary>& attachments) {
  return parse(text, &attachments);
}

std::size_t skip_json_string(std::string_view text) {
  std::size_t at = 1;
  while (at < text.size()) {
    const std::size_t next = text.find_first_of("\"\\", at);
    if (next == std::string_view::npos) return next;
    if (text[next] == '"') return next + 1;
    at = next + 2;
  }
  return std::string_view::npos;
}

void append_json_string(std::string& out, std::string_view text) {
  static constexpr std::string_view hex = "0123456789abcdef";
  out.push_back('"');
  std::size_t run = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text.substr(run, i - run));
    run = i + 1;
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += "\\u00";
        out.push_back(hex[c >> 4]);
        out.push_back(hex[c & 15U]);
    }
  }
  out.append(text.substr(run));
  out.push_back('"');
}

void append_json(std::string& out, const Value& value, std::vector<Binary>& attachments) {
  std::visit(Writer{out, attachments}, value.storage());
}

std::string to_json(const Value& value) {
  std::string out;
  std::vector<Binary> attachments;
  append_json(out, value, attachments);
  return out;
}

}  // namespace carillon
