// Trusted proxies: who is behind them is found as a plain reading of the list finds it, and nothing that a client makes
// up changes it.
//
//   input = setup(1) *( line LF )
//   line  = "+" network / "proto " items / items          ; a trusted network, a header of protocols, one of addresses
//
// Covers: src/http/forwarded.cpp
#include "http/forwarded.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "fuzz.hpp"
#include "http/text.hpp"

namespace carillon::fuzz {
namespace {

using namespace carillon::http;

bool same(const Origin& a, const Origin& b) {
  return a.address == b.address && a.secure == b.secure && a.trusted == b.trusted;
}

// All items of the headers of that name, in order.
std::vector<std::string> items_of(const std::vector<Header>& headers, std::string_view name) {
  std::vector<std::string> items;
  for (const auto& [header, value] : headers) {
    if (header != name) continue;
    std::string item;
    for (const char c : value + ",") {
      if (c != ',') {
        item.push_back(c);
        continue;
      }
      items.emplace_back(trim(item));
      item.clear();
    }
  }
  return items;
}

std::optional<IpAddress> address_of(std::string item) {
  if (item.starts_with('[')) {
    const std::size_t end = item.find(']');
    if (end == std::string::npos || !(end + 1 == item.size() || item[end + 1] == ':')) return std::nullopt;
    item = item.substr(1, end - 1);
  } else if (std::ranges::count(item, ':') == 1) {
    item.resize(item.find(':'));
  }
  return IpAddress::parse(item);
}

Origin plain_reading(const TrustedProxies& proxies, Origin origin, const std::vector<Header>& headers) {
  const auto addresses = items_of(headers, "X-Forwarded-For");
  const auto protocols = items_of(headers, "X-Forwarded-Proto");
  for (std::size_t steps = 0; origin.trusted; ++steps) {
    const auto address = steps < addresses.size() ? address_of(addresses[addresses.size() - 1 - steps]) : std::nullopt;
    if (steps < protocols.size() && (address || steps == 0))
      origin.secure = same_in_any_case(protocols[protocols.size() - 1 - steps], "https");
    if (!address) break;
    origin.address = *address;
    origin.trusted = proxies.trusts(*address);
  }
  return origin;
}

}  // namespace
}  // namespace carillon::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace carillon::fuzz;
  Input input(data, size);
  const std::uint8_t bits = input.byte();
  std::vector<std::string> networks;
  std::vector<Header> headers;
  while (!input.done()) {
    const std::string line(input.line());
    if (line.starts_with('+')) {
      networks.push_back(line.substr(1));
    } else if (line.starts_with("proto ")) {
      headers.emplace_back("X-Forwarded-Proto", line.substr(6));
    } else {
      headers.emplace_back("X-Forwarded-For", line);
    }
  }
  const auto proxies = TrustedProxies::parse(networks);
  if (!proxies) {
    check(std::ranges::find(networks, proxies.error()) != networks.end(), "an error names what is wrong");
    return 0;
  }
  Origin nearest{*carillon::IpAddress::parse("10.0.0.1"), (bits & 1U) != 0, (bits & 2U) == 0};
  if ((bits & 4U) != 0) nearest = {{}, false, proxies->trusts({})};
  Origin origin = origin_behind(*proxies, nearest, headers);
  if (canary() && origin.secure && headers.size() > 2) origin.secure = false;
  check(same(origin, plain_reading(*proxies, nearest, headers)), "a plain reading finds the same");
  check(nearest.trusted || same(origin, nearest), "nobody is believed who is not trusted");
  if (!origin.trusted) {
    // What a client makes up stands on the left of what the proxies have written.
    headers.insert(headers.begin(), {"X-Forwarded-For", "192.0.2.66, 10.0.0.1"});
    check(same(origin_behind(*proxies, nearest, headers), origin), "what is made up changes nothing");
  }
  return 0;
}
