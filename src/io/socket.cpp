#include "io/socket.hpp"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace carillon::io {
namespace {

std::expected<std::size_t, int> result_of(ssize_t result) {
  if (result < 0) return std::unexpected(errno == EWOULDBLOCK ? EAGAIN : errno);
  return static_cast<std::size_t>(result);
}

}  // namespace

Socket& Socket::operator=(Socket&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = other.release();
  }
  return *this;
}

int Socket::release() { return std::exchange(fd_, -1); }

void Socket::close() {
  if (fd_ >= 0) ::close(release());
}

std::expected<Socket, int> Socket::dial(const SocketAddress& address) {
  Socket socket(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return std::unexpected(errno);
  socket.set_no_delay();
  if (::connect(socket.fd(), address.raw(), address.size) != 0 && errno != EINPROGRESS) return std::unexpected(errno);
  return socket;
}

int Socket::take_error() const {
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

std::expected<std::size_t, int> Socket::read(std::span<char> buffer) const {
  return result_of(::recv(fd_, buffer.data(), buffer.size(), 0));
}

std::expected<std::size_t, int> Socket::write(std::string_view bytes) const {
  return result_of(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
}

std::expected<std::size_t, int> Socket::write(std::span<const std::string_view> pieces) const {
  std::array<iovec, pieces_max> vectors;
  const std::size_t count = std::min(pieces.size(), pieces_max);
  for (std::size_t i = 0; i < count; ++i) vectors[i] = {const_cast<char*>(pieces[i].data()), pieces[i].size()};
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = count;
  return result_of(::sendmsg(fd_, &message, MSG_NOSIGNAL));
}

void Socket::shutdown_writes() const { ::shutdown(fd_, SHUT_WR); }

std::size_t Socket::untaken_bytes() const {
  int bytes = 0;
  return ioctl(fd_, SIOCOUTQ, &bytes) == 0 && bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
}

void Socket::abandon() const {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

void Socket::set_no_delay() const {
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace carillon::io
