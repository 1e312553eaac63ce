// The client's side of TLS, against our own server's side.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "io/testing_tls.hpp"
#include "io/tls_session.hpp"

namespace carillon::io {
namespace {

using ::testing::HasSubstr;
using testing::TestCertificate;
using State = TlsSession::State;

// Both ends, and what passes between them.
class Ends {
 public:
  Ends(const TestCertificate& certificate, const TlsDialOptions& dial, const std::string& name,
       const TlsOptions* server_options = nullptr)
      : server(*TlsContext::load(server_options != nullptr ? *server_options : certificate.options()).value()),
        client(*TlsContext::load(dial).value(), name) {
    client.begin(to_server_);
    pass();
  }

  void pass() {
    while (!to_server_.empty() || !to_client_.empty()) {
      const std::string up = std::exchange(to_server_, {});
      std::size_t count = server.receive(up, buffer_, to_client_);
      server_received.append(buffer_.data(), count);
      const std::string down = std::exchange(to_client_, {});
      count = client.receive(down, buffer_, to_server_);
      client_received.append(buffer_.data(), count);
    }
  }
  void client_sends(std::string_view text) { client.send(text, to_server_), pass(); }
  void server_sends(std::string_view text) { server.send(text, to_client_), pass(); }

  TlsSession server;
  TlsSession client;
  std::string server_received, client_received;

 private:
  std::string to_server_, to_client_;
  std::vector<char> buffer_ = std::vector<char>(100'000);
};

TEST(TlsDialTest, ATrustedCertificateWithTheRightNameIsBelieved) {
  const TestCertificate certificate("redis.test");
  Ends ends(certificate, {.ca_file = certificate.certificate_file()}, "redis.test");
  ASSERT_EQ(ends.client.state(), State::open) << ends.client.reason();
  EXPECT_EQ(ends.server.state(), State::open);
  ends.client_sends("PING\r\n");
  ends.server_sends("+PONG\r\n");
  EXPECT_EQ(ends.server_received, "PING\r\n");
  EXPECT_EQ(ends.client_received, "+PONG\r\n");
}

TEST(TlsDialTest, AnotherNameOrAddressIsNot) {
  const TestCertificate certificate("redis.test");
  for (const std::string name : {"other.test", "test", "127.0.0.1", "::1"}) {
    const Ends ends(certificate, {.ca_file = certificate.certificate_file()}, name);
    EXPECT_EQ(ends.client.state(), State::failed) << name;
    EXPECT_THAT(std::string(ends.client.reason()), HasSubstr("mismatch")) << name;
    EXPECT_NE(ends.server.state(), State::open);
  }
}

TEST(TlsDialTest, ACertificateOfSomebodyUnknownIsNot) {
  const TestCertificate certificate("redis.test");
  const TestCertificate somebody("redis.test");
  for (const std::string& file : {somebody.certificate_file(), std::string()}) {  // none: those of the system
    const Ends ends(certificate, {.ca_file = file}, "redis.test");
    EXPECT_EQ(ends.client.state(), State::failed);
    EXPECT_THAT(std::string(ends.client.reason()), HasSubstr("self"));
  }
}

TEST(TlsDialTest, VerificationCanBeTurnedOff) {
  const TestCertificate certificate("redis.test");
  const Ends ends(certificate, {.verify = false}, "127.0.0.1");
  EXPECT_EQ(ends.client.state(), State::open);
}

TEST(TlsDialTest, ShowsItsOwnCertificateIfAsked) {
  const TestCertificate certificate("redis.test");
  const TestCertificate own("client");
  TlsOptions asking = certificate.options();
  asking.client_ca_file = own.certificate_file();
  TlsDialOptions dial{.ca_file = certificate.certificate_file()};
  {
    const Ends without(certificate, dial, "redis.test", &asking);
    EXPECT_NE(without.server.state(), State::open);
  }
  dial.certificate_file = own.certificate_file();
  dial.key_file = own.key_file();
  const Ends with(certificate, dial, "redis.test", &asking);
  EXPECT_EQ(with.server.state(), State::open);
  EXPECT_EQ(with.client.state(), State::open);
}

TEST(TlsDialTest, APortThatDoesNotSpeakTlsIsAFailure) {
  const TestCertificate certificate;
  TlsSession client(*TlsContext::load(TlsDialOptions{}).value(), "localhost");
  std::string out;
  client.begin(out);
  EXPECT_FALSE(out.empty());
  std::vector<char> buffer(100'000);
  client.receive("-ERR unknown command\r\n", buffer, out);
  EXPECT_EQ(client.state(), State::failed);
  EXPECT_FALSE(client.reason().empty());
}

TEST(TlsDialTest, FilesThatCannotBeUsedAreNamed) {
  const TestCertificate certificate;
  const auto complaint = [](const TlsDialOptions& options) { return TlsContext::load(options).error(); };
  EXPECT_THAT(complaint({.ca_file = "/nowhere"}), HasSubstr("the CA file \"/nowhere\" cannot be used: No such file"));
  EXPECT_THAT(complaint({.certificate_file = "/nowhere", .key_file = certificate.key_file()}),
              HasSubstr("the certificate file"));
  EXPECT_THAT(complaint({.certificate_file = certificate.certificate_file(), .key_file = "/nowhere"}),
              HasSubstr("the key file"));
}

}  // namespace
}  // namespace carillon::io
