#include "io/listener.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "io/testing.hpp"

namespace carillon::io {
namespace {

using namespace testing;

// A listener on a loop of its own; what it accepts is kept open.
class Server {
 public:
  explicit Server(std::unique_ptr<Listener> listener) : listener_(std::move(listener)) {
    thread_.run([this] {
      listener_->start(thread_.loop(), [this](Socket socket, const SocketAddress& peer) {
        sockets_.push_back(std::move(socket));
        accepted.add(peer.to_string());
      });
    });
  }
  ~Server() { stop(); }
  void stop() {
    thread_.run([this] { listener_->stop(); });
  }
  void drop_sockets() {
    thread_.run([this] { sockets_.clear(); });
  }

  Log<std::string> accepted;

 private:
  std::unique_ptr<Listener> listener_;
  std::vector<Socket> sockets_;  // the loop's
  LoopThread thread_;
};

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::system_error& error) {
    return error.what();
  }
  return "";
}

TEST(ListenerTest, AcceptsAndTellsThePeersAddress) {
  auto listener = std::make_unique<Listener>(loopback(), false);
  const SocketAddress address = listener->address();
  Server server(std::move(listener));
  const BlockingClient client(address);
  const auto peer = server.accepted.next();
  ASSERT_TRUE(peer);
  EXPECT_TRUE(peer->starts_with("127.0.0.1:")) << *peer;
}

TEST(ListenerTest, PortInUseIsRefusedWithItsAddress) {
  const Listener occupant(loopback(), false);
  const SocketAddress address = occupant.address();
  for (const bool shared : {false, true}) {
    EXPECT_THAT(error_of([&] { const Listener second(address, shared); }),
                ::testing::AllOf(::testing::HasSubstr("cannot listen on " + address.to_string()),
                                 ::testing::HasSubstr("Address already in use")));
  }
}

// SO_REUSEPORT alone would let a second server of the same user take half of the connections.
TEST(ListenerTest, ProbeFindsAPortThatIsSharedByOthers) {
  const Listener occupant(loopback(), true);
  EXPECT_THAT(error_of([&] { Listener::probe(occupant.address()); }), ::testing::HasSubstr("Address already in use"));
  const Listener sibling(occupant.address(), true);  // those who mean to share still can
}

TEST(ListenerTest, ProbeLeavesAFreePortFree) {
  const SocketAddress address = loopback(free_port());
  Listener::probe(address);
  Listener::probe(address);
  const Listener listener(address, false);
  EXPECT_EQ(listener.address().port(), address.port());
  Listener::probe(loopback(0));  // any port is free
}

TEST(ListenerTest, ListenersThatShareAPortShareItsConnections) {
  auto first = std::make_unique<Listener>(loopback(), true);
  const SocketAddress address = first->address();
  Server one(std::move(first));
  Server two(std::make_unique<Listener>(address, true));
  std::vector<BlockingClient> clients;
  // The kernel chooses by a hash of the client's port: a hundred in a row do not fall on one side.
  for (std::size_t i = 1; i <= 100; ++i) {
    clients.emplace_back(address);
    ASSERT_TRUE(eventually([&] { return one.accepted.size() + two.accepted.size() == i; }));
  }
  EXPECT_GT(one.accepted.size(), 0U);
  EXPECT_GT(two.accepted.size(), 0U);
}

TEST(ListenerTest, StopFreesThePort) {
  auto listener = std::make_unique<Listener>(loopback(), false);
  const SocketAddress address = listener->address();
  Server server(std::move(listener));
  server.stop();
  server.stop();
  EXPECT_THROW(const BlockingClient refused(address), std::runtime_error);
  const Listener next(address, false);
}

TEST(ListenerTest, MayBeStoppedByWhatItAccepts) {
  Listener listener(loopback(), false);
  const BlockingClient first(listener.address());
  const BlockingClient second(listener.address());
  LoopThread thread;
  Log<int> accepted;
  thread.run([&] {
    listener.start(thread.loop(), [&](Socket, const SocketAddress&) {
      listener.stop();
      accepted.add(1);
    });
  });
  EXPECT_TRUE(accepted.next());
  thread.run([] {});
  EXPECT_EQ(accepted.size(), 0U);
}

// Takes every file descriptor that the process may still have, for as long as it lives.
class NoFileDescriptors {
 public:
  NoFileDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const int lowest = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::close(lowest);
    const rlimit none{static_cast<rlim_t>(lowest), before_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoFileDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }
  NoFileDescriptors(const NoFileDescriptors&) = delete;
  NoFileDescriptors& operator=(const NoFileDescriptors&) = delete;

 private:
  rlimit before_{};
};

TEST(ListenerTest, OutOfFileDescriptorsNewConnectionsAreClosedAndTheListenerLives) {
  auto listener = std::make_unique<Listener>(loopback(), false);
  const SocketAddress address = listener->address();
  std::vector<BlockingClient> clients;
  for (int i = 0; i < 3; ++i) clients.emplace_back(address);  // in the backlog
  {
    // A server that has no descriptor left: only the spare one, which is above the limit or freed for each refusal.
    LoopThread thread;
    Log<int> accepted;
    const NoFileDescriptors none;
    thread.run([&] { listener->start(thread.loop(), [&](Socket, const SocketAddress&) { accepted.add(1); }); });
    for (BlockingClient& client : clients) EXPECT_TRUE(client.closed());
    EXPECT_EQ(accepted.size(), 0U);
    thread.run([&] { listener->stop(); });
  }
  Server server(std::make_unique<Listener>(address, false));
  const BlockingClient client(address);
  EXPECT_TRUE(server.accepted.next());
}

TEST(ListenerTest, AcceptsAgainWhenThereAreFileDescriptorsAgain) {
  auto listener = std::make_unique<Listener>(loopback(), false);
  const SocketAddress address = listener->address();
  Server server(std::move(listener));
  BlockingClient refused(address);
  EXPECT_TRUE(server.accepted.next());
  {
    // The client's own socket is made first: what the limit allows then is taken by nobody.
    const Socket late(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const NoFileDescriptors none;
    ASSERT_EQ(::connect(late.fd(), address.raw(), address.size), 0);
    char byte = 0;
    EXPECT_LE(::recv(late.fd(), &byte, 1, 0), 0);
  }
  const BlockingClient client(address);
  EXPECT_TRUE(server.accepted.next());
}

}  // namespace
}  // namespace carillon::io
