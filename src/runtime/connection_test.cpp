// A connection speaking HTTP, over real sockets. Its WebSocket side: connection_websocket_test.cpp.
#include "runtime/connection.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "runtime/testing_shard.hpp"

namespace carillon::runtime {
namespace {

using namespace testing;
using ::testing::HasSubstr;

const auto get = [](std::string_view target) { return HttpClient::request("GET", target); };

// Enough for a client that sends at once, on a busy machine.
constexpr Milliseconds short_time{300};

TinyServer::Settings with_limits(ServiceLimits limits) { return {.limits = limits}; }

TEST(ConnectionTest, AnswersOneRequestAfterTheOther) {
  TinyServer server;
  HttpClient client(server.http_address);
  for (const std::string_view target : {"/one", "/two", "/three"}) {
    const Answer answer = client.get(target);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "GET " + std::string(target));
  }
  EXPECT_EQ(client.post("/echo", "body").body, "body");
}

TEST(ConnectionTest, PipelinedRequestsAreAnsweredInOrder) {
  TinyServer server;
  HttpClient client(server.http_address);
  std::string requests;
  for (int i = 0; i < 50; ++i) {
    requests += get("/" + std::to_string(i));
    requests += HttpClient::request("POST", "/echo", "body " + std::to_string(i));
  }
  client.send(requests);
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(client.answer().body, "GET /" + std::to_string(i));
    EXPECT_EQ(client.answer().body, "body " + std::to_string(i));
  }
}

TEST(ConnectionTest, AnswersToHeadHaveNoBodyWhateverTheHandlerSays) {
  TinyServer server;
  HttpClient client(server.http_address);
  client.send(HttpClient::request("HEAD", "/one") + get("/two"));
  EXPECT_THAT(client.receive_until("\r\n\r\n"), ::testing::HasSubstr("Content-Length: 9\r\n"));
  EXPECT_EQ(client.answer().body, "GET /two");
}

TEST(ConnectionTest, RequestMayComeByteByByte) {
  TinyServer server;
  HttpClient client(server.http_address);
  for (const char byte : HttpClient::request("POST", "/echo", "a body") + get("/next"))
    client.send(std::string_view(&byte, 1));
  EXPECT_EQ(client.answer().body, "a body");
  EXPECT_EQ(client.answer().body, "GET /next");
}

