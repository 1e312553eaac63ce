// A real Redis for tests: a process of its own on a free port.
#pragma once

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <tuple>

#include "runtime/testing.hpp"

namespace carillon::runtime::testing {

class RedisServer {
 public:
  static bool installed() {
    for (const char* program : {"/usr/bin/redis-server", "/usr/local/bin/redis-server"})
      if (::access(program, X_OK) == 0) return true;
    return false;
  }

  explicit RedisServer(bool started = true) : port_(io::testing::free_port()) {
    if (started) start();
  }
  ~RedisServer() { kill(); }
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  std::string url() const { return "redis://127.0.0.1:" + std::to_string(port_); }

  void start() {
    // It goes with this thread, should the test die.
    std::string port = std::to_string(port_);
    std::array words{std::string("setpriv"),
                     std::string("--pdeathsig=KILL"),
                     std::string("redis-server"),
                     std::string("--port"),
                     port,
                     std::string("--bind"),
                     std::string("127.0.0.1"),
                     std::string("--save"),
                     std::string(""),
                     std::string("--dir"),
                     std::string("/tmp")};
    std::array<char*, std::tuple_size_v<decltype(words)> + 1> arguments{};
    for (std::size_t i = 0; i < words.size(); ++i) arguments[i] = words[i].data();
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    const int error = ::posix_spawnp(&pid_, "setpriv", &files, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&files);
    if (error != 0) throw std::runtime_error("cannot start redis-server");
    if (!eventually([&] { return answers(); })) throw std::runtime_error("redis-server does not answer");
  }
  // As a crash would.
  void kill() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  // Frozen it keeps its connections, and takes what fits into the system's buffers.
  void freeze() const { ::kill(pid_, SIGSTOP); }
  void thaw() const { ::kill(pid_, SIGCONT); }

 private:
  bool answers() const {
    try {
      BlockingClient client(io::testing::loopback(port_));
      client.send("PING\r\n");
      return client.receive_exactly(5) == "+PONG";
    } catch (const std::runtime_error&) {
      return false;
    }
  }

  std::uint16_t port_;
  pid_t pid_ = 0;
};

}  // namespace carillon::runtime::testing
