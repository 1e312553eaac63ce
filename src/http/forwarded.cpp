// X-Forwarded-For   = #( address [ ":" port ] )     ; IPv6 with a port in brackets; no standard, but this is what is sent
// X-Forwarded-Proto = #( "http" / "https" )         ; the same order; mostly one, written by the nearest proxy
#include "http/forwarded.hpp"

#include <algorithm>
#include <string_view>

#include "http/text.hpp"

namespace carillon::http {
namespace {

// The items of all headers of that name, the last one first: read one by one, because most are never asked for.
class ItemsFromTheRight {
 public:
  ItemsFromTheRight(std::span<const Header> headers, std::string_view name) : headers_(headers), name_(name) {}

  std::optional<std::string_view> next() {
    while (!in_header_) {
      if (headers_.empty()) return std::nullopt;
      const Header& header = headers_.back();
      headers_ = headers_.first(headers_.size() - 1);
      if (!same_in_any_case(header.first, name_)) continue;
      rest_ = header.second;
      in_header_ = true;
    }
    const std::size_t comma = rest_.rfind(',');
    const std::string_view item = trim(comma == std::string_view::npos ? rest_ : rest_.substr(comma + 1));
    in_header_ = comma != std::string_view::npos;
    rest_ = rest_.substr(0, in_header_ ? comma : 0);
    return item;
  }

 private:
  std::span<const Header> headers_;
  std::string_view name_;
  std::string_view rest_;
  bool in_header_ = false;
};

std::optional<IpAddress> address_in(std::string_view item) {
  if (item.starts_with('[')) {
    const std::size_t end = item.find(']');
    if (end == std::string_view::npos || (end + 1 < item.size() && item[end + 1] != ':')) return std::nullopt;
    return IpAddress::parse(item.substr(1, end - 1));
  }
  if (std::ranges::count(item, ':') == 1) item = item.substr(0, item.find(':'));
  return IpAddress::parse(item);
}

}  // namespace

Result<TrustedProxies, std::string> TrustedProxies::parse(std::span<const std::string> texts) {
  TrustedProxies proxies;
  for (const std::string& text : texts) {
    if (text == "unix") {
      proxies.unix_ = true;
    } else if (const auto network = IpNetwork::parse(text)) {
      proxies.networks_.push_back(*network);
    } else {
      return Failure(text);
    }
  }
  return proxies;
}

bool TrustedProxies::trusts(const IpAddress& peer) const {
  if (peer.is_none()) return unix_;
  return std::ranges::any_of(networks_, [&](const IpNetwork& network) { return network.contains(peer); });
}

Origin origin_behind(const TrustedProxies& proxies, Origin nearest, std::span<const Header> headers) {
  if (!nearest.trusted) return nearest;
  Origin origin = nearest;
  ItemsFromTheRight addresses(headers, "x-forwarded-for");
  ItemsFromTheRight protocols(headers, "x-forwarded-proto");
  // Without an address for it, a protocol is about who talks to the nearest proxy.
  for (bool first = true; origin.trusted; first = false) {
    const auto item = addresses.next();
    const auto address = item ? address_in(*item) : std::nullopt;
    if (!address && !first) break;
    if (const auto protocol = protocols.next()) origin.secure = same_in_any_case(*protocol, "https");
    if (!address) break;  // also an item that is none ("unknown"): nothing on its left is worth more
    origin.address = *address;
    origin.trusted = proxies.trusts(*address);
  }
  return origin;
}

}  // namespace carillon::http
