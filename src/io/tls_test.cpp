// TlsContext and TlsSession, against OpenSSL's client in memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/err.h>

#include <array>
#include <ctime>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "io/testing_tls.hpp"
#include "io/tls_session.hpp"

namespace carillon::io {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::TestCertificate;
using testing::TlsClientEnd;
using testing::TlsClientOptions;
using State = TlsSession::State;

using ContextPtr = std::shared_ptr<const TlsContext>;

ContextPtr context_of(const TlsOptions& options) { return TlsContext::load(options).value(); }

// A client and a session, and what passes between them.
class Pair {
 public:
  explicit Pair(const ContextPtr& context, const TlsClientOptions& options = {})
      : client(options), server(*context), to_client_(BIO_new(BIO_s_mem())), to_server_(BIO_new(BIO_s_mem())) {
    SSL_set_bio(client.raw(), to_client_, to_server_);
  }

  // As many rounds as there are bytes. `slice`: how many at a time the server gets.
  void pass(std::size_t slice = 1'000'000) {
    for (bool more = true; more;) {
      char byte = 0;
      ERR_clear_error();
      SSL_peek(client.raw(), &byte, 0);
      if (SSL_in_init(client.raw()) != 0) SSL_do_handshake(client.raw());
      const std::string from_client = taken();
      more = !from_client.empty();
      for (std::size_t at = 0; at < from_client.size(); at += slice)
        give(std::string_view(from_client).substr(at, slice));
    }
  }
  // As if the client had sent it.
  void give(std::string_view ciphertext) {
    std::string out;
    const std::size_t count = server.receive(ciphertext, buffer_, out);
    received.append(buffer_.data(), count);
    answer(out);
  }
  void answer(const std::string& out) {
    answered += out.size();
    if (!out.empty()) BIO_write(to_client_, out.data(), static_cast<int>(out.size()));
  }
  std::string taken() {
    std::string bytes(BIO_ctrl_pending(to_server_), '\0');
    if (!bytes.empty()) BIO_read(to_server_, bytes.data(), static_cast<int>(bytes.size()));
    return bytes;
  }
  void client_sends(std::string_view text) { SSL_write(client.raw(), text.data(), static_cast<int>(text.size())); }
  std::string client_reads() {
    std::string all;
    std::array<char, 65536> part;
    for (int count = 0; (count = SSL_read(client.raw(), part.data(), part.size())) > 0;)
      all.append(part.data(), static_cast<std::size_t>(count));
    return all;
  }
  std::string protocol() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(client.raw(), &name, &size);
    return {reinterpret_cast<const char*>(name), size};
  }

  TlsClientEnd client;
  TlsSession server;
  std::string received;
  std::size_t answered = 0;

 private:
  BIO* to_client_;  // the client's SSL object owns them
  BIO* to_server_;
  std::vector<char> buffer_ = std::vector<char>(1'100'000);
};

class TlsTest : public ::testing::Test {
 protected:
  TestCertificate certificate_;
  ContextPtr context_ = context_of(certificate_.options());
};

TEST_F(TlsTest, CarriesBytesBothWays) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const std::size_t slice : {1U, 7U, 1'000'000U}) {
      Pair pair(context_, {.version = version});
      pair.pass(slice);
      ASSERT_EQ(pair.server.state(), State::open);
      EXPECT_FALSE(pair.server.resumed());
      const std::string text(40'000, 'x');
      pair.client_sends(text);
      pair.pass(slice);
      EXPECT_EQ(pair.received, text);
      std::string out;
      EXPECT_TRUE(pair.server.send("hello", out));
      EXPECT_TRUE(pair.server.send(std::string(TlsSession::record_bytes_max, 'y'), out));
      pair.answer(out);
      EXPECT_EQ(pair.client_reads(), "hello" + std::string(TlsSession::record_bytes_max, 'y'));
    }
  }
}

