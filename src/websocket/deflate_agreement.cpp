#include "websocket/deflate_agreement.hpp"

#include <algorithm>
#include <string_view>

namespace carillon::websocket {
namespace {

constexpr int window_bits_max = 15;

// An offer of permessage-deflate, RFC 7692 section 7.1.
struct Offer {
  bool client_no_context_takeover = false;
  std::optional<int> server_window_bits;  // the most that the server may use
  std::optional<int> client_window_bits;  // 15 where the client says only that it understands the parameter
};

// 8 to 15, without leading zeros.
std::optional<int> window_bits(std::string_view text) {
  if (text == "8" || text == "9") return text[0] - '0';
  if (text.size() == 2 && text[0] == '1' && text[1] >= '0' && text[1] <= '5') return 10 + (text[1] - '0');
  return std::nullopt;
}

// None where the RFC wants it declined: a parameter that it does not know, a bad value, the same one twice.
std::optional<Offer> read_offer(const ExtensionOffer& extension) {
  Offer offer;
  const auto& parameters = extension.parameters;
  for (auto parameter = parameters.begin(); parameter != parameters.end(); ++parameter) {
    const auto& [name, value] = *parameter;
    const bool repeated = std::any_of(parameters.begin(), parameter, [&](const auto& p) { return p.name == name; });
    if (repeated) return std::nullopt;
    if (name == "server_no_context_takeover" || name == "client_no_context_takeover") {
      if (value) return std::nullopt;
      if (name.starts_with('c')) offer.client_no_context_takeover = true;
    } else if (name == "server_max_window_bits") {
      offer.server_window_bits = window_bits(value.value_or(""));
      if (!offer.server_window_bits) return std::nullopt;
    } else if (name == "client_max_window_bits") {
      offer.client_window_bits = value ? window_bits(*value) : window_bits_max;
      if (!offer.client_window_bits) return std::nullopt;
    } else {
      return std::nullopt;
    }
  }
  return offer;
}

}  // namespace

std::optional<DeflateAgreement> agree_on_deflate(std::span<const ExtensionOffer> offers,
                                                 const DeflateSettings& settings, bool window_allowed) {
  for (const ExtensionOffer& extension : offers) {
    if (extension.name != "permessage-deflate") continue;
    const auto offer = read_offer(extension);
    if (!offer) continue;
    // Frames are compressed once for all receivers, with one window: a client that can take less gets them as they are.
    if (offer->server_window_bits && *offer->server_window_bits < settings.server_window_bits) continue;
    // A client that does not offer it may not be told to use a smaller window.
    if (!offer->client_window_bits && settings.client_window_bits < window_bits_max) continue;
    DeflateAgreement agreement;
    agreement.server_window_bits = settings.server_window_bits;
    agreement.says_server_window = offer->server_window_bits || settings.server_window_bits < window_bits_max;
    agreement.client_window_bits =
        std::min(offer->client_window_bits.value_or(window_bits_max), settings.client_window_bits);
    agreement.says_client_window = agreement.client_window_bits < window_bits_max;
    agreement.client_no_context_takeover =
        offer->client_no_context_takeover || settings.client_no_context_takeover || !window_allowed;
    return agreement;
  }
  return std::nullopt;
}

std::string to_header(const DeflateAgreement& agreement) {
  std::string text = "permessage-deflate; server_no_context_takeover";
  if (agreement.client_no_context_takeover) text += "; client_no_context_takeover";
  if (agreement.says_server_window) text += "; server_max_window_bits=" + std::to_string(agreement.server_window_bits);
  if (agreement.says_client_window) text += "; client_max_window_bits=" + std::to_string(agreement.client_window_bits);
  return text;
}

}  // namespace carillon::websocket
