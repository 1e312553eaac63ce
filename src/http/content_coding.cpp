#include "http/content_coding.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <new>
#include <optional>

#include "http/text.hpp"

namespace carillon::http {
namespace {

// What the header says of one coding.
struct Wish {
  double weight = 0;
  bool named = false;  // and not only meant by "*"
  std::size_t place = 0;
};

double weight_of(std::string_view parameters) {
  while (!parameters.empty()) {
    const std::size_t end = std::min(parameters.find(';'), parameters.size());
    const std::string_view parameter = trim(parameters.substr(0, end));
    parameters.remove_prefix(std::min(end + 1, parameters.size()));
    if (parameter.size() < 2 || to_lower(parameter[0]) != 'q' || parameter[1] != '=') continue;
    const std::string_view text = parameter.substr(2);
    double weight = 0;
    const auto [last, error] = std::from_chars(text.data(), text.data() + text.size(), weight);
    const bool good = error == std::errc() && last == text.data() + text.size() && weight >= 0 && weight <= 1;
    return good ? weight : 0;
  }
  return 1;
}

Wish wish_for(std::string_view coding, std::string_view accept_encoding) {
  Wish best;
  for (std::size_t place = 0; !accept_encoding.empty(); ++place) {
    const std::size_t end = accept_encoding.find(',');
    const std::string_view item = accept_encoding.substr(0, end);
    accept_encoding = end == std::string_view::npos ? std::string_view() : accept_encoding.substr(end + 1);
    const std::size_t semicolon = std::min(item.find(';'), item.size());
    const std::string_view name = trim(item.substr(0, semicolon));
    const bool named = same_in_any_case(name, coding);
    if (!named && (name != "*" || best.named)) continue;
    if (named && best.named) continue;  // said twice: the first counts
    best = {weight_of(item.substr(std::min(semicolon + 1, item.size()))), named, place};
  }
  return best;
}

// Whether `a` is liked better than `b`.
bool is_better(const Wish& a, const Wish& b) {
  if (a.weight != b.weight) return a.weight > b.weight;
  if (a.named != b.named) return a.named;
  return a.place < b.place;
}

}  // namespace

Coding preferred_coding(std::string_view accept_encoding) {
  const Wish gzip = wish_for("gzip", accept_encoding);
  const Wish deflate = wish_for("deflate", accept_encoding);
  if (gzip.weight == 0 && deflate.weight == 0) return Coding::identity;
  return is_better(deflate, gzip) ? Coding::deflate : Coding::gzip;
}

std::string_view to_string(Coding coding) {
  switch (coding) {
    case Coding::identity:
      return "identity";
    case Coding::gzip:
      return "gzip";
    case Coding::deflate:
      return "deflate";
  }
  return "identity";
}

std::string encode(std::string_view body, Coding coding, int level) {
  if (coding == Coding::identity) return std::string(body);
  constexpr int window_bits = 15;
  constexpr int gzip_format = 16;  // added to the window's bits, by zlib's convention
  constexpr int memory_level = 8;
  z_stream stream{};
  const int format = window_bits + (coding == Coding::gzip ? gzip_format : 0);
  if (deflateInit2(&stream, level, Z_DEFLATED, format, memory_level, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc();  // the arguments are in range
  std::string out;
  std::array<char, 16 * 1024> step;
  std::size_t left = body.size();
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));  // which zlib only reads
  int result = Z_OK;
  while (result == Z_OK) {
    const std::size_t piece = std::min<std::size_t>(left, std::numeric_limits<uInt>::max());
    stream.avail_in = static_cast<uInt>(piece);
    stream.next_out = reinterpret_cast<Bytef*>(step.data());
    stream.avail_out = static_cast<uInt>(step.size());
    result = deflate(&stream, piece == left ? Z_FINISH : Z_NO_FLUSH);
    left -= piece - stream.avail_in;
    out.append(step.data(), step.size() - stream.avail_out);
  }
  deflateEnd(&stream);
  return out;
}

}  // namespace carillon::http
