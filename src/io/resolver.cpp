#include "io/resolver.hpp"

#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace carillon::io {

// Outlives the resolver for as long as a look-up runs; then there is no loop any more.
struct Resolver::Home {
  std::mutex mutex;
  Loop* loop;  // guarded by mutex; null once the resolver is gone
};

Resolver::Resolver(Loop& loop) : home_(std::make_shared<Home>()) { home_->loop = &loop; }

Resolver::~Resolver() {
  const std::lock_guard lock(home_->mutex);
  home_->loop = nullptr;
}

void Resolver::resolve(const std::string& host, std::uint16_t port, Done done) {
  const auto fallback = done;
  try {
    start(host, port, std::move(done));
  } catch (const std::system_error&) {  // no room for another thread: as if the name were unknown, for now
    home_->loop->post([fallback] { fallback({}); });
  }
}

void Resolver::start(const std::string& host, std::uint16_t port, Done done) {
  std::thread([home = home_, host, port, done = std::move(done)]() mutable {
    auto addresses = io::resolve(host, port);
    const std::lock_guard lock(home->mutex);
    if (home->loop == nullptr) return;
    home->loop->post([home, addresses = std::move(addresses), done = std::move(done)]() mutable {
      bool alive = false;
      {
        const std::lock_guard guard(home->mutex);
        alive = home->loop != nullptr;
      }
      if (alive) done(std::move(addresses));
    });
  }).detach();
}

}  // namespace carillon::io
