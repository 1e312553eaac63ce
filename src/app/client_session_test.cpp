#include "app/client_session.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "app/websocket_client.hpp"

namespace carillon::app {
namespace {

class ClientSessionTest : public testing::Test, public ClientPort {
 protected:
  void send(std::string_view packet) override { log_.push_back("send " + std::string(packet)); }
  void on_connected(std::string_view socket_id) override { log_.push_back("connected " + std::string(socket_id)); }
  void on_event(std::string_view event, std::string_view args) override {
    log_.push_back(std::string(event) + " " + std::string(args));
  }

  // What came of a message: calls on the port, or how the session ended.
  std::vector<std::string> text(std::string_view message) {
    log_.clear();
    if (const auto alive = session_.on_text(message); !alive) {
      log_.push_back((alive.error().refused ? "refused: " : "lost: ") + alive.error().why);
    }
    return log_;
  }

  using Log = std::vector<std::string>;
  Log log_;
  ClientSession session_{Object{{"userId", "ada"}}, *this};
};

TEST_F(ClientSessionTest, connects_with_its_auth) {
  EXPECT_EQ(text(R"(0{"sid":"x","upgrades":[],"pingInterval":300,"pingTimeout":200,"maxPayload":1000})"),
            Log{R"(send 40{"userId":"ada"})"});
  EXPECT_EQ(session_.silence_max(), Milliseconds(500));
  EXPECT_EQ(text(R"(40{"sid":"abc"})"), Log{"connected abc"});
}

TEST_F(ClientSessionTest, answers_pings) {
  EXPECT_EQ(text("2"), Log{"send 3"});
  EXPECT_EQ(text("2probe"), Log{"send 3probe"});
}

TEST_F(ClientSessionTest, reports_events_on_one_line_and_as_they_were_written) {
  EXPECT_EQ(text(R"(42["news"])"), Log{"news []"});
  EXPECT_EQ(text("42[\"news\",1.50,\n{\"a\":\t\"b\\n\"}]"), Log{R"(news [1.50, {"a": "b\n"}])"});
  EXPECT_EQ(text(R"(42["n\u00e4he",1])"), Log{"nähe [1]"});
}

TEST_F(ClientSessionTest, acknowledges) { EXPECT_EQ(text(R"(4217["news",1])"), (Log{"news [1]", "send 4317[]"})); }

TEST_F(ClientSessionTest, waits_for_attachments) {
  EXPECT_EQ(text(R"(452-["file",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}])"), Log{});
  EXPECT_TRUE(session_.on_binary());
  EXPECT_EQ(log_, Log{});
  EXPECT_TRUE(session_.on_binary());
  EXPECT_EQ(log_, Log{R"(file [{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}])"});
  EXPECT_FALSE(session_.on_binary());
}

TEST_F(ClientSessionTest, ends_when_the_server_refuses) {
  EXPECT_EQ(text(R"(44{"message":"no entry"})"), Log{"refused: no entry"});
  EXPECT_EQ(text("41"), Log{"refused: the server has ended this session"});
}

TEST_F(ClientSessionTest, ends_when_the_server_talks_nonsense) {
  for (const char* message : {"", "9", "0{", "0{}", "4", "49", "42{}", "42[\"a\""}) {
    const auto said = text(message);
    ASSERT_EQ(said.size(), 1U) << message;
    EXPECT_TRUE(said[0].starts_with("lost: ")) << message << ": " << said[0];
  }
}

TEST_F(ClientSessionTest, ends_when_the_server_closes) {
  EXPECT_EQ(text("1"), Log{"lost: the server closed the session"});
}

std::string read_url(std::string_view text) {
  const auto url = parse_server_url(text);
  return url ? url->authority() : "wrong";
}

TEST(ServerUrl, is_http_or_ws) {
  EXPECT_EQ(read_url("http://127.0.0.1:3000"), "127.0.0.1:3000");
  EXPECT_EQ(read_url("ws://[::1]:3000/"), "[::1]:3000");
  EXPECT_EQ(read_url("http://example.com"), "example.com:80");
  EXPECT_EQ(read_url("http://[::1]"), "[::1]:80");
}

TEST(ServerUrl, anything_else_is_refused) {
  for (const char* text : {"", "127.0.0.1:3000", "ftp://x", "http://", "http://:80", "http://x:99999", "http://x/path",
                           "http://u:p@x", "http://x?y"}) {
    EXPECT_EQ(read_url(text), "wrong") << text;
  }
  EXPECT_NE(parse_server_url("https://x").error().find("TLS"), std::string::npos);
}

}  // namespace
}  // namespace carillon::app
