// Accepts connections for one loop.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "io/address.hpp"
#include "io/loop.hpp"
#include "io/socket.hpp"
#include "io/unix_socket.hpp"

namespace carillon::io {

// Owned by the loop's thread once started.
class Listener final : public Watcher {
 public:
  using Accepted = std::function<void(Socket, const SocketAddress& peer)>;

  // Binds and listens; throws std::system_error. `shared`: several listeners, one per shard, share the port
  // (SO_REUSEPORT) and the kernel spreads connections over them. "::" takes IPv4 clients, too, whatever the system's
  // default is.
  Listener(const SocketAddress& address, bool shared);
  // A Unix socket. Its port cannot be shared.
  Listener(const std::string& path, std::optional<mode_t> mode);

  // Throws std::system_error if somebody else has the port: with SO_REUSEPORT alone, a second process of the same
  // user would silently share it.
  static void probe(const SocketAddress& address);

  SocketAddress address() const { return local_address(socket_.fd()); }

  void start(Loop& loop, Accepted accepted);
  void stop();  // stops accepting; the port is free, the file gone

  // Out of file descriptors and without a spare one it pauses. The owner calls resume() in each turn, and sees to it
  // that there is one at resume_at().
  TimePoint resume_at() const { return resume_at_; }
  void resume(TimePoint now);

  void on_io(bool readable, bool writable) override;

 private:
  void refuse_one();
  void pause();

  Socket socket_;
  std::unique_ptr<UnixSocketFile> file_;
  Socket spare_;  // a file descriptor to give up for closing a connection when there are no others
  TimePoint resume_at_ = never;
  bool told_ = false;
  Loop* loop_ = nullptr;
  Accepted accepted_;
};

}  // namespace carillon::io
