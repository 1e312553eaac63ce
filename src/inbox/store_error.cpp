#include "inbox/store_error.hpp"

namespace carillon::inbox {

std::string_view to_string(StoreError error) {
  switch (error) {
    case StoreError::unavailable:
      return "the store of notifications does not answer";
    case StoreError::overloaded:
      return "too much is waiting for the store of notifications";
    case StoreError::full:
      return "the store of notifications is full";
    case StoreError::read_only:
      return "the store of notifications may not be written";
    case StoreError::corrupt:
      return "the store of notifications is damaged, or not ours";
    case StoreError::failed:
      return "the store of notifications has an error";
    case StoreError::key_conflict:
      return "the idempotency key was used for another request";
  }
  return "unknown";
}

}  // namespace carillon::inbox
