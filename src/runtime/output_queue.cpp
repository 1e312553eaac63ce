#include "runtime/output_queue.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <expected>
#include <span>
#include <utility>

namespace carillon::runtime {
namespace {

constexpr std::size_t join_bytes_max = 32 * 1024;  // small pieces are copied together: cheaper than a long writev
constexpr std::size_t capacity_kept = 16;
constexpr std::size_t written_chunks_kept = 256;  // of a queue that never becomes empty

}  // namespace

void OutputQueue::push(std::shared_ptr<const void> owner, std::string_view bytes) {
  if (bytes.empty()) return;
  chunks_.push_back({std::move(owner), bytes});
  bytes_ += bytes.size();
}

OutputQueue::Progress OutputQueue::write(io::Stream& stream, std::string& scratch) {
  std::size_t total = 0;
  while (head_ < chunks_.size()) {
    const auto written = write_some(stream, scratch);
    if (!written) {
      if (written.error() == EINTR) continue;
      if (written.error() != EAGAIN) return {Outcome::failed, total};
      drop_written();
      return {Outcome::blocked, total};
    }
    total += *written;
    take_written(*written);
  }
  if (stream.has_unsent()) {
    const int error = stream.flush();
    if (error != 0) return {error == EAGAIN ? Outcome::blocked : Outcome::failed, total};
  }
  chunks_.clear();
  head_ = 0;
  if (chunks_.capacity() > capacity_kept) chunks_.shrink_to_fit();
  return {Outcome::done, total};
}

std::expected<std::size_t, int> OutputQueue::write_some(io::Stream& stream, std::string& scratch) const {
  std::array<std::string_view, io::Socket::pieces_max> pieces;
  std::size_t count = 0;
  std::size_t bytes = 0;
  for (std::size_t i = head_; i < chunks_.size() && count < pieces.size(); ++i) {
    pieces[count++] = chunks_[i].bytes;
    bytes += chunks_[i].bytes.size();
  }
  if (count == 1) return stream.write(pieces[0]);
  if (bytes > join_bytes_max) return stream.write(std::span<const std::string_view>(pieces).first(count));
  scratch.clear();
  for (std::size_t i = 0; i < count; ++i) scratch.append(pieces[i]);
  return stream.write(scratch);
}

void OutputQueue::take_written(std::size_t bytes) {
  bytes_ -= bytes;
  while (bytes > 0) {
    Chunk& chunk = chunks_[head_];
    if (bytes < chunk.bytes.size()) {
      chunk.bytes.remove_prefix(bytes);
      return;
    }
    bytes -= chunk.bytes.size();
    chunk.owner.reset();
    ++head_;
  }
}

void OutputQueue::drop_written() {
  if (head_ < written_chunks_kept || head_ < chunks_.size() / 2) return;
  chunks_.erase(chunks_.begin(), chunks_.begin() + static_cast<std::ptrdiff_t>(head_));
  head_ = 0;
}

std::string OutputQueue::copy() const {
  std::string all;
  all.reserve(bytes_);
  for (std::size_t i = head_; i < chunks_.size(); ++i) all.append(chunks_[i].bytes);
  return all;
}

void OutputQueue::clear() {
  chunks_.clear();
  head_ = 0;
  bytes_ = 0;
}

}  // namespace carillon::runtime
