#include "io/tls_session.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

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
  BIO* bio = ssl_ != nullptr ? BIO_new(Bio::method()) : nullptr;
  if (bio == nullptr) {
    SSL_free(ssl_);
    throw std::bad_alloc();
  }
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_, bio, bio);
  SSL_set_accept_state(ssl_);
}

TlsSession::~TlsSession() { SSL_free(ssl_); }

bool TlsSession::resumed() const { return SSL_session_reused(ssl_) == 1; }

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
  const int reason = ERR_GET_REASON(ERR_peek_error());
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
