#include "io/tls_context.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

namespace carillon::io {
namespace {

// TLS 1.2; those of 1.3 are all fine.
constexpr const char* ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr std::array<unsigned char, 8> http_1_1{'h', 't', 't', 'p', '/', '1', '.', '1'};

int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size, const unsigned char* offered,
                    unsigned size, void*) {
  for (unsigned at = 0; at < size && at + offered[at] < size; at += 1U + offered[at]) {
    const std::string_view name(reinterpret_cast<const char*>(offered) + at + 1, offered[at]);
    if (!std::ranges::equal(name, http_1_1)) continue;
    *chosen = offered + at + 1;
    *chosen_size = offered[at];
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

// OpenSSL would ask for it on the terminal.
int no_password(char*, int, int, void*) { return 0; }

// The first error is the cause, later ones say who was concerned.
std::string openssl_reason() {
  const unsigned long error = ERR_peek_error();
  ERR_clear_error();
  if (ERR_SYSTEM_ERROR(error)) return std::generic_category().message(ERR_GET_REASON(error));
  const char* reason = ERR_reason_error_string(error);
  return reason != nullptr ? reason : "unknown error";
}

Failure<std::string> refuse(std::string_view setting, const std::string& file) {
  return Failure(std::string(setting) + " \"" + file + "\" cannot be used: " + openssl_reason());
}

// For both sides.
void set_common_rules(SSL_CTX* context, bool only_1_3) {
  SSL_CTX_set_min_proto_version(context, only_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context, ciphers);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // Most connections are idle most of the time: no buffers then.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // tickets are kept by the clients
  SSL_CTX_set_default_passwd_cb(context, no_password);
}

void set_server_rules(SSL_CTX* context) {
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  static constexpr std::string_view name = "carillon";
  SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>(name.data()), name.size());
}

std::int64_t expiry_of(SSL_CTX* context) {
  std::tm date{};
  const X509* certificate = SSL_CTX_get0_certificate(context);
  if (certificate == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &date) != 1) return 0;
  return timegm(&date);
}

}  // namespace

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

Result<std::shared_ptr<const TlsContext>, std::string> TlsContext::load(const TlsOptions& options) {
  SSL_CTX* raw = SSL_CTX_new(TLS_server_method());
  if (raw == nullptr) return Failure("TLS cannot be used: " + openssl_reason());
  std::shared_ptr<TlsContext> context(new TlsContext(raw));
  ERR_clear_error();
  set_common_rules(raw, options.min_version == "1.3");
  set_server_rules(raw);
  if (SSL_CTX_use_certificate_chain_file(raw, options.certificate_file.c_str()) != 1)
    return refuse("tls.certificate_file", options.certificate_file);
  if (SSL_CTX_use_PrivateKey_file(raw, options.key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(raw) != 1)
    return refuse("tls.key_file", options.key_file);
  if (!options.client_ca_file.empty()) {
    const char* file = options.client_ca_file.c_str();
    if (SSL_CTX_load_verify_file(raw, file) != 1) return refuse("tls.client_ca_file", options.client_ca_file);
    SSL_CTX_set_client_CA_list(raw, SSL_load_client_CA_file(file));
    SSL_CTX_set_verify(raw, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  context->expires_unix_s_ = expiry_of(raw);
  return context;
}

Result<std::shared_ptr<const TlsContext>, std::string> TlsContext::load(const TlsDialOptions& options) {
  SSL_CTX* raw = SSL_CTX_new(TLS_client_method());
  if (raw == nullptr) return Failure("TLS cannot be used: " + openssl_reason());
  std::shared_ptr<TlsContext> context(new TlsContext(raw));
  ERR_clear_error();
  set_common_rules(raw, false);
  if (!options.certificate_file.empty()) {
    if (SSL_CTX_use_certificate_chain_file(raw, options.certificate_file.c_str()) != 1)
      return refuse("the certificate file", options.certificate_file);
    if (SSL_CTX_use_PrivateKey_file(raw, options.key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(raw) != 1)
      return refuse("the key file", options.key_file);
  }
  if (!options.ca_file.empty()) {
    if (SSL_CTX_load_verify_file(raw, options.ca_file.c_str()) != 1) return refuse("the CA file", options.ca_file);
  } else {
    SSL_CTX_set_default_verify_paths(raw);
  }
  SSL_CTX_set_verify(raw, options.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  return context;
}

TlsCredentials::TlsCredentials(TlsOptions options) : options_(std::move(options)) {
  if (const auto loaded = reload(); !loaded) throw std::invalid_argument(loaded.error());
}

std::shared_ptr<const TlsContext> TlsCredentials::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

Result<void, std::string> TlsCredentials::reload() {
  auto loaded = TlsContext::load(options_);
  if (!loaded) return Failure(loaded.error());
  const std::lock_guard lock(mutex_);
  current_ = std::move(*loaded);
  return {};
}

}  // namespace carillon::io
