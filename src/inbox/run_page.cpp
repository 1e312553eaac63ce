#include "inbox/run_page.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "inbox/leb128.hpp"

namespace carillon::inbox {
namespace {

constexpr std::size_t numbers_per_posting = 5;

std::uint64_t fold_sign(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  return value < 0 ? ~(bits << 1) : bits << 1;
}

std::int64_t unfold_sign(std::uint64_t value) {
  return static_cast<std::int64_t>((value & 1) != 0 ? ~(value >> 1) : value >> 1);
}

// Differences of any two numbers, without overflow: what they wrap around to is turned back by sum().
std::int64_t difference(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}
std::int64_t sum(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

}  // namespace

void RunPageWriter::add(const UserPosting& entry) {
  if (bytes_.empty()) {
    first_user_ = entry.user;
    last_ = {};
  }
  const Posting& posting = entry.posting;
  const bool same_user = !bytes_.empty() && entry.user == last_.user;
  std::array<char, numbers_per_posting * leb128_bytes_max> bytes;  // one append for all of them: merging is little else
  char* end = bytes.data();
  end = write_leb128(end, static_cast<std::uint64_t>(entry.user - last_.user));
  end = write_leb128(end, same_user ? posting.number - last_.posting.number : posting.number);
  end = write_leb128(end, fold_sign(difference(posting.seq, last_.posting.seq)));
  end = write_leb128(end, fold_sign(difference(posting.expires_at, last_.posting.expires_at)));
  end = write_leb128(end, posting.bytes);
  bytes_.append(bytes.data(), end);
  last_ = entry;
}

std::string RunPageWriter::take() { return std::exchange(bytes_, {}); }

std::optional<UserPosting> RunPageReader::next() {
  const auto user = take_leb128(rest_);
  const auto number = take_leb128(rest_);
  const auto seq = take_leb128(rest_);
  const auto expires_at = take_leb128(rest_);
  const auto bytes = take_leb128(rest_);
  if (!user || !number || !seq || !expires_at || !bytes) {
    rest_ = {};
    return std::nullopt;
  }
  UserPosting entry;
  entry.user = sum(last_.user, static_cast<std::int64_t>(*user));
  entry.posting.number = *user == 0 ? last_.posting.number + *number : *number;
  entry.posting.seq = sum(last_.posting.seq, unfold_sign(*seq));
  entry.posting.expires_at = sum(last_.posting.expires_at, unfold_sign(*expires_at));
  entry.posting.bytes = *bytes;
  last_ = entry;
  return entry;
}

}  // namespace carillon::inbox
