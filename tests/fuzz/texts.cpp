// Small codecs of text: percent-encoding and query parameters, lists of tokens, UTF-8, base64, recovery offsets, session
// ids, Accept-Encoding, cookies. Each agrees with a plain implementation, or comes back from what it was written as.
//
//   input = kind(1) bytes
//
// Covers: src/http/request.cpp src/base/utf8.cpp src/base/base64.cpp src/socketio/recovery_offset.cpp
// Covers: src/engineio/session_id.cpp src/http/content_coding.cpp src/engineio/cookie.cpp
#include <zlib.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <vector>

#include "base/base64.hpp"
#include "base/msgpack.hpp"
#include "base/utf8.hpp"
#include "engineio/cookie.hpp"
#include "engineio/session_id.hpp"
#include "engineio/testing.hpp"
#include "http/content_coding.hpp"
#include "http/request.hpp"
#include "http/text.hpp"
#include "socketio/recovery_attempt.hpp"
#include "socketio/recovery_offset.hpp"
#include "values.hpp"

namespace carillon::fuzz {
namespace {

std::string percent_encode(std::string_view text) {
  static constexpr std::string_view hex = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out.append({'%', hex[byte >> 4], hex[byte & 15U]});
  }
  return out;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0;; ++at) {
    const std::size_t end = std::min(text.find(separator, at), text.size());
    parts.push_back(text.substr(at, end - at));
    if (end == text.size()) return parts;
    at = end;
  }
}

