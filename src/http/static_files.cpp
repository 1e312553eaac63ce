#include "http/static_files.hpp"

#include <cstdint>
#include <functional>
#include <utility>

#include "base/log.hpp"

namespace carillon::http {
namespace {

constexpr int compression_level = 9;  // it is done once

// FNV-1a: the same on all nodes, and other bytes give another tag. Nobody gains from finding two alike.
std::string etag_of(std::string_view content) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : content) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string tag = "\"";
  for (int shift = 60; shift >= 0; shift -= 4) tag.push_back(digits[hash >> shift & 15U]);
  return tag + "\"";
}

// The weak form, too, which is what compressing proxies make of it.
bool is_known(const Request& request, const std::string& etag) {
  const auto known = request.header("if-none-match");
  return known && (*known == "*" || has_token(*known, etag) || has_token(*known, "W/" + etag));
}

}  // namespace

void StaticFiles::add(std::string name, std::string content_type, std::string_view content,
                      std::shared_ptr<const void> owner) {
  entries_[std::move(name)].file = {std::move(content_type), content, std::move(owner), etag_of(content), {}};
}

void StaticFiles::add_missing(std::string name, std::string why) {
  entries_[std::move(name)].file.why_missing = std::move(why);
}

std::optional<Response> StaticFiles::answer(std::string_view name, const Request& request) const {
  const auto found = entries_.find(name);
  if (found == entries_.end() || (request.method != "GET" && request.method != "HEAD")) return std::nullopt;
  const Entry& entry = found->second;
  if (!entry.file.why_missing.empty()) return missing(entry);
  Response response;
  response.omit_body = request.method == "HEAD";
  response.headers = {{"Cache-Control", "public, max-age=0"}, {"ETag", entry.file.etag}, {"Vary", "Accept-Encoding"}};
  if (is_known(request, entry.file.etag)) {
    response.status = 304;
    return response;
  }
  response.headers.emplace_back("Content-Type", entry.file.content_type);
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  const Coding coding = preferred_coding(request.header("accept-encoding").value_or(""));
  if (coding != Coding::identity) response.headers.emplace_back("Content-Encoding", to_string(coding));
  response.body = content_in(entry, coding);
  return response;
}

std::string_view StaticFiles::content_in(const Entry& entry, Coding coding) {
  if (coding == Coding::identity) return entry.file.content;
  Encoded& encoded = entry.encoded[coding == Coding::gzip ? 0 : 1];
  std::call_once(encoded.once, [&] { encoded.content = encode(entry.file.content, coding, compression_level); });
  return encoded.content;
}

Response StaticFiles::missing(const Entry& entry) {
  if (!entry.complained.test_and_set()) log_warn(entry.file.why_missing);
  return {404, {{"Content-Type", "text/plain; charset=UTF-8"}}, entry.file.why_missing + "\n"};
}

}  // namespace carillon::http
