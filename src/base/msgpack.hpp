// MessagePack to and from carillon::Value and JSON text, in the dialect of notepack.io, which the Node.js adapters and socket.io-msgpack-parser use.
//
// Written as notepack.io 3 does: the smallest form of each length and whole number (doubles that are whole and within
// 2^53 too), float 64 for the rest. Read as notepack.io 3 and 2 do (extensions: see msgpack_reader.hpp): a Date is
// its ISO 8601 text, as in JSON; undefined is null, and left out of an object; another extension is [type, bytes].
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <carillon/value.hpp>

#include "base/msgpack_reader.hpp"
#include "base/result.hpp"

namespace carillon {

// Pieces, for messages written member by member.
void append_msgpack_array(std::string& out, std::size_t size);
void append_msgpack_map(std::string& out, std::size_t size);
void append_msgpack_text(std::string& out, std::string_view text);
void append_msgpack_binary(std::string& out, std::string_view bytes);
void append_msgpack_integer(std::string& out, std::int64_t value);
void append_msgpack_bool(std::string& out, bool value);

void append_msgpack(std::string& out, const Value& value);

// One value and nothing behind it, at most json_depth_max deep.
Result<Value, MsgpackError> parse_msgpack(std::string_view bytes);

// The same as JSON text, without building anything: binary becomes placeholders into `attachments`. Text that is not
// UTF-8 gets U+FFFD where it is not, as in Node.js. On an error `out` holds half of it.
Result<void, MsgpackError> append_json_of_msgpack(std::string_view bytes, std::string& out,
                                                  std::vector<Binary>& attachments);

}  // namespace carillon
