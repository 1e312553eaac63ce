// The PROXY protocol, from its specification (haproxy.org, doc/proxy-protocol.txt).
//
//   v1 = "PROXY " ( "TCP4 " addresses / "TCP6 " addresses / "UNKNOWN" *any ) CRLF      ; at most 107 bytes
//   addresses = source " " destination " " source-port " " destination-port            ; ports in decimal, 0 to 65535
//
//   v2 = signature version-command family length(2) length*byte     ; numbers in network order
//   version-command = %x20 (LOCAL) / %x21 (PROXY)
//   family = %x00 (unspecified) / %x11 (TCP, IPv4) / %x21 (TCP, IPv6) / %x31 (stream, Unix)
//            followed by 0, 12 (addresses 4+4, ports 2+2), 36 (16+16, 2+2) or 216 (108+108) bytes, then TLVs
//   TLV = type(1) length(2) length*byte
//
// Of the TLVs only PP2_TYPE_SSL (%x20) is read, and of it the bit that says that the client came by TLS.
#include "http/proxy_header.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace carillon::http {
namespace {

using Parsed = Result<std::optional<ProxyHeader>, ProxyHeaderError>;
using Source = ProxyHeader::Source;

constexpr std::string_view v1_start = "PROXY ";
constexpr std::size_t v1_bytes_max = 107;
constexpr std::string_view v2_signature{"\r\n\r\n\0\r\nQUIT\n", 12};
constexpr std::size_t v2_head_bytes = 16;
constexpr unsigned type_ssl = 0x20;
constexpr unsigned ssl_client = 0x01;

Parsed malformed() { return Failure(ProxyHeaderError::malformed); }

unsigned byte_at(std::string_view bytes, std::size_t at) { return static_cast<unsigned char>(bytes[at]); }
std::size_t number_at(std::string_view bytes, std::size_t at) {
  return byte_at(bytes, at) << 8 | byte_at(bytes, at + 1);
}

bool is_port(std::string_view text) {
  unsigned port = 0;
  if (text.empty() || text.size() > 5 || (text.size() > 1 && text[0] == '0')) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port <= 65535;
}

// Up to the next space, which is taken, too.
std::string_view take_word(std::string_view& text) {
  const std::size_t end = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

Parsed parse_v1(std::string_view bytes) {
  const std::size_t end = bytes.substr(0, v1_bytes_max).find('\n');
  if (end == std::string_view::npos) return bytes.size() < v1_bytes_max ? Parsed(std::nullopt) : malformed();
  if (bytes[end - 1] != '\r') return malformed();
  ProxyHeader header{.size = end + 1};
  std::string_view line = bytes.substr(v1_start.size(), end - 1 - v1_start.size());
  const std::string_view family = take_word(line);
  if (family == "UNKNOWN") return header;
  if (family != "TCP4" && family != "TCP6") return malformed();
  const bool v6 = family == "TCP6";
  for (const bool is_source : {true, false}) {
    const std::string_view text = take_word(line);
    const auto address = IpAddress::parse(text);
    if (!address || text.contains(':') != v6) return malformed();
    if (is_source) header.address = *address;
  }
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return malformed();
  if (!is_port(line.substr(0, space)) || !is_port(line.substr(space + 1))) return malformed();
  header.source = Source::address;
  return header;
}

template <std::size_t size>
IpAddress address_from(std::string_view bytes) {
  std::array<std::uint8_t, size> copy{};
  std::ranges::copy(bytes.substr(0, size), copy.begin());
  return IpAddress(copy);
}

// False: their lengths do not add up.
bool read_tlvs(std::string_view tlvs, ProxyHeader& header) {
  while (!tlvs.empty()) {
    if (tlvs.size() < 3) return false;
    const std::size_t length = number_at(tlvs, 1);
    if (tlvs.size() - 3 < length) return false;
    if (byte_at(tlvs, 0) == type_ssl) {
      if (length < 5) return false;  // flags, and what the certificate's check has given
      header.tls = (byte_at(tlvs, 3) & ssl_client) != 0;
    }
    tlvs.remove_prefix(3 + length);
  }
  return true;
}

Parsed parse_v2(std::string_view bytes) {
  const auto has = [&](std::size_t size) { return bytes.size() >= size; };
  // Each byte is looked at as soon as it is there.
  if (has(13) && byte_at(bytes, 12) != 0x20 && byte_at(bytes, 12) != 0x21) return malformed();
  if (has(14) && (byte_at(bytes, 13) & 0x0f) > 1) return malformed();  // datagrams do not come here
  if (!has(v2_head_bytes)) return std::nullopt;
  const std::size_t length = number_at(bytes, 14);
  if (v2_head_bytes + length > proxy_header_bytes_max) return malformed();
  if (!has(v2_head_bytes + length)) return std::nullopt;
  ProxyHeader header{.size = v2_head_bytes + length};
  const std::string_view rest = bytes.substr(v2_head_bytes, length);
  if (byte_at(bytes, 12) == 0x20) {  // LOCAL: all of the rest is void
    header.source = Source::proxy;
    return header;
  }
  std::size_t addresses = 0;
  switch (byte_at(bytes, 13)) {
    case 0x00:
      break;
    case 0x11:
      addresses = 12;
      if (length >= addresses) header.address = address_from<4>(rest);
      break;
    case 0x21:
      addresses = 36;
      if (length >= addresses) header.address = address_from<16>(rest);
      break;
    case 0x31:
      addresses = 216;
      break;
    default:
      return malformed();
  }
  if (length < addresses || !read_tlvs(rest.substr(addresses), header)) return malformed();
  if (!header.address.is_none()) header.source = Source::address;
  return header;
}

}  // namespace

Parsed parse_proxy_header(std::string_view bytes) {
  for (const std::string_view start : {v1_start, v2_signature}) {
    const std::size_t compared = std::min(start.size(), bytes.size());
    if (bytes.substr(0, compared) != start.substr(0, compared)) continue;
    if (compared < start.size()) return std::nullopt;
    return start == v1_start ? parse_v1(bytes) : parse_v2(bytes);
  }
  return Failure(ProxyHeaderError::missing);
}

}  // namespace carillon::http
