// Files that are served as they are, from memory.
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "http/content_coding.hpp"
#include "http/request.hpp"
#include "http/response.hpp"

namespace carillon::http {

// Filled by one thread, then shared: any thread may ask.
class StaticFiles {
 public:
  // `content` is not copied: it must outlive this, or lie in `owner`.
  void add(std::string name, std::string content_type, std::string_view content,
           std::shared_ptr<const void> owner = nullptr);
  // A file that belongs here, and is not: asked for, it is answered with 404 and this sentence, which is logged once.
  void add_missing(std::string name, std::string why);

  // The answer to a GET or HEAD of `name`: the file, compressed if the client likes (each coding is made once), or 304
  // where the client has it already. None: no such file, or another method.
  std::optional<Response> answer(std::string_view name, const Request& request) const;

 private:
  struct File {
    std::string content_type;
    std::string_view content;
    std::shared_ptr<const void> owner;
    std::string etag;
    std::string why_missing;  // empty: it is there
  };
  struct Encoded {
    std::once_flag once;
    std::string content;
  };
  struct Entry {
    File file;
    mutable std::array<Encoded, 2> encoded;  // gzip, deflate
    mutable std::atomic_flag complained;
  };

  static std::string_view content_in(const Entry& entry, Coding coding);
  static Response missing(const Entry& entry);

  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace carillon::http
