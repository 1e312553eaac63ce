// The opening handshake: what is accepted is what RFC 6455 asks for, the answer is accepted by our own client and holds
// no more lines than meant, and an agreement on compression never goes beyond the offer or the settings.
//
//   input = settings(2) *( line LF )       ; headers of the request; also taken for the head of a server's answer
//
// Covers: src/websocket/handshake.cpp src/websocket/extensions.cpp src/websocket/deflate_agreement.cpp
#include <algorithm>
#include <string>
#include <vector>

#include "base/base64.hpp"
#include "fuzz.hpp"
#include "http/request_parser.hpp"
#include "http/text.hpp"
#include "websocket/deflate_agreement.hpp"
#include "websocket/handshake.hpp"

namespace carillon::fuzz {
namespace {

using namespace carillon::websocket;

std::optional<http::Request> parse(std::string_view lines, bool get) {
  std::string head = get ? "GET /socket.io/ HTTP/1.1\r\n" : "POST /socket.io/ HTTP/1.1\r\n";
  for (const char c : lines) head.append(c == '\n' ? "\r\n" : std::string(1, c));
  head += "\r\n\r\n";
  http::RequestParser parser({});
  if (!parser.feed(head) || !parser.head_complete()) return std::nullopt;
  return parser.request();
}

std::string text_of(const std::vector<ExtensionOffer>& offers) {
  std::string text;
  for (const ExtensionOffer& offer : offers) {
    if (!text.empty()) text += ", ";
    text += offer.name;
    for (const auto& [name, value] : offer.parameters) {
      text.append("; ").append(name);
      if (value) text.append("=\"").append(*value).append("\"");
    }
  }
  return text;
}

bool same(const std::vector<ExtensionOffer>& a, const std::vector<ExtensionOffer>& b) {
  return std::ranges::equal(a, b, [](const ExtensionOffer& x, const ExtensionOffer& y) {
    return x.name == y.name && std::ranges::equal(x.parameters, y.parameters, [](const auto& p, const auto& q) {
             return p.name == q.name && p.value == q.value;
           });
  });
}

bool offers_parameter(const std::vector<ExtensionOffer>& offers, std::string_view name) {
  return std::ranges::any_of(offers, [&](const ExtensionOffer& offer) {
    return offer.name == "permessage-deflate" &&
           std::ranges::any_of(offer.parameters, [&](const auto& parameter) { return parameter.name == name; });
  });
}

void check_agreement(const std::vector<ExtensionOffer>& offers, const DeflateSettings& settings, bool window_allowed) {
  const auto agreement = agree_on_deflate(offers, settings, window_allowed);
  if (!agreement) return;
  check(std::ranges::any_of(offers, [](const auto& offer) { return offer.name == "permessage-deflate"; }),
        "nothing is agreed on that was not offered");
  check(agreement->server_window_bits == settings.server_window_bits, "the server's window is what it can do");
  check(agreement->client_window_bits >= 8 && agreement->client_window_bits <= settings.client_window_bits,
        "the client's window is within the settings");
  check(!agreement->says_client_window || offers_parameter(offers, "client_max_window_bits"),
        "a client's window is not named where it was not offered");
  check(agreement->window_bytes() == 0 || (window_allowed && !settings.client_no_context_takeover),
        "no window is kept without leave");
  const std::string header = to_header(*agreement);
  const auto answer = parse_extensions(header);
  check(answer && answer->size() == 1 && answer->front().name == "permessage-deflate", "the answer is one extension");
  check(offers_parameter(*answer, "server_no_context_takeover"), "the server takes no context over");
  // A client that offers just what was answered gets the same.
  auto settings_of_answer = settings;
  settings_of_answer.client_no_context_takeover = agreement->client_no_context_takeover;
  if (agreement->says_client_window || settings.client_window_bits == 15) {
    const auto again = agree_on_deflate(*answer, settings_of_answer, window_allowed);
    check(again && again->client_window_bits == agreement->client_window_bits, "what was agreed on can be agreed on");
  }
}

void check_extensions(const http::Request& request, const DeflateSettings& settings, bool window_allowed) {
  for (const auto& [name, value] : request.headers) {
    const auto offers = parse_extensions(value);
    if (!offers) continue;
    const std::string text = text_of(*offers);
    const auto again = parse_extensions(text);
    check(again && same(*offers, *again), "extensions that were written again are the same");
    check_agreement(*offers, settings, window_allowed);
  }
}

void check_accept(const http::Request& request, const std::vector<http::Header>& extra) {
  auto answer = accept(request, extra);
  if (!answer) {
    if (answer.error() == HandshakeError::not_get) check(request.method != "GET", "GET is right");
    return;
  }
  if (canary() && answer->contains("Protocol: chat")) answer->insert(answer->find("chat"), "\r\n");
  const auto key = request.header("sec-websocket-key");
  check(request.method == "GET" && key && request.header("sec-websocket-version") == "13", "the request is right");
  const auto bytes = from_base64(*key);
  check(bytes && bytes->size() == 16, "the key is 16 bytes");
  // No byte of the request ends a line of the answer.
  const bool protocol = answer->contains("\r\nSec-WebSocket-Protocol: ");
  const auto lines = static_cast<std::size_t>(std::ranges::count(*answer, '\n'));
  check(lines == 5 + extra.size() + (protocol ? 1 : 0), "there are as many lines as headers");
  check(static_cast<std::size_t>(std::ranges::count(*answer, '\r')) == lines && answer->ends_with("\r\n\r\n"),
        "lines end as lines do");
  check(is_accepted(*answer, *key), "our client takes our answer");
  check(!is_accepted(*answer, "dGhlIHNhbXBsZSBub25jZQ==") || *key == "dGhlIHNhbXBsZSBub25jZQ==", "not for another key");
}

// Our own client's request is accepted by our server.
void check_client() {
  const std::string text = client_request("host:80", "/socket.io/", "dGhlIHNhbXBsZSBub25jZQ==", "X-Copied: 1\r\n");
  http::RequestParser parser({});
  check(parser.feed(text) == text.size() && parser.complete(), "our client's request is one");
  check(parser.request().wants_websocket() && accept(parser.request()).has_value(), "that our server accepts");
}

}  // namespace
}  // namespace carillon::fuzz

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  carillon::fuzz::check_client();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace carillon;
  using namespace carillon::fuzz;
  Input input(data, size);
  const std::uint8_t bits = input.byte();
  DeflateSettings settings;
  settings.client_no_context_takeover = (bits & 1U) != 0;
  const bool window_allowed = (bits & 2U) != 0;
  const bool get = (bits & 4U) == 0;
  const std::uint8_t windows = input.byte();
  settings.server_window_bits = 9 + windows % 7;
  settings.client_window_bits = 9 + windows / 7 % 7;
  const std::string_view lines = input.rest();
  is_accepted(lines, "dGhlIHNhbXBsZSBub25jZQ==");
  const auto request = parse(lines, get);
  if (!request) return 0;
  std::vector<http::Header> extra;
  for (const auto& [name, value] : request->headers)
    if (http::same_in_any_case(name, "x-copied")) extra.emplace_back("X-Copied", value + "\r\nX-Made-Up: 1");
  check_accept(*request, extra);
  check_extensions(*request, settings, window_allowed);
  return 0;
}
