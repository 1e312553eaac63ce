#include "runtime/client_files.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace carillon::runtime {
namespace {

constexpr std::array carried{admin::PageFile{"/socket.io.js", "", "", "carried"},
                             admin::PageFile{"/socket.io.min.js", "", "", "carried, too"}};

class ClientFilesTest : public ::testing::Test {
 protected:
  ClientFilesTest() {
    std::string name = ::testing::TempDir() + "client-files-XXXXXX";
    folder = ::mkdtemp(name.data());
  }
  ~ClientFilesTest() override { std::filesystem::remove_all(folder); }
  void write(const std::string& name, const std::string& content) const {
    std::ofstream(folder + "/" + name) << content;
  }
  static http::Response get(const http::StaticFiles& files, std::string_view name) {
    http::Request request;
    request.method = "GET";
    return files.answer(name, request).value_or(http::Response{0});
  }

  std::string folder;
};

TEST_F(ClientFilesTest, TheFolderGoesBeforeWhatTheProgramCarries) {
  write("socket.io.js", "from the folder");
  write("socket.io.js.map", "{}");
  write("passwords.txt", "secret");
  const auto files = load_client_files(folder, carried);
  EXPECT_EQ(get(*files, "socket.io.js").body, "from the folder");
  EXPECT_EQ(get(*files, "socket.io.min.js").body, "carried, too");
  const http::Response map = get(*files, "socket.io.js.map");
  EXPECT_EQ(http::find_header(map.headers, "content-type"), "application/json; charset=utf-8");
  EXPECT_EQ(http::find_header(get(*files, "socket.io.js").headers, "content-type"),
            "application/javascript; charset=utf-8");
  EXPECT_EQ(get(*files, "passwords.txt").status, 0) << "only the client's files are served";
}

TEST_F(ClientFilesTest, WhatIsMissingIsExplained) {
  EXPECT_EQ(get(*load_client_files("", {}), "socket.io.js").status, 404);
  EXPECT_NE(get(*load_client_files("", {}), "socket.io.js").body.find("set client_files_dir"), std::string::npos);
  EXPECT_NE(get(*load_client_files(folder, {}), "socket.io.esm.min.js").body.find(folder), std::string::npos);
}

TEST_F(ClientFilesTest, AFolderThatIsNoneIsRefused) {
  EXPECT_THROW(load_client_files(folder + "/nowhere", carried), std::invalid_argument);
  EXPECT_THROW(load_client_files("/dev/null", carried), std::invalid_argument);
}

}  // namespace
}  // namespace carillon::runtime
