#include "websocket/handshake.hpp"

#include <gtest/gtest.h>

#include <string>

#include "http/request_parser.hpp"

namespace carillon::websocket {
namespace {

constexpr std::string_view rfc_key = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr std::string_view rfc_accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

http::Request rfc_request() {
  http::Request request;
  request.method = "GET";
  request.target = "/chat";
  request.headers = {{"Host", "server.example.com"},   {"Upgrade", "websocket"},
                     {"Connection", "Upgrade"},        {"Sec-WebSocket-Key", std::string(rfc_key)},
                     {"Origin", "http://example.com"}, {"Sec-WebSocket-Protocol", "chat, superchat"},
                     {"Sec-WebSocket-Version", "13"}};
  return request;
}

void set(http::Request& request, std::string_view name, std::string value) {
  for (auto& header : request.headers)
    if (header.first == name) header.second = value;
}

TEST(Handshake, accept_key_of_the_rfc) { EXPECT_EQ(accept_key(rfc_key), rfc_accept); }

TEST(Handshake, answer_of_the_rfc) {
  EXPECT_EQ(accept(rfc_request()),
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\r\n");
}

TEST(Handshake, no_extension_is_accepted_and_extra_headers_are_sent) {
  auto request = rfc_request();
  request.headers.emplace_back("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits");
  const auto answer = accept(request, {{"Set-Cookie", "io=1"}});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->find("Extensions"), std::string::npos);
  EXPECT_TRUE(answer->ends_with("\r\nSet-Cookie: io=1\r\n\r\n"));
}

TEST(Handshake, only_get) {
  for (const char* method : {"POST", "get", "HEAD", ""}) {
    auto request = rfc_request();
    request.method = method;
    EXPECT_EQ(accept(request), Failure(HandshakeError::not_get)) << method;
  }
}

TEST(Handshake, key_is_sixteen_bytes) {
  for (const char* key : {"", "abc", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ===",
                          "dGhlIHNhbXBsZSBub25jZSE=", "dGhlIHNhbXBsZSBub25j*Q==", "dGhlIHNhbXBsZSBub25jZQ==, x"}) {
    auto request = rfc_request();
    set(request, "Sec-WebSocket-Key", key);
    EXPECT_EQ(accept(request), Failure(HandshakeError::bad_key)) << key;
  }
  auto request = rfc_request();
  std::erase_if(request.headers, [](const auto& header) { return header.first == "Sec-WebSocket-Key"; });
  EXPECT_EQ(accept(request), Failure(HandshakeError::bad_key));
}

TEST(Handshake, version_is_13) {
  for (const char* version : {"", "8", "12", "14", "013", "13, 8"}) {
    auto request = rfc_request();
    set(request, "Sec-WebSocket-Version", version);
    EXPECT_EQ(accept(request), Failure(HandshakeError::bad_version)) << version;
  }
  auto request = rfc_request();
  request.headers.pop_back();
  EXPECT_EQ(accept(request), Failure(HandshakeError::bad_version));
}

TEST(Handshake, the_first_subprotocol_is_echoed_if_it_is_one) {
  const auto echoed = [](std::string offered) {
    auto request = rfc_request();
    set(request, "Sec-WebSocket-Protocol", std::move(offered));
    const std::string answer = accept(request).value();
    const std::size_t at = answer.find("Sec-WebSocket-Protocol: ");
    return at == std::string::npos ? std::string() : answer.substr(at + 24, answer.find("\r\n", at) - at - 24);
  };
  EXPECT_EQ(echoed("one"), "one");
  EXPECT_EQ(echoed(" v1.x\t, two"), "v1.x");
  EXPECT_EQ(echoed(""), "");
  EXPECT_EQ(echoed(",two"), "");
  EXPECT_EQ(echoed("two words"), "");
  EXPECT_EQ(echoed("\"quoted\""), "");
  auto request = rfc_request();
  request.headers.emplace_back("sec-websocket-protocol", "later");
  EXPECT_NE(accept(request)->find("Protocol: chat\r\n"), std::string::npos);
}

TEST(ClientHandshake, the_two_sides_agree) {
  const std::string bytes = client_request("example.com:81", "/socket.io/?EIO=4", rfc_key, "Origin: http://a\r\n");
  EXPECT_TRUE(bytes.starts_with("GET /socket.io/?EIO=4 HTTP/1.1\r\nHost: example.com:81\r\n"));
  http::RequestParser parser({});
  EXPECT_EQ(parser.feed(bytes), bytes.size());
  ASSERT_TRUE(parser.complete());
  EXPECT_TRUE(parser.request().wants_websocket());
  EXPECT_EQ(parser.request().header("origin"), "http://a");
  const auto answer = accept(parser.request(), {{"X", "y"}});
  ASSERT_TRUE(answer);
  EXPECT_TRUE(is_accepted(*answer, rfc_key));
}

TEST(ClientHandshake, answers_that_do_not_accept) {
  const std::string good = accept(rfc_request()).value();
  ASSERT_TRUE(is_accepted(good, rfc_key));
  EXPECT_FALSE(is_accepted(good, "AAAAAAAAAAAAAAAAAAAAAA=="));
  EXPECT_FALSE(is_accepted("", rfc_key));
  EXPECT_FALSE(is_accepted("HTTP/1.1 101", rfc_key));
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string changed = good;
    return changed.replace(changed.find(from), from.size(), to);
  };
  EXPECT_FALSE(is_accepted(with("101 Switching Protocols", "200 OK"), rfc_key));
  EXPECT_FALSE(is_accepted(with("101", "1010"), rfc_key));
  EXPECT_FALSE(is_accepted(with("Upgrade: websocket", "Upgrade: h2c"), rfc_key));
  EXPECT_FALSE(is_accepted(with("Connection: Upgrade", "Connection: close"), rfc_key));
  EXPECT_FALSE(is_accepted(with("s3pP", "S3pP"), rfc_key));
  EXPECT_FALSE(is_accepted(with("Connection: Upgrade", "no colon"), rfc_key));
  EXPECT_FALSE(is_accepted(with("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"), rfc_key));
  EXPECT_TRUE(is_accepted(with("Connection: Upgrade", "connection:keep-alive,UPGRADE"), rfc_key));
  EXPECT_TRUE(is_accepted(with("101 Switching Protocols", "101 "), rfc_key));
  EXPECT_TRUE(is_accepted(with("Upgrade: websocket", "UPGRADE: WebSocket"), rfc_key));
}

}  // namespace
}  // namespace carillon::websocket
