// Connections before their first request: proxies' headers and TLS handshakes; and what proxies say in requests.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/log.hpp"
#include "runtime/connection.hpp"
#include "runtime/testing_shard.hpp"

namespace carillon::runtime {
namespace {

using namespace testing;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr Milliseconds short_time{300};
const std::string header = "PROXY TCP4 192.0.2.7 10.0.0.1 1234 443\r\n";
const std::string get = HttpClient::request("GET", "/origin");

http::TrustedProxies trusting(std::vector<std::string> texts) { return http::TrustedProxies::parse(texts).value(); }

class ArrivalTest : public ::testing::Test {
 protected:
  ArrivalTest() { configure_log(LogLevel::off, LogFormat::text); }

  TinyServer::Settings behind_proxy(bool tls = false) const {
    ServiceLimits limits;
    limits.handshake_timeout = short_time;
    return {.limits = limits, .entrance = {true, tls ? &credentials_ : nullptr}, .proxies = trusting({"127.0.0.0/8"})};
  }
  TinyServer::Settings with_tls() const {
    ServiceLimits limits;
    limits.handshake_timeout = short_time;
    return {.limits = limits, .entrance = {false, &credentials_}};
  }

  io::testing::TestCertificate certificate_;
  io::TlsCredentials credentials_{certificate_.options()};
};

// --- proxies' headers ---

TEST_F(ArrivalTest, ProxysHeaderNamesTheClient) {
  TinyServer server(behind_proxy());
  HttpClient client(server.http_address);
  client.send(header + get);
  EXPECT_EQ(client.answer().body, "192.0.2.7");
  EXPECT_EQ(client.get("/origin").body, "192.0.2.7");
}

TEST_F(ArrivalTest, HeaderMayComeByteByByte) {
  TinyServer server(behind_proxy());
  HttpClient client(server.http_address);
  for (const char byte : header + get) client.send(std::string_view(&byte, 1));
  EXPECT_EQ(client.answer().body, "192.0.2.7");
}

TEST_F(ArrivalTest, ProxysOwnConnectionsHaveItsAddress) {
  TinyServer server(behind_proxy());
  HttpClient local(server.http_address);
  local.send(std::string("\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00", 16) + get);
  EXPECT_EQ(local.answer().body, "127.0.0.1");
  HttpClient unknown(server.http_address);
  unknown.send("PROXY UNKNOWN\r\n" + get);
  EXPECT_EQ(unknown.answer().body, "");
}

TEST_F(ArrivalTest, ClientBehindTheProxyIsNoProxyItself) {
  TinyServer server(behind_proxy());
  HttpClient client(server.http_address);
  for (const std::string_view first : {std::string_view(header), std::string_view()}) {
    client.send(std::string(first) + HttpClient::request("GET", "/origin", {}, "X-Forwarded-For: 198.51.100.1\r\n"));
    EXPECT_EQ(client.answer().body, "192.0.2.7");
  }
}

TEST_F(ArrivalTest, WithoutAHeaderTheConnectionEnds) {
  TinyServer server(behind_proxy());
  HttpClient client(server.http_address);
  client.send(get);
  EXPECT_TRUE(client.closed());
  EXPECT_TRUE(server.has_refused(Refusal::bad_proxy_header, 1));
  HttpClient broken(server.http_address);
  broken.send("PROXY TCP4 nonsense\r\n" + get);
  EXPECT_TRUE(broken.closed());
  EXPECT_TRUE(server.has_refused(Refusal::bad_proxy_header, 2));
  EXPECT_EQ(server.desk.seen.size(), 0U);
}

TEST_F(ArrivalTest, HeadersOfStrangersAreNotRead) {
  TinyServer::Settings settings = behind_proxy();
  settings.proxies = trusting({"10.0.0.0/8", "unix"});
  TinyServer server(std::move(settings));
  HttpClient client(server.http_address);
  client.send(header + get);
  EXPECT_TRUE(client.closed());
  EXPECT_TRUE(server.has_refused(Refusal::untrusted_proxy, 1));
  EXPECT_EQ(server.desk.seen.size(), 0U);
}

TEST_F(ArrivalTest, HeaderThatStallsOrLeavesCostsItsConnection) {
  TinyServer server(behind_proxy());
  HttpClient stalling(server.http_address);
  stalling.send(header.substr(0, 20));
  HttpClient leaving(server.http_address);
  leaving.send(header.substr(0, 20));
  leaving.close();
  EXPECT_TRUE(server.has_refused(Refusal::left, 1));
  EXPECT_TRUE(stalling.closed());
  EXPECT_TRUE(server.has_refused(Refusal::handshake_timeout, 1));
  EXPECT_TRUE(server.has_connections(0));
}

TEST_F(ArrivalTest, HeaderComesBeforeTls) {
  TinyServer server(behind_proxy(true));
  HttpClient client(server.http_address);
  client.send(header);
  client.start_tls();
  EXPECT_EQ(client.get("/origin").body, "192.0.2.7 secure");
}

// As when a balancer is fast: both in one segment.
TEST_F(ArrivalTest, HeaderMayComeTogetherWithTheHandshake) {
  TinyServer server(behind_proxy(true));
  io::testing::TlsClientEnd end;
  BIO* in = BIO_new(BIO_s_mem());
  BIO* out = BIO_new(BIO_s_mem());
  SSL_set_bio(end.raw(), in, out);
  BlockingClient client(server.http_address);
  std::string first = header;
  std::string got;
  while (got.empty()) {
    char byte = 0;
    const int result =
        SSL_do_handshake(end.raw()) == 1 ? SSL_write(end.raw(), get.data(), static_cast<int>(get.size())) : 0;
    std::string bytes(BIO_ctrl_pending(out), '\0');
    BIO_read(out, bytes.data(), static_cast<int>(bytes.size()));
    client.send(std::exchange(first, {}) + bytes);
    do {
      const std::string more = client.receive();
      ASSERT_NE(more, "");
      BIO_write(in, more.data(), static_cast<int>(more.size()));
      if (result > 0 && SSL_read(end.raw(), &byte, 1) == 1) got += byte;
    } while (result > 0 && got.empty());
  }
  EXPECT_EQ(got, "H");
}

// --- TLS handshakes ---

TEST_F(ArrivalTest, PlainHttpOnATlsPortIsAnswered) {
  TinyServer server(with_tls());
  HttpClient client(server.http_address);
  const Answer answer = client.get("/");
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.head, HasSubstr("Connection: close"));
  EXPECT_TRUE(client.closed());
  EXPECT_TRUE(server.has_refused(Refusal::plain_http, 1));
}

TEST_F(ArrivalTest, RubbishOnATlsPortEndsTheConnection) {
  TinyServer server(with_tls());
  HttpClient client(server.http_address);
  client.send(std::string(1'000, '\x7f'));
  EXPECT_TRUE(client.closed());
  EXPECT_TRUE(server.has_refused(Refusal::tls_refused, 1));
}

TEST_F(ArrivalTest, HandshakeThatStallsOrLeavesCostsItsConnection) {
  TinyServer server(with_tls());
  HttpClient silent(server.http_address);
  HttpClient half(server.http_address);
  half.send(std::string("\x16\x03\x01\x02\x00\x01", 6));
  HttpClient leaving(server.http_address);
  leaving.close();
  EXPECT_TRUE(server.has_refused(Refusal::left, 1));
  EXPECT_TRUE(half.closed());
  EXPECT_TRUE(silent.closed());
  EXPECT_TRUE(server.has_refused(Refusal::handshake_timeout, 2));
  HttpClient honest("https://" + server.http_address);
  EXPECT_EQ(honest.get("/origin").body, "127.0.0.1 secure");
}

// The time for the handshake does not go on for the request.
TEST_F(ArrivalTest, ClientThatHasPassedHasTimeForItsRequest) {
  TinyServer server(with_tls());
  HttpClient client("https://" + server.http_address);
  HttpClient stalling(server.http_address);
  EXPECT_TRUE(stalling.closed());
  EXPECT_EQ(client.get("/origin").body, "127.0.0.1 secure");
}

TEST_F(ArrivalTest, StopDoesNotWaitForThoseWhoHaveNotArrived) {
  TinyServer::Settings settings = with_tls();
  settings.limits.handshake_timeout = Milliseconds(60'000);
  settings.drain_timeout = Milliseconds(60'000);
  TinyServer server(std::move(settings));
  HttpClient silent(server.http_address);
  ASSERT_TRUE(server.has_connections(1));
  server.shard().begin_stop();
  EXPECT_TRUE(silent.closed());
}

// --- what proxies say in requests ---

TEST_F(ArrivalTest, TrustedProxysRequestsNameTheClient) {
  const std::string forwarded = HttpClient::request(
      "GET", "/origin", {}, "X-Forwarded-For: 198.51.100.9, 192.0.2.7\r\nX-Forwarded-Proto: https\r\n");
  TinyServer believing({.proxies = trusting({"127.0.0.1"})});
  HttpClient client(believing.http_address);
  client.send(forwarded + get);
  EXPECT_EQ(client.answer().body, "192.0.2.7 secure");
  EXPECT_EQ(client.answer().body, "127.0.0.1");
  TinyServer doubting;
  HttpClient liar(doubting.http_address);
  liar.send(forwarded);
  EXPECT_EQ(liar.answer().body, "127.0.0.1");
}

}  // namespace
}  // namespace carillon::runtime
