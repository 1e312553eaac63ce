#include "api/emit_request.hpp"

#include <gtest/gtest.h>

namespace carillon::api {
namespace {

EmitRequest parsed(std::string_view body) {
  auto request = parse_emit_request(body);
  EXPECT_TRUE(request) << body << ": " << request.error().message;
  return request ? std::move(*request) : EmitRequest();
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

TEST(EmitRequest, needs_only_an_event) {
  const EmitRequest request = parsed(R"({"event":"hello"})");
  EXPECT_EQ(request.event, "hello");
  EXPECT_EQ(request.name_space, "/");
  EXPECT_TRUE(request.rooms.empty());
  EXPECT_TRUE(request.except.empty());
  EXPECT_EQ(request.args.text(), "");
  EXPECT_FALSE(request.is_volatile);
}

TEST(EmitRequest, takes_every_field) {
  const EmitRequest request = parsed(
      R"( {"namespace":"/orders","rooms":["a","\u00e4"],"except":[],"event":"e\n","args":[ 1, {"x": [2]} ],"volatile":true} )");
  EXPECT_EQ(request.name_space, "/orders");
  EXPECT_EQ(request.rooms, (std::vector<std::string>{"a", "ä"}));
  EXPECT_EQ(request.event, "e\n");
  EXPECT_EQ(request.args.text(), R"(1, {"x": [2]})");
  EXPECT_TRUE(request.is_volatile);
}

TEST(EmitRequest, arguments_outlive_the_body) {
  EmitRequest request;
  {
    const std::string body = R"({"event":"e","args":["long enough to be outside of any small buffer"]})";
    request = parsed(body);
  }
  EXPECT_EQ(*request.args[0].as_string(), "long enough to be outside of any small buffer");
}

TEST(EmitRequest, limits_are_inclusive) {
  parsed(R"({"event":")" + std::string(event_bytes_max, 'e') + "\"}");
  parsed(R"({"event":"e","args":[")" + std::string(args_bytes_max - 4, 'a') + "\"]}");
  parsed(R"({"event":"e","rooms":["r")" + repeated(R"(,"r")", rooms_max - 1) + "]}");
}

struct Refusal {
  std::string body;
  int status;
  std::string code;
  std::string message;  // part of it
};

TEST(EmitRequest, acknowledgements_are_waited_for_as_long_as_it_says) {
  EXPECT_EQ(parse_emit_request(R"({"event":"e"})")->ack_timeout, Milliseconds(0));
  EXPECT_EQ(parse_emit_request(R"({"event":"e","ack_timeout_ms":1})")->ack_timeout, Milliseconds(1));
  EXPECT_EQ(parse_emit_request(R"({"event":"e","ack_timeout_ms":300000})")->ack_timeout, Milliseconds(300'000));
}

TEST(EmitRequest, everything_else_is_refused_with_the_field_and_what_was_expected) {
  const std::vector<Refusal> refusals = {
      {"", 400, "invalid_body", "not JSON: unexpected end"},
      {"{", 400, "invalid_body", "not JSON"},
      {R"({"event":"e"} x)", 400, "invalid_body", "at byte 14"},
      {"{\"event\":\"\xff\"}", 400, "invalid_body", "UTF-8"},
      {R"({"event":"e","args":)" + std::string(10'000, '[') + std::string(10'000, ']') + "}", 400, "invalid_body",
       "nested too deeply"},
      {"[]", 400, "invalid_body", "the body: expected a JSON object, got an array"},
      {"null", 400, "invalid_body", "got null"},
      {"{}", 400, "invalid_body", "event: the field is missing"},
      {R"({"event":1})", 400, "invalid_body", "event: expected a name of 1 to 128 bytes, got a number"},
      {R"({"event":""})", 400, "invalid_body", "event: expected a name of 1 to 128 bytes, got 0 bytes"},
      {R"({"event":")" + std::string(129, 'e') + "\"}", 400, "invalid_body", "got 129 bytes"},
      {R"({"event":"disconnect"})", 400, "invalid_body", "event: \"disconnect\" is a name that Socket.IO keeps"},
      {R"({"event":"connect_error"})", 400, "invalid_body", "connect_error"},
      {R"({"event":"e","event":"f"})", 400, "invalid_body", "event: the field is given twice"},
      {R"({"event":"e","romos":["r"]})", 400, "invalid_body",
       "romos: there is no such field; expected namespace, rooms"},
      {R"({"event":"e","rooms":"r"})", 400, "invalid_body", "rooms: expected an array of strings, got a string"},
      {R"({"event":"e","rooms":["r",1]})", 400, "invalid_body", "rooms[1]: expected a string, got a number"},
      {R"({"event":"e","rooms":[""]})", 400, "invalid_body", "rooms[0]: a room's name cannot be empty"},
      {R"({"event":"e","rooms":[]})", 400, "invalid_body", "rooms: expected at least one room"},
      {R"({"event":"e","rooms":null})", 400, "invalid_body", "rooms: expected an array of strings, got null"},
      {R"({"event":"e","except":{}})", 400, "invalid_body", "except: expected an array of strings, got an object"},
      {R"({"event":"e","rooms":["r")" + repeated(R"(,"r")", rooms_max) + "]}", 400, "invalid_body",
       "rooms: expected at most 10000 rooms, got 10001"},
      {R"({"event":"e","except":["r")" + repeated(R"(,"r")", rooms_max) + "]}", 400, "invalid_body",
       "except: expected at most"},
      {R"({"event":"e","namespace":7})", 400, "invalid_body", "namespace: expected a namespace"},
      {R"({"event":"e","namespace":""})", 400, "invalid_body", "namespace: expected a text that begins with \"/\""},
      {R"({"event":"e","namespace":"orders"})", 400, "invalid_body", "begins with \"/\""},
      {R"({"event":"e","namespace":"/a,b"})", 400, "invalid_body", "namespace: a comma"},
      {R"({"event":"e","args":{}})", 400, "invalid_body", "args: expected an array, got an object"},
      {R"({"event":"e","args":[")" + std::string(args_bytes_max - 3, 'a') + "\"]}", 413, "too_large",
       "args: expected at most 65536 bytes, got 65537"},
      {R"({"event":"e","volatile":1})", 400, "invalid_body", "volatile: expected true or false, got a number"},
      {R"({"event":"e","ack_timeout_ms":"1"})", 400, "invalid_body",
       "ack_timeout_ms: expected a whole number from 1 to 300000, got a string"},
      {R"({"event":"e","ack_timeout_ms":0})", 400, "invalid_body", "got 0"},
      {R"({"event":"e","ack_timeout_ms":-5})", 400, "invalid_body", "got -5"},
      {R"({"event":"e","ack_timeout_ms":1.5})", 400, "invalid_body", "got 1.5"},
      {R"({"event":"e","ack_timeout_ms":300001})", 400, "invalid_body", "got 300001"},
  };
  for (const auto& [body, status, code, message] : refusals) {
    const auto request = parse_emit_request(body);
    ASSERT_FALSE(request) << body.substr(0, 100);
    EXPECT_EQ(request.error().status, status) << body.substr(0, 100);
    EXPECT_EQ(request.error().code, code) << body.substr(0, 100);
    EXPECT_NE(request.error().message.find(message), std::string::npos) << request.error().message;
  }
}

}  // namespace
}  // namespace carillon::api
