// Listening on Unix sockets.
#include "io/unix_socket.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <system_error>

#include "io/listener.hpp"
#include "io/testing.hpp"

namespace carillon::io {
namespace {

using testing::BlockingClient;
using ::testing::HasSubstr;

class UnixSocketTest : public ::testing::Test {
 protected:
  UnixSocketTest() {
    std::string pattern = "/tmp/carillon-test-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    path_ = folder_ + "/socket";
  }
  ~UnixSocketTest() override { std::filesystem::remove_all(folder_); }

  std::string refusal() const {
    try {
      const Listener listener(path_, std::nullopt);
    } catch (const std::system_error& error) {
      return error.what();
    }
    return "";
  }
  // As a process leaves it that is killed.
  void leave_stale_file() const {
    const Socket socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const SocketAddress address = unix_address(path_);
    ASSERT_EQ(::bind(socket.fd(), address.raw(), address.size), 0);
  }

  std::string folder_;
  std::string path_;
};

TEST_F(UnixSocketTest, IsThereAsLongAsItsListener) {
  auto listener = std::make_unique<Listener>(path_, std::nullopt);
  EXPECT_EQ(listener->address().to_string(), "unix:" + path_);
  const BlockingClient client(unix_address(path_));
  listener.reset();
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(UnixSocketTest, IsGoneWhenTheListenerHasStopped) {
  testing::LoopThread thread;
  Listener listener(path_, std::nullopt);
  thread.run([&] {
    listener.start(thread.loop(), [](Socket, const SocketAddress&) {});
    listener.stop();
  });
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(UnixSocketTest, PeersHaveNoAddress) {
  testing::LoopThread thread;
  Listener listener(path_, std::nullopt);
  testing::Log<bool> none;
  thread.run([&] {
    listener.start(thread.loop(), [&](Socket, const SocketAddress& peer) { none.add(peer.ip().is_none()); });
  });
  const BlockingClient client(unix_address(path_));
  EXPECT_EQ(none.next(), true);
  thread.run([&] { listener.stop(); });
}

TEST_F(UnixSocketTest, HasThePermissionsThatAreAskedFor) {
  for (const mode_t mode : {0600U, 0666U, 0770U}) {
    const Listener listener(path_, mode);
    struct stat file{};
    ASSERT_EQ(::stat(path_.c_str(), &file), 0);
    EXPECT_EQ(file.st_mode & 0777U, mode);
  }
}

TEST_F(UnixSocketTest, FileOfAProcessThatHasDiedIsReplaced) {
  leave_stale_file();
  const Listener listener(path_, std::nullopt);
  const BlockingClient client(unix_address(path_));
}

TEST_F(UnixSocketTest, SocketInUseIsRefused) {
  const Listener occupant(path_, std::nullopt);
  EXPECT_THAT(refusal(), ::testing::AllOf(HasSubstr("cannot listen on unix:" + path_), HasSubstr("already in use")));
  const BlockingClient client(unix_address(path_));
}

TEST_F(UnixSocketTest, OtherFilesAreNotTouched) {
  std::ofstream(path_) << "precious";
  EXPECT_THAT(refusal(), HasSubstr("already in use"));
  EXPECT_EQ(std::filesystem::file_size(path_), 8U);
  path_ = folder_ + "/nowhere/socket";
  EXPECT_THAT(refusal(), HasSubstr("No such file"));
}

TEST_F(UnixSocketTest, FileOfASuccessorStays) {
  auto listener = std::make_unique<Listener>(path_, std::nullopt);
  std::filesystem::remove(path_);
  const Listener successor(path_, std::nullopt);
  listener.reset();
  const BlockingClient client(unix_address(path_));
}

}  // namespace
}  // namespace carillon::io
