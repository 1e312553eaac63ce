// Looks up host names without holding up the loop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "io/address.hpp"
#include "io/loop.hpp"

namespace carillon::io {

// Owned by the loop's thread. Each look-up blocks a thread of its own; one that is still running when the resolver is
// destroyed is abandoned.
class Resolver {
 public:
  using Done = std::function<void(std::vector<SocketAddress>)>;

  explicit Resolver(Loop& loop);
  ~Resolver();

  // `done` runs on the loop, later; with nothing if the name is unknown.
  void resolve(const std::string& host, std::uint16_t port, Done done);

 private:
  struct Home;
  void start(const std::string& host, std::uint16_t port, Done done);

  std::shared_ptr<Home> home_;
};

}  // namespace carillon::io
