// A real Redis for tests: a process of its own on a free port.
#pragma once

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "inbox/testing.hpp"
#include "runtime/testing.hpp"

namespace carillon::runtime::testing {

class RedisServer {
 public:
  static bool installed() {
    for (const char* program : {"/usr/bin/redis-server", "/usr/local/bin/redis-server"})
      if (::access(program, X_OK) == 0) return true;
    return false;
  }

  // `flags`: of redis-server, behind those that all have.
  explicit RedisServer(bool started = true, std::vector<std::string> flags = {})
      : port_(io::testing::free_port()), flags_(std::move(flags)) {
    if (started) start();
  }
  ~RedisServer() { kill(); }
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  std::uint16_t port() const { return port_; }
  std::string url() const { return "redis://127.0.0.1:" + std::to_string(port_); }

  void start() {
    // It goes with this thread, should the test die.
    std::vector<std::string> words{"setpriv", "--pdeathsig=KILL", "redis-server", "--port", std::to_string(port_),
                                   "--bind",  "127.0.0.1",        "--save",       "",       "--dir",
                                   "/tmp"};
    words.insert(words.end(), flags_.begin(), flags_.end());
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    const int error = ::posix_spawnp(&pid_, "setpriv", &files, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&files);
    if (error != 0) throw std::runtime_error("cannot start redis-server");
    if (!eventually([&] { return tell("PING", "+PONG"); })) throw std::runtime_error("redis-server does not answer");
  }
  // As a crash would.
  void kill() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  // A command without spaces in its words; what is answered begins so.
  bool tell(const std::string& command, const std::string& answer) const {
    try {
      BlockingClient client(io::testing::loopback(port_));
      client.send(command + "\r\n");
      return client.receive_exactly(answer.size()) == answer;
    } catch (const std::runtime_error&) {
      return false;
    }
  }
  // Frozen it keeps its connections, and takes what fits into the system's buffers.
  void freeze() const { ::kill(pid_, SIGSTOP); }
  void thaw() const { ::kill(pid_, SIGCONT); }

 private:
  std::uint16_t port_;
  std::vector<std::string> flags_;
  pid_t pid_ = 0;
};

// A Redis Cluster of three masters.
class RedisClusterServers {
 public:
  RedisClusterServers() {
    for (int i = 0; i < 3; ++i) {
      const std::uint16_t bus = io::testing::free_port();
      const std::string name = std::to_string(bus);
      servers_.push_back(std::make_unique<RedisServer>(
          true, std::vector<std::string>{"--cluster-enabled", "yes", "--cluster-port", name, "--cluster-config-file",
                                         directory_.file(name + ".conf"), "--dir", directory_.path().string()}));
      const std::string first = std::to_string(i * 5'462);
      const std::string last = std::to_string(i == 2 ? 16'383 : i * 5'462 + 5'461);
      if (!servers_.back()->tell("CLUSTER ADDSLOTSRANGE " + first + " " + last, "+OK"))
        throw std::runtime_error("slots");
      const std::string meet =
          "CLUSTER MEET 127.0.0.1 " + std::to_string(servers_.back()->port()) + " " + std::to_string(bus);
      if (i > 0 && !servers_.front()->tell(meet, "+OK")) throw std::runtime_error("no meeting");
    }
    for (const auto& server : servers_)
      if (!eventually([&] { return is_whole(*server); })) throw std::runtime_error("no cluster");
  }

  std::string url() const {
    std::string url = "redis+cluster://";
    for (const auto& server : servers_)
      url += (server == servers_.front() ? "127.0.0.1:" : ",127.0.0.1:") + std::to_string(server->port());
    return url;
  }

 private:
  static bool is_whole(const RedisServer& server) {
    BlockingClient client(io::testing::loopback(server.port()));
    client.send("CLUSTER INFO\r\n");
    const std::string info = client.receive_until("cluster_current_epoch");  // behind what is looked for
    return info.find("cluster_state:ok") != std::string::npos && info.find("known_nodes:3\r\n") != std::string::npos;
  }

  inbox::TemporaryDirectory directory_;
  std::vector<std::unique_ptr<RedisServer>> servers_;
};

}  // namespace carillon::runtime::testing