void check_parameters(std::string_view query) {
  std::vector<std::string> names;
  for (const std::string_view pair : split(query, '&')) {
    std::string name = http::percent_decode(pair.substr(0, pair.find('=')), true);
    if (!pair.empty() && std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
  }
  const auto parameters = http::query_parameters(query);
  check(parameters.size() == names.size(), "each parameter is there once");
  for (std::size_t i = 0; i < names.size(); ++i)
    check(parameters[i].first == names[i] && parameters[i].second == http::query_parameter(query, names[i]),
          "in its place, with its last value");
}

void check_query(std::string_view query, std::string_view name) {
  for (const bool plus : {false, true}) {
    check(http::percent_decode(percent_encode(query), plus) == query, "what was encoded is decoded");
    check(http::percent_decode(query, plus).size() <= query.size(), "decoding makes nothing longer");
  }
  std::optional<std::string> expected;
  for (const std::string_view pair : split(query, '&')) {
    const std::size_t equals = std::min(pair.find('='), pair.size());
    if (!pair.empty() && http::percent_decode(pair.substr(0, equals), true) == name)
      expected = http::percent_decode(pair.substr(std::min(equals + 1, pair.size())), true);
  }
  auto found = http::query_parameter(query, name);
  if (canary() && found && found->contains('%')) found->clear();
  check(found == expected, "the last parameter of that name is found");
  check_parameters(query);
  http::Request request;
  request.target = query;
  check(request.path().size() <= std::max<std::size_t>(query.size(), 1) && !request.path().contains('?'),
        "a path is a part");
  check(request.parameter(name) == http::query_parameter(request.query(), name),
        "a request's parameters are its query's");
  check(request.query() == (query.contains('?') ? query.substr(query.find('?') + 1) : ""), "a query is the rest");
}

void check_tokens(std::string_view list, std::string_view token) {
  const auto parts = split(list, ',');
  const bool expected = std::ranges::any_of(
      parts, [&](std::string_view part) { return http::same_in_any_case(http::trim(part), token); });
  check(http::has_token(list, token) == expected, "a token is found where it is");
  http::Request request;
  request.headers = {{"Connection", "close"}, {"CONNECTION", std::string(list)}, {"Upgrade", "h2c, WebSocket"}};
  check(request.header("connection") == list, "the last header counts");
  check(request.wants_websocket() == http::has_token(list, "upgrade"), "a WebSocket is asked for by two headers");
}

void check_utf8(std::string_view bytes) {
  const bool valid = is_utf8_slowly(bytes);
  check(is_utf8(bytes) == valid, "UTF-8 is what it is");
  if (!valid) return;
  std::size_t units = 0;
  std::vector<std::optional<std::size_t>> places{0};  // by units: bytes before
  for (std::size_t i = 0; i < bytes.size();) {
    const auto first = static_cast<unsigned char>(bytes[i]);
    i += first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    units += first < 0xf0 ? 1 : 2;
    if (first >= 0xf0) places.emplace_back(std::nullopt);
    places.emplace_back(i);
  }
  check(utf16_length(bytes) == units, "units are counted");
  for (std::size_t i = 0; i < places.size(); ++i) check(bytes_of_utf16(bytes, i) == places[i], "and places found");
  check(!bytes_of_utf16(bytes, units + 1), "not beyond the end");
}

void check_base64(std::string_view bytes) {
  const std::string text = base64(bytes);
  check(text.size() == (bytes.size() + 2) / 3 * 4, "base64 has its length");
  check(from_base64(text) == bytes, "what was encoded is decoded");
  check(from_base64(text.substr(0, text.find('='))) == bytes, "also without padding");
  const auto decoded = from_base64(bytes);
  if (!decoded) return;
  check(decoded->size() <= bytes.size() / 4 * 3 + 2, "bytes are fewer than characters");
  check(from_base64(base64(*decoded)) == decoded, "and come back");
}

void check_recovery(std::string_view text) {
  const auto offset = socketio::parse_recovery_offset(text);
  if (offset) check(socketio::parse_recovery_offset(to_string(*offset)) == offset, "an offset comes back");
  const auto attempt = socketio::read_attempt(Object{{"pid", text}, {"offset", text}});
  check((attempt != nullptr) == offset.has_value(), "an attempt needs an offset");
  check(!attempt || (attempt->pid == text && attempt->offset == offset), "and is what was asked for");
  Input input(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  constexpr std::uint64_t most = 3'656'158'440'062'976;  // 36^10
  socketio::RecoveryOffset made;
  for (int i = 0; i < 7; ++i) made.position = made.position << 8 | input.byte();
  for (int i = 0; i < 8; ++i) made.direct = made.direct << 8 | input.byte();
  made.position %= most;
  check(socketio::parse_recovery_offset(to_string(made)) == made, "an offset that was written comes back");
  const socketio::RecoveryOffset next{made.position + 1, 0};
  check(made.position + 1 == most || to_string(made).substr(0, 10) < to_string(next), "positions sort as text");
}

// Accept-Encoding: the better of gzip and deflate by what is said of each, or of "*".
double weight_of(std::string_view coding, std::string_view header, std::size_t& rank) {
  double all = 0;
  std::size_t all_rank = 2000;
  rank = 1000;
  const auto parts = split(header, ',');
  for (std::size_t place = 0; place < parts.size(); ++place) {
    const auto words = split(parts[place], ';');
    const std::string_view name = http::trim(words[0]);
    if (name != "*" && !http::same_in_any_case(name, coding)) continue;
    double weight = 1;
    for (std::size_t i = words.size() - 1; i > 0; --i) {
      const std::string_view word = http::trim(words[i]);
      if (!word.starts_with("q=") && !word.starts_with("Q=")) continue;
      weight = 0;
      const auto [end, error] = std::from_chars(word.data() + 2, word.data() + word.size(), weight);
      if (error != std::errc() || end != word.data() + word.size() || !(weight >= 0 && weight <= 1)) weight = 0;
    }
    if (http::same_in_any_case(name, coding)) {
      rank = place;
      return weight;
    }
    all = weight;
    all_rank = 1000 + place;
  }
  rank = all_rank;
  return all;
}

void check_coding(std::string_view header) {
  std::size_t gzip_rank = 0;
  std::size_t deflate_rank = 0;
  const double gzip = weight_of("gzip", header, gzip_rank);
  const double deflate = weight_of("deflate", header, deflate_rank);
  const http::Coding coding = http::preferred_coding(header);
  check(!http::to_string(coding).empty(), "a coding has a name");
  if (gzip == 0 && deflate == 0) {
    check(coding == http::Coding::identity, "nothing is compressed for who does not want it");
  } else if (gzip != deflate || gzip_rank != deflate_rank) {
    const bool wants_gzip = gzip != deflate ? gzip > deflate : gzip_rank < deflate_rank;
    check(coding == (wants_gzip ? http::Coding::gzip : http::Coding::deflate), "the better coding is chosen");
  } else {
    check(coding == http::Coding::gzip, "gzip, where both are meant by one word");
  }
  for (const http::Coding each : {http::Coding::identity, http::Coding::gzip, http::Coding::deflate}) {
    std::string body = http::encode(header, each, 6);
    std::string out(header.size() + 1, '\0');
    z_stream stream{};
    if (each == http::Coding::identity) {
      check(body == header, "identity changes nothing");
      continue;
    }
    check(inflateInit2(&stream, 15 + 32) == Z_OK, "zlib starts");  // finds out the format
    stream.next_in = reinterpret_cast<Bytef*>(body.data());
    stream.avail_in = static_cast<uInt>(body.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    check(inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_in == 0, "a body is one stream");
    out.resize(out.size() - stream.avail_out);
    inflateEnd(&stream);
    check(out == header, "a body that was compressed comes back");
  }
}

// Names and values of the cookie are the operator's; what is allowed cannot break the header.
void check_cookie(std::string_view bytes) {
  using SameSite = CookieOptions::SameSite;
  Input input(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  const std::uint8_t bits = input.byte();
  const std::string_view text = input.rest();
  const std::size_t third = text.size() / 3;
  CookieOptions options;
  options.name = text.substr(0, third);
  options.path = text.substr(third, third);
  options.domain = text.substr(2 * third);
  options.same_site = std::array{SameSite::lax, SameSite::strict, SameSite::none, SameSite::unsaid}[bits & 3U];
  if ((bits & 4U) != 0) options.max_age_s = bits >> 5;
  options.http_only = (bits & 8U) == 0;
  options.secure = (bits & 16U) != 0;
  if (engineio::check_cookie(options)) return;
  const std::string header = engineio::set_cookie(options, "sid");
  const auto printable = [](char c) { return c >= ' ' && c <= '~'; };
  check(std::ranges::all_of(header, printable), "a cookie is on one line");
  const auto parts = split(header, ';');
  check(parts[0] == options.name + "=sid", "it has its name");
  const auto has = [&](std::string_view attribute) {
    return std::ranges::count_if(parts, [&](std::string_view part) { return part.starts_with(attribute); }) == 1;
  };
  check(has(" Max-Age=") == options.max_age_s.has_value(), "its age");
  check(has(" Path=") == !options.path.empty() && has(" Domain=") == !options.domain.empty(), "where it is sent");
  check(has(" HttpOnly") == options.http_only && has(" Secure") == options.secure, "who may see it");
  check(has(" SameSite=") == (options.same_site != SameSite::unsaid), "from which sites");
  const std::size_t attributes = (options.max_age_s ? 1U : 0U) + (options.path.empty() ? 0U : 1U) +
                                 (options.domain.empty() ? 0U : 1U) + (options.http_only ? 1U : 0U) +
                                 (options.secure ? 1U : 0U) + (options.same_site != SameSite::unsaid ? 1U : 0U);
  check(parts.size() == 1 + attributes, "and nothing else");
}

void check_session_id(std::string_view text) {
  if (const auto place = engineio::place_of(text))
    check(text.starts_with(place->node_tag) && text.size() == 26 && place->shard < 64U * 64U,
          "a place is in its range");
  engineio::SeededRandom random;
  const unsigned shard = text.empty() ? 0 : static_cast<unsigned char>(text[0]) % engineio::shards_max;
  const std::string id = engineio::make_session_id("NODE", shard, random);
  const auto made = engineio::place_of(id);
  check(made && made->node_tag == "NODE" && made->shard == shard, "an id names its place");
}

// MessagePack's text need not be UTF-8: it is made so.
void check_repair(std::string_view text) {
  std::string bytes;
  append_msgpack_text(bytes, text);
  const auto value = parse_msgpack(bytes);
  check(value && value->as_string() != nullptr && is_utf8_slowly(*value->as_string()), "text is UTF-8");
  check(!is_utf8_slowly(text) || *value->as_string() == text, "what is UTF-8 stays");
}

}  // namespace
}  // namespace carillon::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace carillon::fuzz;
  Input input(data, size);
  const std::size_t kind = input.below(9);
  const std::string_view first = kind < 2 ? input.line() : input.rest();
  switch (kind) {
    case 0:
      check_query(input.rest(), first);
      break;
    case 1:
      check_tokens(input.rest(), first);
      break;
    case 2:
      check_utf8(first);
      break;
    case 3:
      check_base64(first);
      break;
    case 4:
      check_recovery(first);
      break;
    case 5:
      check_session_id(first);
      break;
    case 6:
      check_coding(first);
      break;
    case 7:
      check_cookie(first);
      break;
    default:
      check_repair(first);
  }
  return 0;
}
