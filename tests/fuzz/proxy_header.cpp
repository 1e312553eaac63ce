// The PROXY protocol: the verdict does not depend on how many bytes have come in, is within the limit, and headers that
// were written are read as meant.
//
//   input = bytes; also taken for the parts of a header that is written
//
// Covers: src/http/proxy_header.cpp
#include "http/proxy_header.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "fuzz.hpp"

namespace carillon::fuzz {
namespace {

using namespace carillon::http;
using Source = ProxyHeader::Source;

bool same(const ProxyHeader& a, const ProxyHeader& b) {
  return a.source == b.source && a.address == b.address && a.tls == b.tls && a.size == b.size;
}

// Of more and more bytes: first none, then always the same.
void read(std::string_view bytes) {
  const auto last = parse_proxy_header(bytes);
  bool decided = false;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto result = parse_proxy_header(bytes.substr(0, size));
    if (result && !*result) {
      check(!decided, "a verdict is final");
      continue;
    }
    decided = true;
    if (!result) {
      check(!last && last.error() == result.error(), "an error does not go away");
    } else {
      check(last && *last && same(**result, **last), "a header does not change");
      check((*result)->size <= size, "a header is not longer than what has come");
    }
  }
  if (last && *last) {
    check((*last)->size > 0 && (*last)->size <= proxy_header_bytes_max, "a header has its limit");
    check(((*last)->source == Source::address) == !(*last)->address.is_none(), "an address is there where it is said");
  }
  if (last && !*last) check(bytes.size() < proxy_header_bytes_max, "nobody waits for ever");
}

template <std::size_t size>
std::array<std::uint8_t, size> take(Input& input) {
  std::array<std::uint8_t, size> bytes{};
  for (std::uint8_t& byte : bytes) byte = input.byte();
  return bytes;
}

void expect(const std::string& bytes, const ProxyHeader& expected, std::string_view property) {
  auto header = parse_proxy_header(bytes + "GET /");
  if (canary() && header && *header && (*header)->tls) (*header)->address = {};
  check(header && *header && same(**header, expected), property);
  read(bytes + "GET /");
}

void write_v1(Input& input, bool v6) {
  const IpAddress from = v6 ? IpAddress(take<16>(input)) : IpAddress(take<4>(input));
  const IpAddress to = v6 ? IpAddress(take<16>(input)) : IpAddress(take<4>(input));
  // One that is IPv4 in truth has another form.
  if (v6 && (from.bytes().size() == 4 || to.bytes().size() == 4)) return;
  const std::string text = std::string("PROXY ") + (v6 ? "TCP6 " : "TCP4 ") + from.to_string() + " " + to.to_string() +
                           " " + std::to_string(input.byte() * 256U) + " " + std::to_string(input.byte()) + "\r\n";
  expect(text, {Source::address, from, false, text.size()}, "version 1 is read as it was written");
}

void append_tlv(std::string& out, unsigned type, std::string_view value) {
  out.append({static_cast<char>(type), static_cast<char>(value.size() >> 8), static_cast<char>(value.size())});
  out += value;
}

void write_v2(Input& input, bool v6) {
  ProxyHeader expected{Source::address};
  std::string rest;
  const auto append = [&](const auto& bytes) {
    for (const std::uint8_t byte : bytes) rest.push_back(static_cast<char>(byte));
  };
  if (v6) {
    const auto bytes = take<16>(input);
    expected.address = IpAddress(bytes);
    append(bytes);
    append(take<20>(input));
  } else {
    const auto bytes = take<4>(input);
    expected.address = IpAddress(bytes);
    append(bytes);
    append(take<8>(input));
  }
  for (std::size_t tlvs = input.below(4); tlvs > 0; --tlvs)
    append_tlv(rest, input.byte() | 0x80U, input.bytes(input.byte()));
  if (input.flag()) {
    expected.tls = input.flag();
    append_tlv(rest, 0x20, std::string(1, expected.tls ? '\x01' : '\x06') + std::string(4, '\0'));
  }
  std::string bytes("\r\n\r\n\0\r\nQUIT\n\x21", 13);
  bytes.append({v6 ? '\x21' : '\x11', static_cast<char>(rest.size() >> 8), static_cast<char>(rest.size())});
  bytes += rest;
  expected.size = bytes.size();
  expect(bytes, expected, "version 2 is read as it was written");
}

}  // namespace
}  // namespace carillon::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace carillon::fuzz;
  Input all(data, size);
  read(all.rest());
  Input input(data, size);
  const std::uint8_t bits = input.byte();
  if ((bits & 1U) != 0) {
    write_v1(input, (bits & 2U) != 0);
  } else {
    write_v2(input, (bits & 2U) != 0);
  }
  return 0;
}
