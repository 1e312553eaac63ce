#include "io/tls_session.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <new>
#include <utility>

namespace carillon::io {

// Instead of OpenSSL's memory BIOs: these hold nothing between calls, so that an idle connection costs no buffer.
struct TlsSession::Bio {
  static TlsSession& session(BIO* bio) { return *static_cast<TlsSession*>(BIO_get_data(bio)); }

  static int read(BIO* bio, char* buffer, int size) {
    BIO_clear_retry_flags(bio);
    std::string_view& input = session(bio).input_;
    if (input.empty()) {
      BIO_set_retry_read(bio);
      return -1;
    }
    const std::size_t count = input.copy(buffer, static_cast<std::size_t>(std::max(size, 0)));
    input.remove_prefix(count);
    return static_cast<int>(count);
  }
  static int write(BIO* bio, const char* bytes, int size) {
    std::string* output = session(bio).output_;
    if (output == nullptr || size <= 0) return -1;
    output->append(bytes, static_cast<std::size_t>(size));
    return size;
  }
  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static const BIO_METHOD* method() {
    static const BIO_METHOD* const made = [] {
      BIO_METHOD* fresh = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "carillon");
      BIO_meth_set_read(fresh, read);
      BIO_meth_set_write(fresh, write);
      BIO_meth_set_ctrl(fresh, control);
      return fresh;
    }();
    return made;
  }
};

TlsSession::TlsSession(const TlsContext& context) : ssl_(SSL_new(context.raw())) {
  connect();
  SSL_set_accept_state(ssl_);
}

TlsSession::TlsSession(const TlsContext& context, const std::string& server_name) : ssl_(SSL_new(context.raw())) {
  connect();
  SSL_set_connect_state(ssl_);
  // An IP address is looked for among those of the certificate, and is no name to ask for.
  if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_), server_name.c_str()) == 1) return;
  ERR_clear_error();
  SSL_set_hostflags(ssl_, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  SSL_set1_host(ssl_, server_name.c_str());
  // SSL_set_tlsext_host_name() without its cast.
  SSL_ctrl(ssl_, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, const_cast<char*>(server_name.c_str()));
}

// OpenSSL to the buffers.
void TlsSession::connect() {
  BIO* bio = ssl_ != nullptr ? BIO_new(Bio::method()) : nullptr;
  if (bio == nullptr) {
    SSL_free(ssl_);
    throw std::bad_alloc();
  }
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_, bio, bio);
}

TlsSession::~TlsSession() { SSL_free(ssl_); }

bool TlsSession::resumed() const { return SSL_session_reused(ssl_) == 1; }

void TlsSession::begin(std::string& out) {
  output_ = &out;
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_);
  if (result != 1 && SSL_get_error(ssl_, result) != SSL_ERROR_WANT_READ) fail();
  output_ = nullptr;
}

std::size_t TlsSession::receive(std::string_view ciphertext, std::span<char> plaintext, std::string& out) {
  std::size_t total = 0;
  input_ = ciphertext;
  output_ = &out;
  while (state_ == State::handshaking || state_ == State::open) {
    ERR_clear_error();
    std::size_t count = 0;
    const int result = SSL_read_ex(ssl_, plaintext.data() + total, plaintext.size() - total, &count);
    if (state_ == State::handshaking && SSL_is_init_finished(ssl_) == 1) state_ = State::open;
    if (result == 1) {
      total += count;
      continue;
    }
    const int error = SSL_get_error(ssl_, result);
    if (error == SSL_ERROR_WANT_READ) break;
    if (error == SSL_ERROR_ZERO_RETURN) {
      state_ = State::ended;
    } else {
      fail();
    }
  }
  input_ = {};
  output_ = nullptr;
  return total;
}

void TlsSession::fail() {
  const unsigned long error = ERR_peek_error();
  const int reason = ERR_GET_REASON(error);
  const long verified = SSL_get_verify_result(ssl_);
  const char* const text = ERR_reason_error_string(error);
  if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED && verified != X509_V_OK) {
    reason_ = X509_verify_cert_error_string(verified);
  } else {
    reason_ = text != nullptr ? text : "the connection ended in the middle";
  }
  if (reason == SSL_R_HTTP_REQUEST || reason == SSL_R_HTTPS_PROXY_REQUEST) failure_ = Failure::plain_http;
  state_ = State::failed;
  ERR_clear_error();
}

bool TlsSession::send(std::string_view plaintext, std::string& out) {
  if (state_ != State::open || plaintext.empty()) return state_ == State::open;
  output_ = &out;
  ERR_clear_error();
  std::size_t written = 0;
  const int result = SSL_write_ex(ssl_, plaintext.data(), std::min(plaintext.size(), record_bytes_max), &written);
  output_ = nullptr;
  if (result != 1) fail();
  return result == 1;
}

void TlsSession::end(std::string& out) {
  if (state_ != State::open) return;
  output_ = &out;
  ERR_clear_error();
  SSL_shutdown(ssl_);
  ERR_clear_error();
  output_ = nullptr;
}

}  // namespace carillon::io
