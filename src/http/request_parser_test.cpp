#include "http/request_parser.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <optional>
#include <ostream>
#include <random>
#include <string>
#include <vector>

namespace carillon::http {
namespace {

struct Seen {
  std::string method;
  std::string target;
  std::string body;
  bool keep_alive = true;
  friend bool operator==(const Seen&, const Seen&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Seen& seen) {
    return out << "{" << seen.method << " " << seen.target << " body '" << seen.body.substr(0, 60) << "' of "
               << seen.body.size() << (seen.keep_alive ? ", keep-alive}" : ", close}");
  }
};

struct Outcome {
  std::vector<Seen> requests;
  std::optional<ParseError> error = std::nullopt;
  friend bool operator==(const Outcome&, const Outcome&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
    for (const Seen& seen : outcome.requests) out << seen << " ";
    return outcome.error ? out << "error " << status_of(*outcome.error) : out;
  }
};

// Every piece lies in memory of its own, so that the sanitizer sees whoever reads beyond it.
Outcome parse(const std::vector<std::string_view>& pieces, ParserLimits limits) {
  RequestParser parser(limits);
  Outcome outcome;
  for (const std::string_view piece : pieces) {
    const std::unique_ptr<char[]> copy(new char[piece.size()]);
    if (!piece.empty()) std::memcpy(copy.get(), piece.data(), piece.size());
    std::string_view rest(copy.get(), piece.size());
    while (!rest.empty()) {
      const auto used = parser.feed(rest);
      if (!used) {
        outcome.error = used.error();
        EXPECT_EQ(parser.feed(rest), Failure(used.error())) << "an error stays";
        return outcome;
      }
      EXPECT_GT(*used, 0U);
      EXPECT_LE(*used, rest.size());
      if (*used == 0 || *used > rest.size()) return outcome;
      rest.remove_prefix(*used);
      if (!parser.complete()) continue;
      const Request& request = parser.request();
      outcome.requests.push_back({request.method, request.target, std::string(parser.body()), request.keep_alive});
      parser.next();
    }
  }
  return outcome;
}

void expect_outcome(std::string_view bytes, const Outcome& expected, ParserLimits limits = {}) {
  EXPECT_EQ(parse({bytes}, limits), expected);
  std::vector<std::string_view> single;
  for (std::size_t i = 0; i < bytes.size(); ++i) single.push_back(bytes.substr(i, 1));
  EXPECT_EQ(parse(single, limits), expected) << "byte by byte";
  const std::size_t step = bytes.size() < 1000 ? 1 : 997;
  for (std::size_t cut = 0; cut <= bytes.size(); cut += cut < 40 || cut + 40 > bytes.size() ? 1 : step)
    ASSERT_EQ(parse({bytes.substr(0, cut), bytes.substr(cut)}, limits), expected) << "cut at " << cut;
}

void expect_error(std::string_view bytes, ParseError error, ParserLimits limits = {}) {
  SCOPED_TRACE(std::string(bytes.substr(0, 200)));
  expect_outcome(bytes, {{}, error}, limits);
}

TEST(RequestParser, one_request) {
  expect_outcome("GET /socket.io/?EIO=4 HTTP/1.1\r\nHost: a\r\n\r\n", {{{"GET", "/socket.io/?EIO=4", "", true}}});
  expect_outcome("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", {{{"POST", "/", "hello", true}}});
  expect_outcome("GET / HTTP/1.1\r\n\r\n", {{{"GET", "/", "", true}}});
  expect_outcome("PURGE /x HTTP/1.1\r\n\r\n", {{{"PURGE", "/x", "", true}}});
}

TEST(RequestParser, incomplete_requests_are_waited_for) {
  expect_outcome("GET / HTTP/1.1\r\nHost: a\r\n", {});
  expect_outcome("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhell", {});
  expect_outcome("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", {});
}

TEST(RequestParser, pipelined_requests) {
  expect_outcome(
      "POST /1 HTTP/1.1\r\nContent-Length: 3\r\n\r\none"
      "GET /2 HTTP/1.1\r\n\r\n"
      "POST /3 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
      "POST /4 HTTP/1.1\r\nContent-Length: 0\r\n\r\n"
      "GET /5 HTTP/1.0\r\n\r\n",
      {{{"POST", "/1", "one", true},
        {"GET", "/2", "", true},
        {"POST", "/3", "abc", true},
        {"POST", "/4", "", true},
        {"GET", "/5", "", false}}});
}

TEST(RequestParser, empty_lines_before_a_request_are_ignored) {
  expect_outcome("\r\nGET / HTTP/1.1\r\n\r\n\r\n\r\nGET /2 HTTP/1.1\r\n\r\n",
                 {{{"GET", "/", "", true}, {"GET", "/2", "", true}}});
}

TEST(RequestParser, headers_and_obsolete_folding) {
  RequestParser parser({});
  ASSERT_TRUE(
      parser.feed("GET / HTTP/1.1\r\nHost:a\r\nX-A: \t one \r\nX-A: two\r\nfolded: b\r\n  c\r\nEmpty:\r\n\r\n"));
  const std::vector<Header> expected{{"Host", "a"}, {"X-A", "one"}, {"X-A", "two"}, {"folded", "b c"}, {"Empty", ""}};
  EXPECT_EQ(parser.request().headers, expected);
}

TEST(RequestParser, absolute_form_and_bytes_beyond_ascii) {
  RequestParser parser({});
  ASSERT_TRUE(parser.feed("GET http://host/p\xc3\xbc?a=%zz&a=%41 HTTP/1.1\r\n\r\n"));
  EXPECT_EQ(parser.request().path(), "/p\xc3\xbc");
  EXPECT_EQ(parser.request().parameter("a"), "A");
}

// What the caller sees between the bytes

TEST(RequestParserSteps, stops_at_the_end_of_the_head) {
  const std::string_view head = "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n";
  RequestParser parser({});
  EXPECT_FALSE(parser.started());
  EXPECT_EQ(parser.feed(std::string(head) + "helloGET"), head.size());
  EXPECT_TRUE(parser.started());
  EXPECT_TRUE(parser.head_complete());
  EXPECT_FALSE(parser.complete());
  EXPECT_EQ(parser.request().method, "POST");
  EXPECT_EQ(parser.feed("hel"), 3U);
  EXPECT_FALSE(parser.complete());
  EXPECT_EQ(parser.feed("loGET"), 2U);
  EXPECT_TRUE(parser.complete());
  EXPECT_EQ(parser.body(), "hello");
  EXPECT_EQ(parser.feed("GET"), 0U);
  parser.next();
  EXPECT_FALSE(parser.started());
  EXPECT_FALSE(parser.head_complete());
  EXPECT_EQ(parser.body(), "");
  EXPECT_EQ(parser.request().method, "");
}

TEST(RequestParserSteps, bytes_after_an_upgrade_are_left_alone) {
  const std::string_view head = "GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
  RequestParser parser({});
  EXPECT_EQ(parser.feed(std::string(head) + "\x81\x85"), head.size());
  EXPECT_TRUE(parser.complete());
  EXPECT_TRUE(parser.request().wants_websocket());
}

TEST(RequestParserSteps, starts_with_the_first_byte_that_is_no_empty_line) {
  RequestParser parser({});
  EXPECT_EQ(parser.feed(""), 0U);
  EXPECT_EQ(parser.feed("\r\n"), 2U);
  EXPECT_FALSE(parser.started());
  EXPECT_EQ(parser.feed("\r\nG"), 3U);
  EXPECT_TRUE(parser.started());
  EXPECT_FALSE(parser.head_complete());
}

TEST(RequestParserSteps, expects_continue_until_the_body_comes) {
  RequestParser parser({});
  ASSERT_TRUE(parser.feed("POST / HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n"));
  EXPECT_FALSE(parser.expects_continue());
  ASSERT_TRUE(parser.feed("\r\n"));
  EXPECT_TRUE(parser.expects_continue());
  ASSERT_TRUE(parser.feed("a"));
  EXPECT_FALSE(parser.expects_continue());
}

TEST(RequestParserSteps, nobody_waits_for_continue_without_a_body_or_in_http_1_0) {
  for (const char* head : {"GET / HTTP/1.1\r\nExpect: 100-continue\r\n\r\n",
                           "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n",
                           "POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\n"}) {
    RequestParser parser({});
    ASSERT_TRUE(parser.feed(head));
    EXPECT_FALSE(parser.expects_continue()) << head;
  }
}

TEST(RequestParserSteps, a_request_with_too_large_a_body_can_be_read) {
  RequestParser parser({.body_bytes_max = 10});
  EXPECT_EQ(parser.feed("POST /x HTTP/1.1\r\nOrigin: a\r\nContent-Length: 11\r\n\r\n"),
            Failure(ParseError::body_too_large));
  EXPECT_TRUE(parser.head_complete());
  EXPECT_FALSE(parser.complete());
  EXPECT_FALSE(parser.expects_continue());
  EXPECT_EQ(parser.request().header("origin"), "a");
}

// Connection

TEST(RequestParserKeepAlive, by_version_and_header) {
  const auto keeps = [](std::string_view version, std::string_view header) {
    RequestParser parser({});
    EXPECT_TRUE(parser.feed("GET / HTTP/" + std::string(version) + "\r\n" + std::string(header) + "\r\n"));
    return parser.request().keep_alive;
  };
  EXPECT_TRUE(keeps("1.1", ""));
  EXPECT_TRUE(keeps("1.1", "Connection: keep-alive\r\n"));
  EXPECT_FALSE(keeps("1.1", "Connection: close\r\n"));
  EXPECT_FALSE(keeps("1.1", "Connection: foo, CLOSE\r\n"));
  EXPECT_FALSE(keeps("1.1", "Connection: foo\r\nConnection: close\r\n"));
  EXPECT_FALSE(keeps("1.0", ""));
  EXPECT_TRUE(keeps("1.0", "Connection: Keep-Alive\r\n"));
  EXPECT_FALSE(keeps("1.0", "Connection: close\r\n"));
}

// Chunks

std::string chunked(std::string_view chunks) {
  return "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(chunks);
}

TEST(RequestParserChunks, make_one_body) {
  expect_outcome(chunked("5\r\nhello\r\n1\r\n \r\nA\r\n0123456789\r\n0\r\n\r\n"),
                 {{{"POST", "/", "hello 0123456789", true}}});
  expect_outcome(chunked("0\r\n\r\n"), {{{"POST", "/", "", true}}});
  expect_outcome(chunked("00a;name=value;quoted=\"a b\"\r\n0123456789\r\n000\r\n\r\n"),
                 {{{"POST", "/", "0123456789", true}}});
  expect_outcome("POST / HTTP/1.1\r\ntransfer-encoding:  CHUNKED \r\n\r\n1\r\nx\r\n0\r\n\r\n",
                 {{{"POST", "/", "x", true}}});
}

TEST(RequestParserChunks, trailers_are_thrown_away) {
  const std::string bytes = chunked("1\r\nx\r\n0\r\nX-Checksum: 1\r\nConnection: close\r\n\r\n");
  expect_outcome(bytes + "GET /2 HTTP/1.1\r\n\r\n", {{{"POST", "/", "x", true}, {"GET", "/2", "", true}}});
  RequestParser parser({});
  const std::size_t head = parser.feed(bytes).value();
  ASSERT_TRUE(parser.feed(std::string_view(bytes).substr(head)));
  ASSERT_TRUE(parser.complete());
  EXPECT_EQ(parser.request().headers.size(), 1U);
}

TEST(RequestParserChunks, malformed_ones) {
  for (const char* chunks :
       {"x\r\n", "5\nhello\r\n0\r\n\r\n", "-1\r\nx\r\n", "1\r\nxy\r\n0\r\n\r\n", "1 2\r\nx\r\n0\r\n\r\n", "\r\n\r\n",
        "0x1\r\nx\r\n0\r\n\r\n", "1\r\nx\n\n0\r\n\r\n", "10000000000000000\r\nx\r\n", "0\r\nbad trailer\r\n\r\n",
        "0\r\nContent-Length: 1\r\n\r\n", "0\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    SCOPED_TRACE(chunks);
    const std::string bytes = chunked(chunks);
    EXPECT_EQ(parse({bytes}, {}), (Outcome{{}, ParseError::malformed}));
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut)
      ASSERT_EQ(parse({std::string_view(bytes).substr(0, cut), std::string_view(bytes).substr(cut)}, {}),
                (Outcome{{}, ParseError::malformed}))
          << cut;
  }
}

// Beast took the end of this one for more of the quoted text, and waited, if the next bytes had come already.
TEST(RequestParserChunks, extension_ends_with_its_line) {
  const std::string bytes = chunked("1;a=\"b\r\nx\r\n2;c=\"d\"\r\nyz\r\n0\r\n\r\n");
  expect_outcome(bytes, {{{"POST", "/", "xyz", true}}});
  // As the fuzzer found it: a bare line feed in such a text.
  expect_error(chunked("5;x=y;~=\"b\xdc\x87 ST\nhel"), ParseError::malformed, {.header_bytes_max = 128});
}

TEST(RequestParserChunks, sum_is_limited) {
  const ParserLimits limits{.body_bytes_max = 10};
  expect_outcome(chunked("6\r\n012345\r\n4\r\n6789\r\n0\r\n\r\n"), {{{"POST", "/", "0123456789", true}}}, limits);
  expect_error(chunked("6\r\n012345\r\n5\r\n6789a\r\n0\r\n\r\n"), ParseError::body_too_large, limits);
  expect_error(chunked("b\r\n"), ParseError::body_too_large, limits);
  expect_error(chunked("ffffffffffffffff\r\n"), ParseError::body_too_large, limits);
}

TEST(RequestParserChunks, headers_of_chunks_and_trailers_are_limited) {
  const ParserLimits limits{.header_bytes_max = 100};
  EXPECT_TRUE(parse({chunked("1;a=" + std::string(40, 'x') + "\r\nx\r\n0\r\n\r\n")}, limits).requests.size() == 1);
  expect_error(chunked("1;a=" + std::string(200, 'x')), ParseError::header_too_large, limits);
  expect_error(chunked("0\r\nA: " + std::string(200, 'x')), ParseError::header_too_large, limits);
  // Also where they come in one piece.
  expect_error(chunked("1;a=" + std::string(200, 'x') + "\r\nx\r\n0\r\n\r\n"), ParseError::header_too_large, limits);
  expect_error(chunked("0\r\nA: " + std::string(200, 'x') + "\r\n\r\n"), ParseError::header_too_large, limits);
}

// Framing

TEST(RequestParserFraming, length_and_encoding_together_are_malformed) {
  expect_error("POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", ParseError::malformed);
  expect_error("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", ParseError::malformed);
  expect_error("POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\nContent-Length: 5\r\n\r\n", ParseError::malformed);
  expect_error("POST / HTTP/1.1\r\nContent-Length: 0\r\ntransfer-encoding: identity\r\n\r\n", ParseError::malformed);
}

TEST(RequestParserFraming, encodings_other_than_chunked_are_unsupported) {
  for (const char* encoding : {"gzip", "gzip, chunked", "chunked, gzip", "identity", "xchunked", "chunked;q=1", ""})
    expect_error("POST / HTTP/1.1\r\nTransfer-Encoding: " + std::string(encoding) + "\r\n\r\n",
                 ParseError::unsupported);
  expect_error("POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n",
               ParseError::unsupported);
  expect_error("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
               ParseError::malformed);
  expect_error("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", ParseError::malformed);
}

TEST(RequestParserFraming, content_length_is_one_number) {
  for (const char* length : {"", "-1", "+1", "1x", "0x1", "1 2", "1, 2", "18446744073709551616", "1.0"})
    expect_error("POST / HTTP/1.1\r\nContent-Length: " + std::string(length) + "\r\n\r\n", ParseError::malformed);
  expect_error("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", ParseError::malformed);
  expect_outcome("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na", {{{"POST", "/", "a", true}}});
  expect_error("POST / HTTP/1.1\r\nContent-Length: 18446744073709551615\r\n\r\n", ParseError::body_too_large);
}

TEST(RequestParserFraming, there_is_one_host_at_most) {
  expect_error("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", ParseError::malformed);
  expect_error("GET / HTTP/1.0\r\nhost: a\r\nX: y\r\nHOST: b\r\n\r\n", ParseError::malformed);
  expect_outcome("GET / HTTP/1.1\r\nX: y\r\n\r\n", {{{"GET", "/", "", true}}});
}

TEST(RequestParserFraming, body_limit_at_exactly_and_one_above) {
  const ParserLimits limits{.body_bytes_max = 5};
  expect_outcome("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", {{{"POST", "/", "hello", true}}}, limits);
  expect_error("POST / HTTP/1.1\r\nContent-Length: 6\r\n\r\nhello!", ParseError::body_too_large, limits);
  const std::string large(1'000'000, 'x');
  EXPECT_EQ(parse({"POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n" + large}, {}),
            (Outcome{{{"POST", "/", large, true}}}));
}

// Heads

TEST(RequestParserHead, malformed_lines) {
  for (const char* head : {"GET\r\n\r\n",
                           "GET /\r\n\r\n",
                           "GET  / HTTP/1.1\r\n\r\n",
                           "GET /  HTTP/1.1\r\n\r\n",
                           "GET / HTTP/1.1 \r\n\r\n",
                           "GET / http/1.1\r\n\r\n",
                           "GET / HTTP/2.0\r\n\r\n",
                           "GET / HTTP/0.9\r\n\r\n",
                           "GET / HTTP/1.12\r\n\r\n",
                           "G\x01T / HTTP/1.1\r\n\r\n",
                           "G(T / HTTP/1.1\r\n\r\n",
                           "GET /\x01 HTTP/1.1\r\n\r\n",
                           "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                           "\x16\x03\x01\x02",
                           " GET / HTTP/1.1\r\n\r\n",
                           "GET / HTTP/1.1\n\n",
                           "GET / HTTP/1.1\r\nA: b\n\r\n",
                           "GET / HTTP/1.1\r\nno colon\r\n\r\n",
                           "GET / HTTP/1.1\r\n: b\r\n\r\n",
                           "GET / HTTP/1.1\r\nA : b\r\n\r\n",
                           "GET / HTTP/1.1\r\n A: b\r\n\r\n",
                           "GET / HTTP/1.1\r\nA: b\x01\r\n\r\n",
                           "GET / HTTP/1.1\r\nA: b\rc\r\n\r\n",
                           "GET / HTTP/1.1\r\nA b: c\r\n\r\n"})
    expect_error(head, ParseError::malformed);
  expect_error(std::string_view("GET / HTTP/1.1\r\nA: b\0\r\n\r\n", 25), ParseError::malformed);
  expect_error(std::string_view("GET /\0 HTTP/1.1\r\n\r\n", 20), ParseError::malformed);
}

TEST(RequestParserHead, bytes_limit_at_exactly_and_one_above) {
  const std::string start = "GET / HTTP/1.1\r\nA: ";
  for (const std::size_t limit : {std::size_t{64}, std::size_t{16 * 1024}}) {
    const std::string head = start + std::string(limit - start.size() - 4, 'x') + "\r\n\r\n";
    ASSERT_EQ(head.size(), limit);
    const ParserLimits limits{.header_bytes_max = limit};
    expect_outcome(head + head, {{{"GET", "/", "", true}, {"GET", "/", "", true}}}, limits);
    expect_error(start + "x" + head.substr(start.size()), ParseError::header_too_large, limits);
    expect_error("GET / HTTP/1.1\r\n" + std::string(limit, 'x'), ParseError::header_too_large, limits);
  }
}

TEST(RequestParserHead, a_head_without_end_is_refused_once_it_cannot_fit) {
  RequestParser parser({.header_bytes_max = 50});
  EXPECT_EQ(parser.feed("GET /" + std::string(45, 'x')), 50U);
  EXPECT_EQ(parser.feed("x"), Failure(ParseError::header_too_large));
}

TEST(RequestParserHead, target_limit_at_exactly_and_one_above) {
  const ParserLimits limits{.target_bytes_max = 100};
  const auto request = [](std::size_t size) { return "GET /" + std::string(size - 1, 'x') + " HTTP/1.1\r\n\r\n"; };
  expect_outcome(request(100), {{{"GET", "/" + std::string(99, 'x'), "", true}}}, limits);
  expect_error(request(101), ParseError::target_too_long, limits);
  // Whatever follows, and whatever it follows.
  expect_error("GET /" + std::string(100, 'x') + "\n", ParseError::target_too_long, limits);
  expect_error("GET /" + std::string(99, 'x') + "\n", ParseError::malformed, limits);
  expect_error(std::string(32, 'A') + " /" + std::string(100, 'x'), ParseError::malformed, limits);
  expect_error(std::string(31, 'A') + " /" + std::string(100, 'x'), ParseError::target_too_long, limits);
}

TEST(RequestParserHead, a_target_without_end_is_refused_before_the_head_is_too_large) {
  RequestParser parser({.header_bytes_max = 10'000, .target_bytes_max = 100});
  EXPECT_EQ(parser.feed("GET /" + std::string(99, 'x')), 104U);
  EXPECT_EQ(parser.feed("x"), Failure(ParseError::target_too_long));
}

TEST(RequestParserHead, count_limit_at_exactly_and_one_above) {
  std::string head = "GET / HTTP/1.1\r\n";
  for (int i = 0; i < 100; ++i) head += "A: b\r\n";
  EXPECT_EQ(parse({head + "\r\n"}, {}), (Outcome{{{"GET", "/", "", true}}}));
  EXPECT_EQ(parse({head + "A: b\r\n\r\n"}, {}), (Outcome{{}, ParseError::header_too_large}));
}

TEST(RequestParserHead, fields_larger_than_beast_holds_are_refused_not_thrown) {
  const ParserLimits limits{.header_bytes_max = 1'000'000};
  const std::string huge(70'000, 'x');
  EXPECT_EQ(parse({"GET / HTTP/1.1\r\nA: " + huge + "\r\n\r\n"}, limits).error, ParseError::header_too_large);
  EXPECT_EQ(parse({"GET / HTTP/1.1\r\n" + huge + ": a\r\n\r\n"}, limits).error, ParseError::header_too_large);
}

TEST(ParseErrorStatus, of_each) {
  EXPECT_EQ(status_of(ParseError::malformed), 400);
  EXPECT_EQ(status_of(ParseError::target_too_long), 414);
  EXPECT_EQ(status_of(ParseError::header_too_large), 431);
  EXPECT_EQ(status_of(ParseError::body_too_large), 413);
  EXPECT_EQ(status_of(ParseError::unsupported), 501);
}

// Timing of an error may depend on the cuts (a broken head is judged when it is whole), what comes out may not.
TEST(RequestParserRandom, damaged_bytes_neither_crash_nor_depend_on_cuts) {
  std::mt19937 random(3);
  const std::string good =
      "POST /a?b=%41 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
      "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: u\r\n\r\n"
      "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
  for (int round = 0; round < 4000; ++round) {
    std::string bytes = good;
    for (auto damage = random() % 3 + 1; damage > 0; --damage) {
      static constexpr std::string_view likely = "\r\n :;,0123456789abcdefG\0\xff";
      const char byte = random() % 2 == 0 ? likely[random() % likely.size()] : static_cast<char>(random() % 256);
      const std::size_t at = random() % bytes.size();
      if (random() % 3 == 0) {
        bytes.erase(at, 1);
      } else {
        bytes[at] = byte;
      }
    }
    bytes += "\r\n\r\n\r\n\r\n";
    const Outcome whole = parse({bytes}, {});
    const std::size_t cut = random() % bytes.size();
    ASSERT_EQ(parse({std::string_view(bytes).substr(0, cut), std::string_view(bytes).substr(cut)}, {}).requests,
              whole.requests)
        << bytes;
  }
}

}  // namespace
}  // namespace carillon::http
