// RespReader: bytes in pieces of any size give the same replies and the same error; replies that were written are read as
// meant; and a reply beyond the limit is an error.
//
//   input = kind(1) pieces(1) ( bytes / replies )
//
// Covers: src/redis/resp_reader.cpp src/redis/command.cpp
#include <algorithm>
#include <string>
#include <vector>

#include "fuzz.hpp"
#include "redis/command.hpp"
#include "redis/resp_reader.hpp"

namespace carillon::fuzz {
namespace {

using namespace carillon::redis;
using Type = Reply::Type;

struct Outcome {
  std::vector<Reply> replies;
  std::string error;
};

// Of an array its elements count, of others their own value.
bool same(const Reply& a, const Reply& b) {
  if (a.type != b.type) return false;
  if (a.type == Type::array) return std::ranges::equal(a.items, b.items, same);
  return a.text == b.text && a.number == b.number;
}

Outcome run(std::string_view bytes, std::size_t limit, std::uint32_t seed) {
  RespReader reader(limit);
  Outcome outcome;
  for (Pieces pieces(bytes, seed); !pieces.done() && outcome.error.empty();) {
    const std::string piece(pieces.next());
    reader.feed(piece);
    while (const Reply* reply = reader.next()) {
      outcome.replies.push_back(*reply);
      if (canary() && seed > 0 && reply->type == Type::array && reply->items.size() > 2)
        outcome.replies.back().items.pop_back();
    }
    outcome.error = reader.error();
  }
  if (!outcome.error.empty()) {
    reader.feed("+OK\r\n");
    check(reader.next() == nullptr && reader.error() == outcome.error, "an error is final");
    reader.reset();
    reader.feed(":1\r\n");  // fits into any limit
    const Reply* reply = reader.next();
    check(reply != nullptr && reply->number == 1 && reader.next() == nullptr, "until the next connection");
  }
  return outcome;
}

Reply make_item(Input& input, std::string& out) {
  Reply item;
  switch (input.below(5)) {
    case 0:
      item.type = Type::integer;
      item.number = input.byte() - 100;
      out += ":" + std::to_string(item.number) + "\r\n";
      break;
    case 1:
      out += "$-1\r\n";
      break;
    case 2:
      item.type = input.flag() ? Type::status : Type::error;
      item.text = std::string(input.bytes(input.byte()));
      std::erase_if(item.text, [](char c) { return c == '\r' || c == '\n'; });
      out.append(item.type == Type::status ? "+" : "-").append(item.text).append("\r\n");
      break;
    default:
      item.type = Type::text;
      item.text = std::string(input.bytes(input.byte()));
      append_command_word(out, item.text);
  }
  return item;
}

constexpr std::size_t depth_max = 3;  // hiredis gives up at 7, and before that in older versions

Reply make_reply(Input& input, std::string& out, std::size_t depth = 0) {
  const std::uint8_t how = input.byte();
  if ((how & 1U) == 0 || depth == depth_max) return make_item(input, out);
  Reply reply;
  reply.type = Type::array;
  const std::size_t size = how / 2 % 8;
  append_command_head(out, size);
  for (std::size_t i = 0; i < size; ++i)
    reply.items.push_back((input.byte() & 3U) == 0 ? make_reply(input, out, depth + 1) : make_item(input, out));
  return reply;
}

constexpr std::size_t no_limit = 1'000'000;

void write(Input& input, std::uint32_t seed) {
  std::string bytes;
  std::vector<Reply> expected;
  while (!input.done() && expected.size() < 100) expected.push_back(make_reply(input, bytes));
  for (const std::uint32_t pieces : {0U, seed}) {
    const Outcome outcome = run(bytes, no_limit, pieces);
    check(outcome.error.empty() && std::ranges::equal(outcome.replies, expected, same),
          "replies are read as they were written");
  }
}

void exceed(Input& input, std::uint32_t seed) {
  constexpr std::size_t slack = 16 * 1024;  // it is noticed when a slice has come in
  const std::size_t limit = 1U << input.below(12);
  const std::size_t size = limit + slack + input.byte();
  std::string bytes = "$" + std::to_string(size) + "\r\n" + std::string(size, 'x');
  const Outcome outcome = run(bytes, limit, seed);
  check(outcome.replies.empty() && outcome.error.contains(std::to_string(limit)),
        "a reply beyond the limit is an error");
  bytes = "$" + std::to_string(limit) + "\r\n" + std::string(limit, 'x') + "\r\n";
  check(run(bytes, limit, seed).replies.size() == 1, "one at the limit is none");
}

}  // namespace
}  // namespace carillon::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace carillon::fuzz;
  Input input(data, size);
  const std::size_t kind = input.below(16);
  const std::uint32_t seed = input.byte() + 1U;
  if (kind == 0) {
    exceed(input, seed);
  } else if (kind < 8) {
    write(input, seed);
  } else {
    const std::string_view bytes = input.rest();
    const Outcome whole = run(bytes, no_limit, 0);
    for (const std::uint32_t pieces : {1U, seed}) {
      const Outcome outcome = run(bytes, no_limit, pieces);
      check(outcome.error == whole.error && std::ranges::equal(outcome.replies, whole.replies, same),
            "pieces make no difference");
    }
  }
  return 0;
}
