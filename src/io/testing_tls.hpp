// For tests: certificates, and the client's side of TLS over a blocking socket.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include <carillon/tls_options.hpp>

namespace carillon::io::testing {

// A self-signed certificate and its key, as files for as long as this lives.
class TestCertificate {
 public:
  explicit TestCertificate(const std::string& name = "localhost") {
    std::string pattern = "/tmp/carillon-tls-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    make(name);
  }
  ~TestCertificate() { std::filesystem::remove_all(folder_); }
  TestCertificate(const TestCertificate&) = delete;
  TestCertificate& operator=(const TestCertificate&) = delete;

  // A new certificate and key take the place of the old ones.
  void make(const std::string& name) const {
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), X509_free);
    X509_set_version(certificate.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), lifetime_s);
    X509_NAME* subject = X509_get_subject_name(certificate.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(name.c_str()), -1,
                               -1, 0);
    X509_set_issuer_name(certificate.get(), subject);
    X509_set_pubkey(certificate.get(), key.get());
    X509_sign(certificate.get(), key.get(), EVP_sha256());
    write(certificate_file(), [&](FILE* file) { PEM_write_X509(file, certificate.get()); });
    write(key_file(),
          [&](FILE* file) { PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
    write(encrypted_key_file(), [&](FILE* file) {
      PEM_write_PrivateKey(file, key.get(), EVP_aes_128_cbc(), nullptr, 0, nullptr, const_cast<char*>("secret"));
    });
  }

  static constexpr long lifetime_s = 1'000'000;
  std::string certificate_file() const { return folder_ + "/certificate.pem"; }
  std::string key_file() const { return folder_ + "/key.pem"; }
  std::string encrypted_key_file() const { return folder_ + "/encrypted.pem"; }
  TlsOptions options() const { return {.certificate_file = certificate_file(), .key_file = key_file()}; }

 private:
  template <class Write>
  static void write(const std::string& path, Write write_to) {
    FILE* file = std::fopen(path.c_str(), "w");
    if (file == nullptr) throw std::runtime_error("cannot write " + path);
    write_to(file);
    std::fclose(file);
  }

  std::string folder_;
};

struct TlsClientOptions {
  int version = 0;                  // TLS1_2_VERSION: exactly that; 0: any
  std::string_view protocols = {};  // for ALPN, each with its length before it
  const TestCertificate* certificate = nullptr;
  SSL_SESSION* resume = nullptr;
};

// The client's SSL object, not connected to anything yet. It believes every certificate.
class TlsClientEnd {
 public:
  explicit TlsClientEnd(const TlsClientOptions& options = {}) {
    SSL_CTX* context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT);
    SSL_CTX_set_min_proto_version(context, options.version);
    SSL_CTX_set_max_proto_version(context, options.version);
    if (options.certificate != nullptr) {
      SSL_CTX_use_certificate_chain_file(context, options.certificate->certificate_file().c_str());
      SSL_CTX_use_PrivateKey_file(context, options.certificate->key_file().c_str(), SSL_FILETYPE_PEM);
    }
    ssl_ = SSL_new(context);
    SSL_CTX_free(context);
    if (!options.protocols.empty())
      SSL_set_alpn_protos(ssl_, reinterpret_cast<const unsigned char*>(options.protocols.data()),
                          static_cast<unsigned>(options.protocols.size()));
    if (options.resume != nullptr) SSL_set_session(ssl_, options.resume);
    SSL_set_connect_state(ssl_);
  }
  ~TlsClientEnd() { SSL_free(ssl_); }
  TlsClientEnd(const TlsClientEnd&) = delete;
  TlsClientEnd& operator=(const TlsClientEnd&) = delete;

  SSL* raw() const { return ssl_; }

  // The common name of the server's certificate.
  std::string server_name() const {
    X509* certificate = SSL_get1_peer_certificate(ssl_);
    if (certificate == nullptr) return "";
    char name[256] = {};
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof name);
    X509_free(certificate);
    return name;
  }

 private:
  SSL* ssl_ = nullptr;
};

}  // namespace carillon::io::testing