TEST_F(TlsTest, UsesForwardSecrecyAndAuthenticatedEncryptionOnly) {
  Pair pair(context_, {.version = TLS1_2_VERSION});
  pair.pass();
  EXPECT_THAT(SSL_get_cipher_name(pair.client.raw()), AllOf(HasSubstr("ECDHE"), HasSubstr("GCM")));
  Pair old(context_, {.version = TLS1_2_VERSION});
  SSL_set_cipher_list(old.client.raw(), "AES128-SHA:ECDHE-ECDSA-AES128-SHA:AES128-GCM-SHA256");
  old.pass();
  EXPECT_EQ(old.server.state(), State::failed);
  EXPECT_GT(old.answered, 0U);  // an alert
}

TEST_F(TlsTest, OldVersionsAreRefused) {
  Pair old(context_, {.version = TLS1_1_VERSION});
  SSL_set_security_level(old.client.raw(), 0);
  old.pass();
  EXPECT_EQ(old.server.state(), State::failed);
  EXPECT_EQ(old.server.failure(), TlsSession::Failure::protocol);

  TlsOptions options = certificate_.options();
  options.min_version = "1.3";
  const ContextPtr strict = context_of(options);
  Pair refused(strict, {.version = TLS1_2_VERSION});
  refused.pass();
  EXPECT_EQ(refused.server.state(), State::failed);
  Pair accepted(strict);
  accepted.pass();
  EXPECT_EQ(accepted.server.state(), State::open);
}

TEST_F(TlsTest, SpeaksHttp11Only) {
  const auto chosen = [&](std::string_view protocols) {
    Pair pair(context_, {.protocols = protocols});
    pair.pass();
    return pair.server.state() == State::open ? pair.protocol() : "refused";
  };
  EXPECT_EQ(chosen(""), "");
  EXPECT_EQ(chosen("\x08http/1.1"), "http/1.1");
  EXPECT_EQ(chosen("\x02h2\x08http/1.1"), "http/1.1");
  EXPECT_EQ(chosen("\x02h2"), "refused");
  EXPECT_EQ(chosen("\x02h2\x08http/1.0"), "refused");
}

TEST_F(TlsTest, PlainHttpIsRecognised) {
  for (const std::string_view request : {"GET / HTTP/1.1\r\n\r\n", "POST / HTTP/1.1\r\n\r\n"}) {
    Pair pair(context_);
    pair.give(request);
    EXPECT_EQ(pair.server.state(), State::failed);
    EXPECT_EQ(pair.server.failure(), TlsSession::Failure::plain_http);
  }
}

TEST_F(TlsTest, RubbishFails) {
  for (const std::string& rubbish :
       {std::string(1'000, '\0'), std::string("\x16\x03\x01\x00\x05xxxxx", 10), std::string(100'000, '\xff')}) {
    Pair pair(context_);
    pair.give(rubbish);
    EXPECT_EQ(pair.server.state(), State::failed);
    EXPECT_EQ(pair.server.failure(), TlsSession::Failure::protocol);
    pair.give("more");
    std::string out;
    EXPECT_FALSE(pair.server.send("x", out));
    pair.server.end(out);
    EXPECT_EQ(out, "");
  }
  Pair open(context_);
  open.pass();
  open.give(std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x'));  // not what the client has encrypted
  EXPECT_EQ(open.server.state(), State::failed);
}

TEST_F(TlsTest, EndOfTheClientIsToldBehindItsBytes) {
  Pair pair(context_);
  pair.pass();
  pair.client_sends("last words");
  SSL_shutdown(pair.client.raw());
  pair.pass();
  EXPECT_EQ(pair.received, "last words");
  EXPECT_EQ(pair.server.state(), State::ended);
}

TEST_F(TlsTest, EndIsToldToTheClient) {
  Pair pair(context_);
  pair.pass();
  std::string out;
  pair.server.send("last words", out);
  pair.server.end(out);
  pair.answer(out);
  EXPECT_EQ(pair.client_reads(), "last words");
  EXPECT_EQ(SSL_get_shutdown(pair.client.raw()) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
}

TEST_F(TlsTest, TicketsResumeASession) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Pair first(context_, {.version = version});
    first.pass();
    first.client_reads();  // the ticket
    SSL_SESSION* session = SSL_get1_session(first.client.raw());
    Pair second(context_, {.version = version, .resume = session});
    second.pass();
    EXPECT_EQ(second.server.state(), State::open);
    EXPECT_TRUE(second.server.resumed());
    Pair elsewhere(context_of(certificate_.options()), {.version = version, .resume = session});
    elsewhere.pass();
    EXPECT_EQ(elsewhere.server.state(), State::open);
    EXPECT_FALSE(elsewhere.server.resumed());
    SSL_SESSION_free(session);
  }
}

