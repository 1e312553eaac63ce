#include "websocket/deflater.hpp"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <new>

namespace carillon::websocket {
namespace {

constexpr std::size_t trailer_bytes = 4;  // 00 00 ff ff
constexpr int memory_level = 8;           // zlib's default

// zlib does not write to its input, but takes it as if.
Bytef* input_of(std::string_view bytes) { return reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data())); }

}  // namespace

Deflater::Deflater(int level, int window_bits, DeflateStats& stats)
    : level_(level), window_bits_(window_bits), stats_(stats) {}

Deflater::~Deflater() {
  if (stream_) deflateEnd(stream_.get());
}

void Deflater::compress(std::string_view message, std::string& out) {
  if (!stream_) {
    auto stream = std::make_unique<z_stream>();
    if (deflateInit2(stream.get(), level_, Z_DEFLATED, -window_bits_, memory_level, Z_DEFAULT_STRATEGY) != Z_OK)
      throw std::bad_alloc();  // the arguments are in range
    stream_ = std::move(stream);
  } else {
    deflateReset(stream_.get());
  }
  const std::size_t before = out.size();
  run(message, out);
  out.resize(out.size() - trailer_bytes);
  stats_.messages_compressed.add();
  stats_.compressed_bytes_in.add(message.size());
  stats_.compressed_bytes_out.add(out.size() - before);
}

void Deflater::run(std::string_view message, std::string& out) {
  constexpr std::size_t flush_bytes = 16;  // the empty stored block, which deflateBound() does not count
  std::size_t size = out.size();
  out.resize(size + deflateBound(stream_.get(), message.size()) + flush_bytes);
  stream_->next_in = input_of(message);
  std::size_t left = message.size();
  do {
    if (out.size() - size < flush_bytes) out.resize(out.size() * 2);
    const std::size_t room = out.size() - size;
    const std::size_t piece = std::min<std::size_t>(left, std::numeric_limits<uInt>::max());
    const std::size_t space = std::min<std::size_t>(room, std::numeric_limits<uInt>::max());
    stream_->avail_in = static_cast<uInt>(piece);
    stream_->next_out = reinterpret_cast<Bytef*>(out.data() + size);
    stream_->avail_out = static_cast<uInt>(space);
    deflate(stream_.get(), piece == left ? Z_SYNC_FLUSH : Z_NO_FLUSH);
    left -= piece - stream_->avail_in;
    size += space - stream_->avail_out;
  } while (left > 0 || stream_->avail_out == 0);
  out.resize(size);
}

}  // namespace carillon::websocket
