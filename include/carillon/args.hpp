// The arguments of an event or acknowledgement.
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <carillon/value.hpp>

namespace carillon {

// Arguments stay the bytes that came in until somebody asks for a value: forwarding them costs no parsing.
//
// The object handed to an event handler refers to the server's read buffer and is valid during the call; a copy of it
// owns its bytes. One thread at a time.
class Args {
 public:
  Args();
  // From values, for emitting.
  explicit Args(Array values);
  Args(const Args& other);
  Args(Args&& other) noexcept;
  Args& operator=(const Args& other);
  Args& operator=(Args&& other) noexcept;
  ~Args();

  // `elements` is valid JSON: the elements of an array without its brackets ("1,\"a\""), borrowed until copied.
  static Args borrow(std::string_view elements);

  std::size_t size() const { return values().size(); }
  bool empty() const { return text_.empty(); }
  // The argument, or null where there are fewer. Parses all arguments on first use.
  const Value& operator[](std::size_t index) const;
  const Array& values() const;

  // The encoded form: elements of a JSON array without brackets, binary as placeholders into attachments().
  std::string_view text() const { return text_; }
  const std::vector<Binary>& attachments() const { return attachments_; }

 private:
  std::string owned_;
  std::string_view text_;  // into owned_, or borrowed
  std::vector<Binary> attachments_;
  mutable std::unique_ptr<Array> parsed_;
};

// What emit() takes as values, as opposed to ready-made Args.
template <class... T>
concept EventValues = !(sizeof...(T) == 1 && (std::same_as<std::remove_cvref_t<T>, Args> && ...));

// make_args(1, "a", Object{{"b", true}})
template <class... T>
Args make_args(T&&... values) {
  if constexpr (sizeof...(T) == 0) {
    return Args();
  } else {
    Array array;
    array.reserve(sizeof...(T));
    (array.emplace_back(std::forward<T>(values)), ...);
    return Args(std::move(array));
  }
}

}  // namespace carillon
