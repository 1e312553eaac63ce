#include "base/ip_address.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace carillon {
namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

// A whole number up to `max`, of at most `digits` digits and nothing else.
std::optional<unsigned> number(std::string_view text, unsigned max, std::size_t digits, int base) {
  unsigned value = 0;
  if (text.empty() || text.size() > digits) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size() || value > max) return std::nullopt;
  return value;
}

// Leading zeros are refused: some read them as octal.
std::optional<unsigned> decimal(std::string_view text, unsigned max) {
  if (text.size() > 1 && text[0] == '0') return std::nullopt;
  return number(text, max, 3, 10);
}

std::optional<IpAddress::V4> parse_v4(std::string_view text) {
  IpAddress::V4 bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::size_t end = i + 1 < bytes.size() ? text.find('.') : text.size();
    if (end == std::string_view::npos) return std::nullopt;
    const auto value = decimal(text.substr(0, end), 255);
    if (!value) return std::nullopt;
    bytes[i] = static_cast<std::uint8_t>(*value);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return bytes;
}

// RFC 4291, 2.2: groups of up to four hexadecimal digits, "::" once for groups of zeros, IPv4 notation for the last two.
std::optional<IpAddress::V6> parse_v6(std::string_view text) {
  std::array<std::uint16_t, 8> groups{};
  std::size_t count = 0;
  std::optional<std::size_t> gap;
  if (text.starts_with("::")) {
    gap = 0;
    text.remove_prefix(2);
  }
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(':'), text.size());
    const std::string_view part = text.substr(0, end);
    if (part.contains('.')) {
      const auto v4 = end == text.size() && count <= 6 ? parse_v4(part) : std::nullopt;
      if (!v4) return std::nullopt;
      groups[count++] = static_cast<std::uint16_t>((*v4)[0] << 8 | (*v4)[1]);
      groups[count++] = static_cast<std::uint16_t>((*v4)[2] << 8 | (*v4)[3]);
      break;
    }
    const auto value = number(part, 0xffff, 4, 16);
    if (!value || count == groups.size()) return std::nullopt;
    groups[count++] = static_cast<std::uint16_t>(*value);
    if (end == text.size()) break;
    text.remove_prefix(end + 1);
    if (text.empty()) return std::nullopt;  // ends with one colon
    if (text[0] != ':') continue;
    if (gap) return std::nullopt;
    gap = count;
    text.remove_prefix(1);
  }
  if (gap ? count > 7 : count != groups.size()) return std::nullopt;
  if (gap)
    std::rotate(groups.begin() + static_cast<std::ptrdiff_t>(*gap), groups.begin() + static_cast<std::ptrdiff_t>(count),
                groups.end());
  IpAddress::V6 bytes{};
  for (std::size_t i = 0; i < groups.size(); ++i) {
    bytes[2 * i] = static_cast<std::uint8_t>(groups[i] >> 8);
    bytes[2 * i + 1] = static_cast<std::uint8_t>(groups[i] & 0xff);
  }
  return bytes;
}

// RFC 5952: lower case, no leading zeros, the longest row of two or more zero groups as "::", the first of equals.
std::string v6_text(std::span<const std::uint8_t> bytes) {
  std::array<unsigned, 8> groups{};
  for (std::size_t i = 0; i < groups.size(); ++i)
    groups[i] = static_cast<unsigned>(bytes[2 * i] << 8 | bytes[2 * i + 1]);
  std::size_t best = groups.size();
  std::size_t best_length = 1;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    std::size_t length = 0;
    while (i + length < groups.size() && groups[i + length] == 0) ++length;
    if (length > best_length) {
      best = i;
      best_length = length;
    }
  }
  std::string text;
  for (std::size_t i = 0; i < groups.size();) {
    if (i == best) {
      text += "::";
      i += best_length;
      continue;
    }
    if (!text.empty() && !text.ends_with(':')) text += ':';
    text += fmt::format("{:x}", groups[i++]);
  }
  return text;
}

}  // namespace

IpAddress::IpAddress(const V4& bytes) : size_(4) { std::ranges::copy(bytes, bytes_.begin()); }

IpAddress::IpAddress(const V6& bytes) : bytes_(bytes), size_(16) {
  if (!std::ranges::equal(std::span(bytes).first<12>(), mapped_prefix)) return;
  *this = IpAddress(V4{bytes[12], bytes[13], bytes[14], bytes[15]});
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.contains(':')) {
    const auto bytes = parse_v6(text);
    return bytes ? std::optional(IpAddress(*bytes)) : std::nullopt;
  }
  const auto bytes = parse_v4(text);
  return bytes ? std::optional(IpAddress(*bytes)) : std::nullopt;
}

std::string IpAddress::to_string() const {
  if (size_ == 4) return fmt::format("{}.{}.{}.{}", bytes_[0], bytes_[1], bytes_[2], bytes_[3]);
  return size_ == 16 ? v6_text(bytes_) : "";
}

std::optional<IpNetwork> IpNetwork::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  IpNetwork network;
  network.prefix_ = *address;
  network.bits_ = static_cast<unsigned>(address->bytes().size() * 8);
  if (slash == std::string_view::npos) return network;
  const auto bits = decimal(text.substr(slash + 1), network.bits_);
  if (!bits) return std::nullopt;
  network.bits_ = *bits;
  for (unsigned bit = *bits; bit < address->bytes().size() * 8; ++bit)
    if ((address->bytes()[bit / 8] >> (7 - bit % 8) & 1) != 0) return std::nullopt;
  return network;
}

bool IpNetwork::contains(const IpAddress& address) const {
  if (address.bytes().size() != prefix_.bytes().size()) return false;
  const std::size_t whole = bits_ / 8;
  if (!std::ranges::equal(address.bytes().first(whole), prefix_.bytes().first(whole))) return false;
  const unsigned rest = bits_ % 8;
  return rest == 0 || ((address.bytes()[whole] ^ prefix_.bytes()[whole]) >> (8 - rest)) == 0;
}

}  // namespace carillon