TEST(ConnectionTest, ContinueIsSentOnceForABodyThatIsWanted) {
  TinyServer server;
  HttpClient client(server.http_address);
  client.send("POST /echo HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  EXPECT_EQ(client.receive_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("bo");
  client.send("dy");
  EXPECT_EQ(client.answer().body, "body");
}

TEST(ConnectionTest, RefusedBodyIsNotAskedFor) {
  TinyServer server;
  HttpClient client(server.http_address);
  client.send("POST /refuse HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  const Answer answer = client.answer();
  EXPECT_EQ(answer.status, 403);
  EXPECT_THAT(answer.head, HasSubstr("Connection: close"));
  EXPECT_TRUE(client.closed());
}

// The client goes on to send; were the socket just closed, a reset could overtake the answer.
TEST(ConnectionTest, AnswerBeforeTheBodyReachesAClientThatIsStillSending) {
  TinyServer server;
  HttpClient client(server.http_address);
  client.send("POST /refuse HTTP/1.1\r\nHost: t\r\nContent-Length: 900000\r\n\r\n");
  client.send(std::string(800'000, 'x'));
  const Answer answer = client.answer();
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(answer.body, "no");
  EXPECT_TRUE(client.closed());
}

TEST(ConnectionTest, RequestsBehindAnUnansweredOneWait) {
  TinyServer server;
  HttpClient client(server.http_address);
  client.send(get("/later") + get("/first") + get("/second"));
  EXPECT_EQ(server.desk.seen.next(), "GET /later");
  client.send(get("/third"));
  server.run([] {});
  EXPECT_EQ(server.desk.seen.size(), 0U);
  EXPECT_FALSE(client.has_input());
  server.run([&] { server.desk.release("at last"); });
  EXPECT_EQ(client.answer().body, "at last");
  for (const std::string_view target : {"/first", "/second", "/third"})
    EXPECT_EQ(client.answer().body, "GET " + std::string(target));
}

TEST(ConnectionTest, SeveralUnansweredRequestsMayFollowEachOther) {
  TinyServer server;
  HttpClient client(server.http_address);
  client.send(get("/later") + get("/later") + get("/last"));
  for (const std::string_view body : {"one", "two"}) {
    EXPECT_EQ(server.desk.seen.next(), "GET /later");
    server.run([&] { server.desk.release(std::string(body)); });
    EXPECT_EQ(client.answer().body, body);
  }
  EXPECT_EQ(client.answer().body, "GET /last");
}

// The answer to the first request and more of the second come in one turn.
TEST(ConnectionTest, BytesThatComeWithTheAnswerFollowThoseThatCameBefore) {
  TinyServer server;
  HttpClient waiting(server.http_address);
  HttpClient other(server.http_address);
  ASSERT_EQ(other.get("/hello").status, 200);
  const std::string second = get("/second");
  waiting.send(get("/later") + second.substr(0, 7));
  ASSERT_EQ(server.desk.seen.next(), "GET /hello");
  ASSERT_EQ(server.desk.seen.next(), "GET /later");
  {
    const Pause pause(server.shard());
    other.send(get("/release"));
    waiting.send(second.substr(7));
  }
  EXPECT_EQ(waiting.answer().body, "released");
  EXPECT_EQ(waiting.answer().body, "GET /second");
  EXPECT_EQ(other.answer().body, "ok");
}

TEST(ConnectionTest, TooMuchBehindAnUnansweredRequestCutsTheConnection) {
  TinyServer server;
  HttpClient client(server.http_address);
  client.send(get("/later"));
  client.send(std::string(1'000'000, 'x'));
  EXPECT_TRUE(client.closed());
  EXPECT_EQ(server.desk.seen.next(), "GET /later");
  EXPECT_EQ(server.desk.seen.next(), "closed");
  EXPECT_TRUE(server.has_connections(0));
}

TEST(ConnectionTest, ClosesWhenTheClientAsksForIt) {
  TinyServer server;
  for (const std::string_view request :
       {"GET / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n", "GET / HTTP/1.0\r\nHost: t\r\n\r\n"}) {
    HttpClient client(server.http_address);
    client.send(request);
    EXPECT_EQ(client.answer().status, 200);
    EXPECT_TRUE(client.closed());
  }
  EXPECT_TRUE(server.has_connections(0));
}

TEST(ConnectionTest, MalformedAndTooLargeRequestsAreAnsweredAndClosed) {
  ServiceLimits limits;
  limits.parser.header_bytes_max = 1'000;
  limits.parser.body_bytes_max = 1'000;
  TinyServer server(with_limits(limits));
  const auto answer_to = [&](std::string_view request) {
    HttpClient client(server.http_address);
    client.send(request);
    const int status = client.answer().status;
    EXPECT_TRUE(client.closed());
    return status;
  };
  EXPECT_EQ(answer_to("\x16\x03\x01 this is TLS"), 400);
  EXPECT_EQ(answer_to("GET /" + std::string(2'000, 'x') + " HTTP/1.1\r\n\r\n"), 431);
  EXPECT_EQ(answer_to("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 2000\r\n\r\n"), 413);
  EXPECT_EQ(server.desk.seen.size(), 0U);
  EXPECT_EQ(answer_to("POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nFFFF\r\n"), 413);
  EXPECT_EQ(server.desk.seen.next(), "POST /echo");
  EXPECT_EQ(server.desk.seen.next(), "body refused");
  EXPECT_EQ(answer_to("POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n"), 400);
  EXPECT_EQ(server.desk.seen.next(), "POST /echo");
  EXPECT_EQ(server.desk.seen.next(), "closed");
}

TEST(ConnectionTest, StalledHeadIsAnsweredWith408) {
  ServiceLimits limits;
  limits.head_timeout = short_time;
  TinyServer server(with_limits(limits));
  HttpClient client(server.http_address);
  client.send("GET / HTTP/1.1\r\nHo");
  EXPECT_EQ(client.answer().status, 408);
  EXPECT_TRUE(client.closed());
  EXPECT_EQ(server.desk.seen.size(), 0U);
}

TEST(ConnectionTest, StalledBodyIsAnsweredWith408AndTheHandlerForgetsTheRequest) {
  ServiceLimits limits;
  limits.body_timeout = Milliseconds(50);
  TinyServer server(with_limits(limits));
  HttpClient client(server.http_address);
  client.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\nsome");
  EXPECT_EQ(client.answer().status, 408);
  EXPECT_TRUE(client.closed());
  EXPECT_EQ(server.desk.seen.next(), "POST /echo");
  EXPECT_EQ(server.desk.seen.next(), "closed");
}

TEST(ConnectionTest, ConnectionWithoutARequestIsClosedInSilence) {
  ServiceLimits limits;
  limits.head_timeout = limits.idle_timeout = short_time;
  TinyServer server(with_limits(limits));
  HttpClient silent(server.http_address);
  HttpClient idle(server.http_address);
  EXPECT_EQ(idle.get("/").status, 200);
  for (HttpClient* client : {&silent, &idle}) {
    EXPECT_EQ(client->receive_all(), "");
    EXPECT_TRUE(client->ended());
  }
}

TEST(ConnectionTest, UnansweredRequestMayTakeLongerThanItsTimeouts) {
  ServiceLimits limits;
  limits.head_timeout = short_time;
  limits.body_timeout = limits.idle_timeout = limits.close_timeout = Milliseconds(16);
  TinyServer server(with_limits(limits));
  HttpClient silent(server.http_address);
  HttpClient client(server.http_address);
  client.send(get("/later"));
  EXPECT_TRUE(silent.closed());
  silent = HttpClient(server.http_address);
  EXPECT_TRUE(silent.closed());  // time has passed
  server.run([&] { server.desk.release("at last"); });
  EXPECT_EQ(client.answer().body, "at last");
}

TEST(ConnectionTest, EndOfAConnectionTellsTheHandlerOfAPendingRequest) {
  TinyServer server;
  HttpClient client(server.http_address);
  client.send(get("/later"));
  EXPECT_EQ(server.desk.seen.next(), "GET /later");
  client.close();
  EXPECT_EQ(server.desk.seen.next(), "closed");

  HttpClient crashing(server.http_address);
  crashing.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\nsome");
  EXPECT_EQ(server.desk.seen.next(), "POST /echo");
  crashing.reset();
  EXPECT_EQ(server.desk.seen.next(), "closed");
  EXPECT_TRUE(server.has_connections(0));
}

TEST(ConnectionTest, ClientThatHasEndedItsSideStillGetsTheWholeAnswer) {
  TinyServer server;
  HttpClient client(server.http_address);
  client.send(get("/big"));
  client.end_writing();
  const Answer answer = client.answer();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body.size(), Desk::big_bytes);
  EXPECT_TRUE(client.closed());
  EXPECT_TRUE(server.has_connections(0));
}

TEST(ConnectionTest, RequestsAreNotReadFromAClientThatDoesNotReadItsAnswers) {
  TinyServer server;
  HttpClient client(server.http_address);
  client.send(get("/big"));
  EXPECT_EQ(server.desk.seen.next(), "GET /big");
  server.run([] {});
  client.send(get("/next"));
  EXPECT_EQ(HttpClient(server.http_address).get("/other").status, 200);
  EXPECT_EQ(server.desk.seen.next(), "GET /other");
  EXPECT_EQ(client.answer().body.size(), Desk::big_bytes);
  EXPECT_EQ(client.answer().body, "GET /next");
}

// With keep-alive and without, at once and late, with its side of the connection open and ended.
TEST(ConnectionTest, ClientThatNeverReadsItsAnswerIsGivenUp) {
  ServiceLimits limits;
  limits.head_timeout = short_time;
  limits.body_timeout = limits.idle_timeout = limits.close_timeout = Milliseconds(50);
  TinyServer server(with_limits(limits));
  for (const std::string_view headers : {"", "Connection: close\r\n"}) {
    for (const bool ends : {false, true}) {
      HttpClient client(server.http_address);
      client.send(HttpClient::request("GET", "/big", "", headers));
      if (ends) client.end_writing();
      EXPECT_EQ(server.desk.seen.next(), "GET /big");
      EXPECT_TRUE(server.has_connections(0)) << headers << ends;

      HttpClient late(server.http_address);
      HttpClient witness(server.http_address);
      late.send(HttpClient::request("GET", "/later", "", headers));
      EXPECT_EQ(server.desk.seen.next(), "GET /later");
      EXPECT_TRUE(witness.closed());  // the timeouts of the request have passed
      server.run([&] { server.desk.release(std::string(Desk::big_bytes, 'x')); });
      if (ends) late.end_writing();
      EXPECT_TRUE(server.has_connections(0)) << "late " << headers << ends;
    }
  }
}

}  // namespace
}  // namespace carillon::runtime
