// The file of a listening Unix socket.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "io/socket.hpp"

namespace carillon::io {

// Owned by its listener, and as long there as that.
class UnixSocketFile {
 public:
  // Binds to the path; throws std::system_error. A file that was left by a process which has died is replaced, a socket
  // on which somebody listens is not, nor anything else. `mode`: of the file; none: as the umask has it.
  UnixSocketFile(const Socket& socket, std::string path, std::optional<mode_t> mode);
  ~UnixSocketFile();  // removes the file, unless it is another one by now
  UnixSocketFile(const UnixSocketFile&) = delete;
  UnixSocketFile& operator=(const UnixSocketFile&) = delete;

 private:
  std::string path_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace carillon::io
