// What the event loop itself costs: an echo server of small messages on our own loop and on Boost.Asio, one after the
// other, with the same clients. Prints CPU time of the server's thread per message and memory per idle connection.
// The result and what follows from it: docs/decisions/0003-own-event-loop.md.
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio.hpp>

#include "io/listener.hpp"
#include "io/loop.hpp"
#include "io/socket.hpp"

namespace {

using namespace carillon;

constexpr int message_bytes = 32;

double thread_cpu_us() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

std::size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t pages = 0;
  std::size_t resident = 0;
  file >> pages >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

// --- our loop ---

class OwnServer final : public io::LoopHooks {
 public:
  OwnServer() : listener_(io::resolve("127.0.0.1", 0).front(), false) {
    listener_.start(loop_, [this](io::Socket socket, const io::SocketAddress&) {
      connections_.push_back(std::make_unique<Connection>(*this, std::move(socket)));
    });
  }
  std::uint16_t port() const { return listener_.address().port(); }
  void run() { loop_.run(*this); }
  void stop() { loop_.stop(); }

 private:
  struct Connection final : io::Watcher {
    Connection(OwnServer& own, io::Socket accepted) : server(own), socket(std::move(accepted)) {
      own.loop_.watch(socket.fd(), *this);
    }
    void on_io(bool, bool) override {
      const auto count = socket.read(server.buffer_);
      if (!count) return;
      if (*count == 0) return server.loop_.unwatch(socket.fd(), *this);
      if (!socket.write(std::string_view(server.buffer_.data(), *count))) std::abort();
    }
    OwnServer& server;
    io::Socket socket;
  };
  void on_turn_begin(TimePoint) override {}
  void on_turn_end(TimePoint) override {}
  TimePoint next_deadline() const override { return never; }

  io::Loop loop_;
  io::Listener listener_;
  std::array<char, 65536> buffer_{};
  std::vector<std::unique_ptr<Connection>> connections_;
};

// --- Boost.Asio, with the buffer shared as well: wait for readiness, then read ---

class AsioServer {
 public:
  AsioServer() : acceptor_(context_, {boost::asio::ip::address_v4::loopback(), 0}) { accept(); }
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  void run() { context_.run(); }
  void stop() { context_.stop(); }

 private:
  using Tcp = boost::asio::ip::tcp;
  struct Connection {
    explicit Connection(AsioServer& own, Tcp::socket accepted) : server(own), socket(std::move(accepted)) {
      socket.non_blocking(true);
      socket.set_option(Tcp::no_delay(true));
      wait();
    }
    void wait() {
      socket.async_wait(Tcp::socket::wait_read, [this](const boost::system::error_code& error) {
        if (error) return;
        boost::system::error_code failed;
        const std::size_t count = socket.read_some(boost::asio::buffer(server.buffer_), failed);
        if (failed) return;
        socket.write_some(boost::asio::buffer(server.buffer_.data(), count), failed);
        wait();
      });
    }
    AsioServer& server;
    Tcp::socket socket;
  };
  void accept() {
    acceptor_.async_accept([this](const boost::system::error_code& error, Tcp::socket socket) {
      if (error) return;
      connections_.push_back(std::make_unique<Connection>(*this, std::move(socket)));
      accept();
    });
  }

  boost::asio::io_context context_{1};
  Tcp::acceptor acceptor_;
  std::array<char, 65536> buffer_{};
  std::vector<std::unique_ptr<Connection>> connections_;
};

// --- the clients: each has one message on its way ---

void echo(std::vector<io::Socket>& clients, int rounds) {
  std::array<char, message_bytes> message{};
  for (int round = 0; round < rounds; ++round) {
    for (io::Socket& client : clients)
      if (!client.write(std::string_view(message.data(), message.size()))) std::abort();
    for (io::Socket& client : clients) {
      std::size_t got = 0;
      while (got < message.size()) {
        const auto count = client.read(message);
        if (count) got += *count;
      }
    }
  }
}

template <class Server>
void measure(const char* name, int connections, int rounds) {
  const std::size_t memory_before = resident_bytes();
  Server server;
  std::atomic<double> cpu_us{0};
  std::thread thread([&] {
    const double before = thread_cpu_us();
    server.run();
    cpu_us = thread_cpu_us() - before;
  });
  std::vector<io::Socket> clients;
  for (int i = 0; i < connections; ++i)
    clients.push_back(std::move(*io::Socket::dial(io::resolve("127.0.0.1", server.port()).front())));
  echo(clients, 1);
  const std::size_t memory = resident_bytes() - memory_before;
  echo(clients, rounds);
  server.stop();
  thread.join();
  std::cout << name << ": " << cpu_us / static_cast<double>(connections) / rounds << " us of CPU per echo, "
            << memory / static_cast<std::size_t>(connections) << " B resident per connection\n";
}

}  // namespace

int main(int argc, char** argv) {
  const int connections = argc > 1 ? std::atoi(argv[1]) : 1000;
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 300;
  for (int run = 0; run < 3; ++run) {
    measure<OwnServer>("own loop", connections, rounds);
    measure<AsioServer>("asio    ", connections, rounds);
  }
}
