#include "io/unix_socket.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "io/address.hpp"

namespace carillon::io {
namespace {

// Whether the file is a socket that nobody listens on.
bool is_stale(const SocketAddress& address, const std::string& path) {
  struct stat found{};
  if (::lstat(path.c_str(), &found) != 0 || !S_ISSOCK(found.st_mode)) return false;
  const Socket caller(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  return ::connect(caller.fd(), address.raw(), address.size) != 0 && errno == ECONNREFUSED;
}

[[noreturn]] void fail(const std::string& path, int error) {
  throw std::system_error(error, std::generic_category(), "cannot listen on unix:" + path);
}

}  // namespace

UnixSocketFile::UnixSocketFile(const Socket& socket, std::string path, std::optional<mode_t> mode)
    : path_(std::move(path)) {
  const SocketAddress address = unix_address(path_);
  int error = ::bind(socket.fd(), address.raw(), address.size) == 0 ? 0 : errno;
  if (error == EADDRINUSE && is_stale(address, path_)) {
    ::unlink(path_.c_str());
    error = ::bind(socket.fd(), address.raw(), address.size) == 0 ? 0 : errno;
  }
  if (error != 0) fail(path_, error);
  struct stat made{};
  // Nobody can connect before listen(): the file never has another mode for clients.
  if (::lstat(path_.c_str(), &made) != 0 || (mode && ::chmod(path_.c_str(), *mode) != 0)) {
    error = errno;
    ::unlink(path_.c_str());
    fail(path_, error);
  }
  device_ = made.st_dev;
  inode_ = made.st_ino;
}

UnixSocketFile::~UnixSocketFile() {
  struct stat found{};
  if (::lstat(path_.c_str(), &found) == 0 && found.st_dev == device_ && found.st_ino == inode_) ::unlink(path_.c_str());
}

}  // namespace carillon::io
