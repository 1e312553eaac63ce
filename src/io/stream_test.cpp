// Streams, plain and with TLS, over real sockets.
#include "io/stream.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "io/listener.hpp"
#include "io/testing.hpp"

namespace carillon::io {
namespace {

using testing::BlockingClient;
using testing::TestCertificate;

// Both ends of a TCP connection; the server's is a stream.
class StreamTest : public ::testing::TestWithParam<bool> {
 protected:
  StreamTest() {
    const Socket listening(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const SocketAddress any = testing::loopback();
    EXPECT_EQ(::bind(listening.fd(), any.raw(), any.size), 0);
    EXPECT_EQ(::listen(listening.fd(), 1), 0);
    client_ = std::make_unique<BlockingClient>(local_address(listening.fd()), 4096);
    stream_ = Stream(Socket(::accept4(listening.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)));
    if (!GetParam()) return;
    stream_.start_tls(*credentials_.current(), {});
    const std::jthread connecting([&] { client_->start_tls(); });
    while (stream_.tls()->state() == TlsSession::State::handshaking) {
      wait(POLLIN);
      EXPECT_EQ(read(), "");
    }
  }

  void wait(short event) const {
    pollfd file{stream_.fd(), event, 0};
    EXPECT_EQ(::poll(&file, 1, 20'000), 1);
  }
  std::string read() {
    const auto count = stream_.read(buffer_);
    EXPECT_TRUE(count || count.error() == EAGAIN);
    return {buffer_.data(), count.value_or(0)};
  }
  // All of it, waiting for the client; gives how often that was necessary.
  int write_all(std::string_view bytes) {
    int waits = 0;
    while (!bytes.empty() || stream_.has_unsent()) {
      const auto count = bytes.empty() ? std::expected<std::size_t, int>(0) : stream_.write(bytes);
      if (count) bytes.remove_prefix(*count);
      const int error = count ? stream_.flush() : count.error();
      if (error == 0) continue;
      EXPECT_EQ(error, EAGAIN);
      if (error != EAGAIN) return -1;
      ++waits;
      wait(POLLOUT);
    }
    return waits;
  }

  TestCertificate certificate_;
  TlsCredentials credentials_{certificate_.options()};
  std::unique_ptr<BlockingClient> client_;
  Stream stream_;
  std::vector<char> buffer_ = std::vector<char>(64 * 1024);
};

TEST_P(StreamTest, ReadsWhatTheClientSends) {
  EXPECT_EQ(read(), "");
  std::string sent;
  for (int i = 0; i < 50'000; ++i) sent += std::to_string(i) + " ";
  const std::jthread sending([&] { client_->send(sent); });
  std::string got;
  while (got.size() < sent.size()) {
    wait(POLLIN);
    got += read();
  }
  EXPECT_EQ(got, sent);
}

TEST_P(StreamTest, WritesAsFarAsTheClientReads) {
  std::string sent;
  for (int i = 0; i < 500'000; ++i) sent += std::to_string(i) + " ";
  std::string got;
  {
    const std::jthread reading([&] { got = client_->receive_exactly(sent.size()); });
    EXPECT_GE(write_all(sent), 0);
  }
  EXPECT_EQ(got, sent);
}

TEST_P(StreamTest, JoinsSmallPieces) {
  const std::vector<std::string_view> pieces{"one ", "two ", "three"};
  EXPECT_EQ(stream_.write(pieces), 13U);
  EXPECT_EQ(client_->receive_exactly(13), "one two three");
}

TEST_P(StreamTest, MovesWithWhatItHolds) {
  const std::string sent(3'000'000, 'x');
  std::size_t taken = 0;
  for (auto count = stream_.write(sent); count; count = stream_.write(std::string_view(sent).substr(taken)))
    taken += *count;
  EXPECT_EQ(stream_.has_unsent(), GetParam());
  std::string got;
  {
    const std::jthread reading([&] { got = client_->receive_exactly(sent.size()); });
    std::jthread other([&, moved = std::move(stream_)]() mutable {
      stream_ = std::move(moved);
      write_all(std::string_view(sent).substr(taken));
    });
  }
  EXPECT_EQ(got.size(), sent.size());
  client_->send("and back");
  wait(POLLIN);
  EXPECT_EQ(read(), "and back");
}

TEST_P(StreamTest, EndOfWritingReachesTheClient) {
  write_all("last words");
  stream_.end_writing();
  EXPECT_EQ(client_->receive_all(), "last words");
  EXPECT_TRUE(client_->ended());
}

TEST_P(StreamTest, EndOfTheClient) {
  client_->send("last words");
  client_->close();
  wait(POLLIN);
  EXPECT_EQ(read(), "last words");
  wait(POLLIN);
  const auto end = stream_.read(buffer_);
  EXPECT_TRUE(end == 0U || !end);
}

TEST_P(StreamTest, ClientThatHasGoneIsAnError) {
  client_->reset();
  wait(POLLIN);
  std::expected<std::size_t, int> written = 0;
  while (written) written = stream_.write("hello");
  EXPECT_TRUE(written.error() == EPIPE || written.error() == ECONNRESET) << written.error();
}

INSTANTIATE_TEST_SUITE_P(PlainAndTls, StreamTest, ::testing::Bool(),
                         [](const auto& test) { return test.param ? "tls" : "plain"; });

}  // namespace
}  // namespace carillon::io
