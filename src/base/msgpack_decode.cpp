// Reading; writing is in msgpack.cpp.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/json.hpp"
#include "base/msgpack.hpp"
#include "base/utf8.hpp"

namespace carillon {
namespace {

using Kind = MsgpackToken::Kind;

// As Date.prototype.toISOString. Civil date from days: Howard Hinnant's algorithm.
std::string iso_date(std::int64_t milliseconds) {
  constexpr std::int64_t day_ms = 86'400'000;
  const std::int64_t days = milliseconds / day_ms - (milliseconds % day_ms < 0 ? 1 : 0);
  const std::int64_t in_day = milliseconds - days * day_ms;
  const std::int64_t shifted = days + 719'468;  // since 0000-03-01
  const std::int64_t era = (shifted >= 0 ? shifted : shifted - 146'096) / 146'097;
  const std::int64_t day_of_era = shifted - era * 146'097;
  const std::int64_t year_of_era = (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t month_from_march = (5 * day_of_year + 2) / 153;
  const std::int64_t day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
  const std::int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  const std::int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  const std::string year_text = year >= 0 && year <= 9'999 ? fmt::format("{:04}", year) : fmt::format("{:+07}", year);
  return fmt::format("{}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", year_text, month, day, in_day / 3'600'000,
                     in_day / 60'000 % 60, in_day / 1'000 % 60, in_day % 1'000);
}

// Length of the UTF-8 sequence at the start, or 0.
std::size_t sequence_length(std::string_view bytes) {
  for (std::size_t length = 1; length <= 4 && length <= bytes.size(); ++length)
    if (is_utf8(bytes.substr(0, length))) return length;
  return 0;
}

std::string repaired(std::string_view bytes) {
  std::string out;
  while (!bytes.empty()) {
    const std::size_t length = sequence_length(bytes);
    out += length > 0 ? bytes.substr(0, length) : "\xef\xbf\xbd";
    bytes.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

std::string utf8_text(std::string_view bytes) { return is_utf8(bytes) ? std::string(bytes) : repaired(bytes); }

bool is_key(const MsgpackToken& token) {
  return token.is(Kind::text) || token.is(Kind::integer) || token.is(Kind::natural);
}

// What a map's key is as a property name.
std::string key_text(const MsgpackToken& token) {
  if (token.is(Kind::text)) return utf8_text(token.bytes);
  return token.is(Kind::integer) ? std::to_string(token.integer) : std::to_string(token.natural);
}

// Recursive descent over the tokens; the depth is bounded.
class JsonWriter {
 public:
  // `repair`: check each text and make it UTF-8; otherwise the caller checks the whole.
  JsonWriter(MsgpackReader& reader, std::string& out, std::vector<Binary>& attachments, bool repair)
      : reader_(reader), out_(out), attachments_(attachments), repair_(repair) {}

  bool value(std::size_t depth) { return next() && write(depth); }
  MsgpackError error() const { return error_; }

 private:
  bool fail(MsgpackError error) {
    error_ = error;
    return false;
  }
  bool next() { return reader_.next(token_) || fail(reader_.error()); }

  // The value whose first token has been read.
  bool write(std::size_t depth) {
    switch (token_.kind) {
      case Kind::nil:
      case Kind::undefined:
        out_ += "null";
        return true;
      case Kind::boolean:
        out_ += token_.integer != 0 ? "true" : "false";
        return true;
      case Kind::integer:
        fmt::format_to(std::back_inserter(out_), "{}", token_.integer);
        return true;
      case Kind::natural:
        fmt::format_to(std::back_inserter(out_), "{}", token_.natural);
        return true;
      case Kind::real:
        append_json(out_, Value(token_.real), attachments_);
        return true;
      case Kind::text:
        text(token_.bytes);
        return true;
      case Kind::date:
        append_json_string(out_, iso_date(token_.integer));
        return true;
      case Kind::binary:
        binary();
        return true;
      case Kind::extension:
        fmt::format_to(std::back_inserter(out_), "[{},", token_.integer);
        binary();
        out_.push_back(']');
        return true;
      case Kind::array:
        return array(depth + 1);
      case Kind::map:
        return map(depth + 1);
    }
    return false;
  }

  void text(std::string_view bytes) {
    if (repair_) return append_json_string(out_, utf8_text(bytes));
    append_json_string(out_, bytes);
  }

  void binary() {
    fmt::format_to(std::back_inserter(out_), R"({{"_placeholder":true,"num":{}}})", attachments_.size());
    attachments_.push_back({std::string(token_.bytes)});
  }

  bool array(std::size_t depth) {
    if (depth > json_depth_max) return fail(MsgpackError::too_deep);
    out_.push_back('[');
    const std::size_t size = token_.size;
    for (std::size_t i = 0; i < size; ++i) {
      if (i > 0) out_.push_back(',');
      if (!value(depth)) return false;
    }
    out_.push_back(']');
    return true;
  }

  bool map(std::size_t depth) {
    if (depth > json_depth_max) return fail(MsgpackError::too_deep);
    out_.push_back('{');
    const std::size_t size = token_.size;
    bool first = true;
    for (std::size_t i = 0; i < size; ++i) {
      if (!next()) return false;
      const MsgpackToken key = token_;
      if (!is_key(key)) return fail(MsgpackError::invalid);
      if (!next()) return false;
      if (token_.is(Kind::undefined)) continue;
      if (!std::exchange(first, false)) out_.push_back(',');
      if (key.is(Kind::text)) {
        text(key.bytes);
      } else {
        append_json_string(out_, key_text(key));
      }
      out_.push_back(':');
      if (!write(depth)) return false;
    }
    out_.push_back('}');
    return true;
  }

  MsgpackReader& reader_;
  std::string& out_;
  std::vector<Binary>& attachments_;
  bool repair_;
  MsgpackToken token_;
  MsgpackError error_ = MsgpackError::invalid;
};

Result<Value, MsgpackError> read_value(MsgpackReader& reader, const MsgpackToken& token, std::size_t depth);

Result<Value, MsgpackError> read_array(MsgpackReader& reader, std::size_t size, std::size_t depth) {
  if (depth > json_depth_max) return Failure(MsgpackError::too_deep);
  Array items;
  MsgpackToken token;
  for (std::size_t i = 0; i < size; ++i) {
    if (!reader.next(token)) return Failure(reader.error());
    auto item = read_value(reader, token, depth);
    if (!item) return item;
    items.push_back(std::move(*item));
  }
  return Value(std::move(items));
}

Result<Value, MsgpackError> read_map(MsgpackReader& reader, std::size_t size, std::size_t depth) {
  if (depth > json_depth_max) return Failure(MsgpackError::too_deep);
  Object members;
  MsgpackToken key;
  MsgpackToken token;
  for (std::size_t i = 0; i < size; ++i) {
    if (!reader.next(key)) return Failure(reader.error());
    if (!is_key(key)) return Failure(MsgpackError::invalid);
    if (!reader.next(token)) return Failure(reader.error());
    if (token.is(Kind::undefined)) continue;
    auto member = read_value(reader, token, depth);
    if (!member) return member;
    members.append(key_text(key), std::move(*member));
  }
  return Value(std::move(members));
}

Result<Value, MsgpackError> read_value(MsgpackReader& reader, const MsgpackToken& token, std::size_t depth) {
  switch (token.kind) {
    case Kind::nil:
    case Kind::undefined:
      return Value();
    case Kind::boolean:
      return Value(token.integer != 0);
    case Kind::integer:
      return Value(token.integer);
    case Kind::natural:
      return Value(token.natural);
    case Kind::real:
      return Value(token.real);
    case Kind::text:
      return Value(utf8_text(token.bytes));
    case Kind::date:
      return Value(iso_date(token.integer));
    case Kind::binary:
      return Value(Binary{std::string(token.bytes)});
    case Kind::extension:
      return Value(Array{token.integer, Binary{std::string(token.bytes)}});
    case Kind::array:
      return read_array(reader, token.size, depth + 1);
    case Kind::map:
      return read_map(reader, token.size, depth + 1);
  }
  return Failure(MsgpackError::invalid);
}

}  // namespace

Result<Value, MsgpackError> parse_msgpack(std::string_view bytes) {
  MsgpackReader reader(bytes);
  MsgpackToken token;
  if (!reader.next(token)) return Failure(reader.error());
  auto value = read_value(reader, token, 0);
  if (value && !reader.at_end()) return Failure(MsgpackError::trailing);
  return value;
}

Result<void, MsgpackError> append_json_of_msgpack(std::string_view bytes, std::string& out,
                                                  std::vector<Binary>& attachments) {
  const std::size_t start = out.size();
  const std::size_t first_attachment = attachments.size();
  // Nearly always all text is UTF-8, and checking it once as a whole is the cheapest.
  for (const bool repair : {false, true}) {
    MsgpackReader reader(bytes);
    JsonWriter writer(reader, out, attachments, repair);
    if (!writer.value(0)) return Failure(writer.error());
    if (!reader.at_end()) return Failure(MsgpackError::trailing);
    if (is_utf8(std::string_view(out).substr(start))) break;
    out.resize(start);
    attachments.resize(first_attachment);
  }
  return {};
}

}  // namespace carillon