TEST_F(TlsTest, RenegotiationIsRefused) {
  Pair pair(context_, {.version = TLS1_2_VERSION});
  pair.pass();
  ASSERT_EQ(SSL_renegotiate(pair.client.raw()), 1);
  ERR_clear_error();
  SSL_do_handshake(pair.client.raw());
  pair.give(pair.taken());
  EXPECT_EQ(SSL_do_handshake(pair.client.raw()), -1);
  EXPECT_EQ(ERR_GET_REASON(ERR_peek_error()), SSL_R_NO_RENEGOTIATION);
}

TEST_F(TlsTest, ClientsMayHaveToProveThemselves) {
  const TestCertificate known("client");
  const TestCertificate unknown("client");
  TlsOptions options = certificate_.options();
  options.client_ca_file = known.certificate_file();
  const ContextPtr strict = context_of(options);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Pair accepted(strict, {.version = version, .certificate = &known});
    accepted.pass();
    EXPECT_EQ(accepted.server.state(), State::open);
    Pair stranger(strict, {.version = version, .certificate = &unknown});
    stranger.pass();
    EXPECT_EQ(stranger.server.state(), State::failed);
    Pair nobody(strict, {.version = version});
    nobody.pass();
    EXPECT_EQ(nobody.server.state(), State::failed);
  }
}

TEST_F(TlsTest, KnowsWhenTheCertificateExpires) {
  const std::int64_t expected = std::time(nullptr) + TestCertificate::lifetime_s;
  EXPECT_NEAR(static_cast<double>(context_->expires_unix_s()), static_cast<double>(expected), 60);
}

TEST_F(TlsTest, FilesThatCannotBeUsedAreNamed) {
  const TestCertificate other;
  const auto complaint = [](const TlsOptions& options) { return TlsContext::load(options).error(); };
  TlsOptions options = certificate_.options();
  options.certificate_file = "/nowhere/certificate.pem";
  EXPECT_THAT(complaint(options),
              AllOf(HasSubstr("tls.certificate_file \"/nowhere/certificate.pem\""), HasSubstr("No such file")));
  options.certificate_file = "";
  EXPECT_THAT(complaint(options), HasSubstr("tls.certificate_file \"\""));
  options = certificate_.options();
  options.key_file = other.key_file();
  EXPECT_THAT(complaint(options), AllOf(HasSubstr("tls.key_file"), HasSubstr("key values mismatch")));
  options.key_file = certificate_.certificate_file();
  EXPECT_THAT(complaint(options), HasSubstr("tls.key_file"));
  options.key_file = certificate_.encrypted_key_file();  // and nobody is asked for a password
  EXPECT_THAT(complaint(options), HasSubstr("tls.key_file"));
  options = certificate_.options();
  options.client_ca_file = certificate_.key_file();
  EXPECT_THAT(complaint(options), HasSubstr("tls.client_ca_file"));
}

TEST_F(TlsTest, ReloadIsForNewConnections) {
  const TestCertificate files("first");
  TlsCredentials credentials(files.options());
  const auto name = [&] {
    Pair pair(credentials.current());
    pair.pass();
    return pair.client.server_name();
  };
  Pair before(credentials.current());
  before.pass();
  EXPECT_EQ(name(), "first");
  files.make("second");
  EXPECT_EQ(name(), "first");
  EXPECT_TRUE(credentials.reload());
  EXPECT_EQ(name(), "second");
  std::filesystem::resize_file(files.certificate_file(), 100);
  EXPECT_FALSE(credentials.reload());
  EXPECT_EQ(name(), "second");
  before.client_sends("still there");
  before.pass();
  EXPECT_EQ(before.received, "still there");
  EXPECT_THROW(TlsCredentials(files.options()), std::invalid_argument);
}

}  // namespace
}  // namespace carillon::io
