#include "runtime/reception.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "base/log.hpp"
#include "io/listen.hpp"
#include "runtime/shard.hpp"

namespace carillon::runtime {
namespace {

io::Endpoint endpoint_of(const std::string& listen) {
  auto endpoint = io::parse_endpoint(listen);
  if (!endpoint)
    throw std::invalid_argument("'" + listen +
                                "' is no address to listen on: expected HOST:PORT, https://HOST:PORT or unix:PATH");
  return std::move(*endpoint);
}

http::TrustedProxies parse_proxies(const std::vector<std::string>& texts) {
  auto proxies = http::TrustedProxies::parse(texts);
  if (!proxies)
    throw std::invalid_argument("'" + proxies.error() +
                                "' is no trusted proxy: expected an address, a network such as 10.0.0.0/8, or unix");
  return std::move(*proxies);
}

// Of the first listener only.
void tell(const io::Endpoint& endpoint, const io::Listener& listener, std::string& address, std::string& url) {
  const std::string bound = listener.address().to_string();
  if (address.empty()) address = bound;
  if (url.empty() && !endpoint.is_unix()) url = (endpoint.tls ? "https://" : "http://") + bound;
}

}  // namespace

Reception::Reception(const ServerOptions& options, const std::optional<std::string>& api_listen)
    : proxies_(parse_proxies(options.trusted_proxies)) {
  clients_.push_back(endpoint_of(options.listen));
  for (const std::string& listen : options.more_listeners) clients_.push_back(endpoint_of(listen));
  if (api_listen) api_ = endpoint_of(*api_listen);
  const bool wants_tls = std::ranges::any_of(clients_, &io::Endpoint::tls) || (api_ && api_->tls);
  if (wants_tls) tls_ = std::make_unique<io::TlsCredentials>(options.tls);
}

Entrance Reception::entrance_of(const io::Endpoint& endpoint) const {
  return {endpoint.proxy_protocol, endpoint.tls ? tls_.get() : nullptr};
}

void Reception::bind_clients(const std::vector<std::unique_ptr<Shard>>& shards) {
  for (const io::Endpoint& endpoint : clients_) {
    const auto spread = endpoint.is_unix() ? Shard::Spread::yes : Shard::Spread::no;
    for (io::ListenerGroup& group : io::listen_at(endpoint, shards.size())) {
      tell(endpoint, *group.front(), client_address_, client_url_);
      for (std::size_t i = 0; i < group.size(); ++i)
        shards[i]->listen(std::move(group[i]), shards[i]->client_service(), entrance_of(endpoint), spread);
    }
  }
}

void Reception::bind_api(Shard& shard, Service& service) {
  for (io::ListenerGroup& group : io::listen_at(*api_, 1)) {
    tell(*api_, *group.front(), api_address_, api_url_);
    shard.listen(std::move(group.front()), service, entrance_of(*api_));
  }
}

bool Reception::reload_certificates() {
  const std::lock_guard lock(reload_);
  if (tls_ == nullptr) {
    log_info("There is nothing to reload: no listener has TLS.");
    return true;
  }
  const auto loaded = tls_->reload();
  (loaded ? tls_reloads_ : tls_reloads_failed_).add();
  if (loaded) {
    log_info("The certificate has been read again: new connections get it.");
  } else {
    log_error(loaded.error() + ". The certificate and key that were read before stay in use.");
  }
  return loaded.has_value();
}

}  // namespace carillon::runtime
