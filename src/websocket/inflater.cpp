#include "websocket/inflater.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>
#include <new>

namespace carillon::websocket {
namespace {

constexpr std::string_view trailer("\x00\x00\xff\xff", 4);
constexpr int window_bits = 15;  // reads what was written with any window
constexpr std::size_t step_bytes = 16 * 1024;
constexpr int at_block_border = 128;  // of z_stream::data_type, as zlib.h documents for inflate()

// zlib does not write to its input, but takes it as if.
Bytef* input_of(std::string_view bytes) { return reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data())); }

}  // namespace

Inflater::Inflater(DeflateStats& stats) : stats_(stats) {}

Inflater::~Inflater() {
  if (stream_) inflateEnd(stream_.get());
}

void Inflater::prepare(std::string_view window) {
  if (!stream_) {
    auto stream = std::make_unique<z_stream>();
    if (inflateInit2(stream.get(), -window_bits) != Z_OK) throw std::bad_alloc();
    stream_ = std::move(stream);
  } else {
    inflateReset(stream_.get());
  }
  if (!window.empty() &&
      inflateSetDictionary(stream_.get(), input_of(window), static_cast<uInt>(window.size())) != Z_OK)
    throw std::bad_alloc();
}

Result<void, InflateError> Inflater::inflate(std::string_view payload, std::string_view window, std::size_t bytes_max,
                                             std::string& out) {
  if (payload.empty()) return {};  // some senders' empty message; the RFC's is one byte
  prepare(window);
  const std::size_t before = out.size();
  for (const std::string_view bytes : {payload, trailer}) {
    const auto step = run(bytes, before + bytes_max, out);
    if (!step) return Failure(step.error());
    // A final block ends the message, whatever is behind it (padding, by the RFC).
    if (*step == Step::ended) break;
    if (*step == Step::more && bytes.data() == trailer.data()) return Failure(InflateError::bad_data);
  }
  stats_.messages_inflated.add();
  stats_.inflated_bytes_in.add(payload.size());
  stats_.inflated_bytes_out.add(out.size() - before);
  return {};
}

// What comes out in steps, so that memory follows what was really there, and a bomb is seen when it passes the limit.
Result<Inflater::Step, InflateError> Inflater::run(std::string_view bytes, std::size_t size_max, std::string& out) {
  std::array<char, step_bytes> step;
  stream_->next_in = input_of(bytes);
  std::size_t left = bytes.size();
  int result = Z_OK;
  do {
    const std::size_t piece = std::min<std::size_t>(left, std::numeric_limits<uInt>::max());
    stream_->avail_in = static_cast<uInt>(piece);
    stream_->next_out = reinterpret_cast<Bytef*>(step.data());
    stream_->avail_out = static_cast<uInt>(step.size());
    result = ::inflate(stream_.get(), Z_SYNC_FLUSH);
    if (result == Z_MEM_ERROR) throw std::bad_alloc();
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) return Failure(InflateError::bad_data);
    left -= piece - stream_->avail_in;
    const std::size_t produced = step.size() - stream_->avail_out;
    if (produced > size_max - out.size()) return Failure(InflateError::too_big);
    out.append(step.data(), produced);
  } while (result == Z_OK && (left > 0 || stream_->avail_out == 0));
  if (result == Z_STREAM_END) return Step::ended;
  return left == 0 && (stream_->data_type & at_block_border) != 0 ? Step::whole : Step::more;
}

}  // namespace carillon::websocket
