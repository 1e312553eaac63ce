// Certificates, key and rules of TLS, shared by connections.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include <carillon/tls_options.hpp>

#include "base/result.hpp"

struct ssl_ctx_st;

namespace carillon::io {

// Of connections that we make.
struct TlsDialOptions {
  std::string ca_file = {};           // PEM: who signs servers' certificates; empty: those that the system trusts
  std::string certificate_file = {};  // PEM: our certificate; empty: none
  std::string key_file = {};          // PEM: its key, not encrypted
  bool verify = true;                 // false: any certificate and any name will do
};

// Immutable, shared. TLS 1.2 and 1.3, forward secrecy and authenticated encryption only, no renegotiation, no
// compression, ALPN "http/1.1", resumption by tickets whose keys live as long as this.
class TlsContext {
 public:
  // Reads the files. The error is a sentence.
  static Result<std::shared_ptr<const TlsContext>, std::string> load(const TlsOptions& options);
  // For the client's side; nothing about ALPN and tickets.
  static Result<std::shared_ptr<const TlsContext>, std::string> load(const TlsDialOptions& options);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  ssl_ctx_st* raw() const { return context_; }
  std::int64_t expires_unix_s() const { return expires_unix_s_; }  // the server's certificate

 private:
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}

  ssl_ctx_st* context_;
  std::int64_t expires_unix_s_ = 0;
};

// The context that new connections get. Any thread.
class TlsCredentials {
 public:
  // Reads the files; throws std::invalid_argument with a sentence.
  explicit TlsCredentials(TlsOptions options);

  std::shared_ptr<const TlsContext> current() const;
  // Reads the files again. The error is a sentence, and everything stays as it is.
  Result<void, std::string> reload();

 private:
  TlsOptions options_;
  mutable std::mutex mutex_;
  std::shared_ptr<const TlsContext> current_;  // guarded by mutex_
};

}  // namespace carillon::io
