#include "io/listener.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "base/log.hpp"

namespace carillon::io {
namespace {

constexpr int backlog = 4096;
constexpr Milliseconds pause_time{100};
constexpr int unsent_bytes_max = 128 * 1024;  // that the system keeps for one connection, beyond what is under way
constexpr int accepts_per_turn = 64;          // others on the loop get their turn during a storm of connections

[[noreturn]] void fail(const SocketAddress& address) {
  throw std::system_error(errno, std::generic_category(), "cannot listen on " + address.to_string());
}

Socket new_socket(const SocketAddress& address) {
  Socket socket(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) fail(address);
  return socket;
}

Socket bound_socket(const SocketAddress& address, bool shared) {
  Socket socket = new_socket(address);
  const int on = 1;
  const int off = 0;
  if (address.family() == AF_INET6) setsockopt(socket.fd(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  setsockopt(socket.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (shared) setsockopt(socket.fd(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  // Accepted sockets inherit it. What a client does not take waits with us, where it is counted and shared.
  setsockopt(socket.fd(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_bytes_max, sizeof unsent_bytes_max);
  if (::bind(socket.fd(), address.raw(), address.size) != 0) fail(address);
  return socket;
}

Socket spare_descriptor() { return Socket(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

}  // namespace

Listener::Listener(const SocketAddress& address, bool shared)
    : socket_(bound_socket(address, shared)), spare_(spare_descriptor()) {
  if (::listen(socket_.fd(), backlog) != 0) fail(address);
}

Listener::Listener(const std::string& path, std::optional<mode_t> mode)
    : socket_(new_socket(unix_address(path))),
      file_(std::make_unique<UnixSocketFile>(socket_, path, mode)),
      spare_(spare_descriptor()) {
  if (::listen(socket_.fd(), backlog) != 0) fail(unix_address(path));
}

void Listener::probe(const SocketAddress& address) {
  if (address.port() == 0) return;
  const Socket socket = bound_socket(address, false);
  if (::listen(socket.fd(), 1) != 0) fail(address);
}

void Listener::start(Loop& loop, Accepted accepted) {
  loop_ = &loop;
  accepted_ = std::move(accepted);
  loop.watch(socket_.fd(), *this);
}

void Listener::stop() {
  if (loop_ == nullptr || !socket_.is_open()) return;
  loop_->unwatch(socket_.fd(), *this);
  socket_.close();
  file_.reset();
}

// Out of file descriptors: without this the connection would stay in the backlog and wake the loop without end.
void Listener::refuse_one() {
  spare_.close();
  Socket(::accept4(socket_.fd(), nullptr, nullptr, SOCK_CLOEXEC)).close();
  spare_ = spare_descriptor();
  if (!spare_.is_open()) pause();  // another thread was faster
  if (!std::exchange(told_, true))
    log_error("out of file descriptors: new connections are closed; raise the limit (ulimit -n)");
}

void Listener::pause() {
  resume_at_ = loop_->now() + pause_time;
  loop_->change(socket_.fd(), *this, false, false);
}

void Listener::resume(TimePoint now) {
  if (now < resume_at_) return;
  resume_at_ = never;
  if (!socket_.is_open()) return;
  if (!spare_.is_open()) spare_ = spare_descriptor();
  loop_->change(socket_.fd(), *this, true, false);
}

void Listener::on_io(bool, bool) {
  for (int i = 0; i < accepts_per_turn && socket_.is_open(); ++i) {
    SocketAddress peer;
    peer.size = sizeof peer.storage;
    const int fd =
        ::accept4(socket_.fd(), reinterpret_cast<sockaddr*>(&peer.storage), &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EMFILE || errno == ENFILE) {
        refuse_one();
      } else if (errno == ENOBUFS || errno == ENOMEM) {
        pause();
      }
      return;
    }
    Socket socket(fd);
    if (file_ == nullptr) socket.set_no_delay();
    accepted_(std::move(socket), peer);
  }
}

}  // namespace carillon::io
