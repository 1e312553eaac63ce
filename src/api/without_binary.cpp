#include "api/without_binary.hpp"

#include "base/base64.hpp"

namespace carillon::api {

Value without_binary(const Value& value) {
  if (const Binary* binary = value.as_binary()) return base64(binary->bytes);
  if (const Array* array = value.as_array()) {
    Array copy;
    for (const Value& item : *array) copy.push_back(without_binary(item));
    return copy;
  }
  if (const Object* object = value.as_object()) {
    Object copy;
    for (const auto& [key, member] : *object) copy.append(key, without_binary(member));
    return copy;
  }
  return value;
}

}  // namespace carillon::api
