// MessagePack: the reader's two ways (to values, to JSON text) agree; what was written is read as the same; and the text
// grows with its input only.
//
//   input = bytes; also taken for a value that is written
//
// Covers: src/base/msgpack.cpp src/base/msgpack_decode.cpp src/base/msgpack_reader.cpp
#include "base/msgpack.hpp"

#include <string>
#include <vector>

#include "base/json.hpp"
#include "values.hpp"

namespace carillon::fuzz {
namespace {

// Of a byte: a byte of text that has to be escaped takes six, an empty binary (two bytes) its placeholder.
constexpr std::size_t growth_max = 40;

void read(std::string_view bytes) {
  const auto value = parse_msgpack(bytes);
  std::string json = "[";  // something that was there before
  std::vector<Binary> attachments(1);
  const auto written = append_json_of_msgpack(bytes, json, attachments);
  check(value.has_value() == written.has_value(), "both ways read the same");
  MsgpackReader reader(bytes);
  std::string_view skipped;
  const bool skips = reader.skip(skipped);
  if (!value) {
    check(value.error() == written.error(), "and fail for the same reason");
    return;
  }
  check(skips && reader.at_end() && skipped == bytes, "a value is as long as it is");
  check(json.starts_with('[') && json.size() <= growth_max * bytes.size() + 1, "text grows with its input");
  check(attachments.size() <= bytes.size() / 2 + 1, "and so do attachments");
  check(check_json(std::string_view(json).substr(1)).has_value(), "it is JSON");
  if (has_placeholder(*value)) return;
  const auto again = parse_json(std::string_view(json).substr(1), attachments);
  check(again.has_value(), "that can be read");
  check(same(without_repeated_keys(*value), *again), "and means the same");
}

void write(const Value& value) {
  std::string bytes;
  append_msgpack(bytes, value);
  auto again = parse_msgpack(bytes);
  check(again.has_value(), "what was written is read");
  if (canary() && value.as_array() != nullptr && value.as_array()->size() == 16) *again = nullptr;
  check(same(value, *again), "and means the same");
  read(bytes);
  check(!parse_msgpack(bytes + '\xc0'), "nothing may follow");
  for (const std::size_t size : {bytes.size() - 1, bytes.size() / 2})
    check(!parse_msgpack(std::string_view(bytes).substr(0, size)), "nothing may be missing");
}

// Lengths of 8, 16 and 32 bits, which inputs seldom have.
void write_long() {
  for (const std::size_t size : {31U, 32U, 255U, 256U, 65'535U, 65'536U}) {
    write(std::string(size, 'x'));
    write(Binary{std::string(size, 'x')});
    write(Array(size));
    Object members;
    for (std::size_t i = 0; i < size; ++i) members.append(std::to_string(i), nullptr);
    std::string bytes;
    append_msgpack(bytes, members);
    const auto again = parse_msgpack(bytes);
    check(again && same(*again, Value(std::move(members))), "a long object is the same");
  }
}

}  // namespace
}  // namespace carillon::fuzz

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  carillon::fuzz::write_long();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace carillon::fuzz;
  Input input(data, size);
  write(make_value(input));
  Input all(data, size);
  read(all.rest());
  return 0;
}
