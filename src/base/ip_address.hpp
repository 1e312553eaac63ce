// Internet addresses and networks, without ports and without the operating system.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace carillon {

// An IPv4 or IPv6 address, or none. A v4-mapped IPv6 address (::ffff:192.0.2.1) is the IPv4 address: a dual-stack socket
// gives these for IPv4 clients. Zones (%eth0) are not known here.
class IpAddress {
 public:
  using V4 = std::array<std::uint8_t, 4>;
  using V6 = std::array<std::uint8_t, 16>;

  IpAddress() = default;  // none
  explicit IpAddress(const V4& bytes);
  explicit IpAddress(const V6& bytes);
  // "192.0.2.1", "2001:db8::1", without brackets.
  static std::optional<IpAddress> parse(std::string_view text);

  bool is_none() const { return size_ == 0; }
  std::string to_string() const;  // as RFC 5952 has it; "" for none
  std::span<const std::uint8_t> bytes() const { return std::span(bytes_).first(size_); }  // 0, 4 or 16

  friend bool operator==(const IpAddress&, const IpAddress&) = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
  std::uint8_t size_ = 0;
};

// Addresses that begin with the same bits.
class IpNetwork {
 public:
  // "10.0.0.0/8", "2001:db8::/32"; an address alone is a network of one. None where bits behind the prefix are set.
  static std::optional<IpNetwork> parse(std::string_view text);
  bool contains(const IpAddress& address) const;

 private:
  IpAddress prefix_;
  unsigned bits_ = 0;
};

}  // namespace carillon
