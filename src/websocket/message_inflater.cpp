#include "websocket/message_inflater.hpp"

namespace carillon::websocket {

Result<void, InflateError> MessageInflater::inflate(std::string_view payload, std::size_t bytes_max, std::string& out) {
  const std::size_t before = out.size();
  auto result = inflater_.inflate(payload, window_, bytes_max, out);
  if (!result || window_bytes_ == 0) return result;
  const std::string_view message = std::string_view(out).substr(before);
  window_.reserve(window_bytes_);  // once, so that it never takes more than what was reserved for it
  if (message.size() >= window_bytes_) {
    window_ = message.substr(message.size() - window_bytes_);
  } else {
    const std::size_t size = window_.size() + message.size();
    if (size > window_bytes_) window_.erase(0, size - window_bytes_);
    window_ += message;
  }
  return result;
}

}  // namespace carillon::websocket
