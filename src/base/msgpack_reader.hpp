// MessagePack, one token at a time.
//
//   value = nil / bool / integer / float / text / binary / extension / array / map      (forms c0..df and fixed ones)
//
// Source: the MessagePack specification. Extensions as the Socket.IO adapters use them:
//   type -1, 4, 8 or 12 bytes     timestamp: a Date (notepack.io 3)
//   type 0, fixext 1              undefined (notepack.io 2)
//   type 0, fixext 8              a Date in milliseconds (notepack.io 2)
//   type 0, ext 8, 16, 32         an ArrayBuffer (notepack.io 2)
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace carillon {

enum class MsgpackError : std::uint8_t {
  cut_off,   // the bytes end before the value does, or an array or map claims more than can follow
  invalid,   // c1, a timestamp of a wrong length, a map key that is neither text nor a whole number
  too_deep,  // arrays and maps inside each other beyond json_depth_max
  trailing,  // bytes behind the value
};

// Which of the other members count is said by `kind`; the rest is left over from earlier tokens.
struct MsgpackToken {
  enum class Kind : std::uint8_t {
    nil,
    undefined,
    boolean,    // integer: 0 or 1
    integer,    // integer
    natural,    // a whole number above what int64 holds: natural
    real,       // real
    text,       // bytes, which need not be UTF-8
    binary,     // bytes
    date,       // integer: milliseconds since 1970, within what JavaScript's Date holds
    extension,  // integer: its type; bytes
    array,      // size: of values that follow
    map,        // size: of pairs of key and value that follow
  };
  Kind kind = Kind::nil;
  std::int64_t integer = 0;
  std::uint64_t natural = 0;
  double real = 0;
  std::size_t size = 0;
  std::string_view bytes = {};

  bool is(Kind other) const { return kind == other; }
};

// A cursor over bytes that it borrows. Allocates nothing; a claimed length is checked against what is there.
class MsgpackReader {
 public:
  explicit MsgpackReader(std::string_view bytes) : bytes_(bytes) {}

  // False: see error().
  bool next(MsgpackToken& token);
  // Passes over a whole value, however deep, and gives its bytes.
  bool skip(std::string_view& value);

  MsgpackError error() const { return error_; }
  bool at_end() const { return at_ == bytes_.size(); }

 private:
  bool fail(MsgpackError error);
  bool take(std::uint64_t count, std::string_view& out);
  bool take_number(std::size_t width, std::uint64_t& out);
  bool container(MsgpackToken& token, MsgpackToken::Kind kind, std::uint64_t size);
  bool bytes(MsgpackToken& token, MsgpackToken::Kind kind, std::uint64_t size);
  bool extension(MsgpackToken& token, std::uint64_t size, bool fixed);
  bool sized(MsgpackToken& token, unsigned form);
  bool number(MsgpackToken& token, unsigned form);

  std::string_view bytes_;
  std::size_t at_ = 0;
  MsgpackError error_ = MsgpackError::cut_off;
};

}  // namespace carillon
