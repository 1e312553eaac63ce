#include "runtime/client_files.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string_view>

namespace carillon::runtime {
namespace {

constexpr std::array<std::string_view, 8> names = {
    "socket.io.js",         "socket.io.js.map",         "socket.io.min.js",         "socket.io.min.js.map",
    "socket.io.esm.min.js", "socket.io.esm.min.js.map", "socket.io.msgpack.min.js", "socket.io.msgpack.min.js.map"};

std::optional<std::string> read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::string why_missing(std::string_view name, const std::string& folder) {
  const std::string what = std::string(name) + " is asked for, and this server does not have it: ";
  if (!folder.empty()) return what + "it is not in client_files_dir, " + folder + ".";
  return what +
         "set client_files_dir to the folder dist of the npm package socket.io-client, or serve_client to false.";
}

}  // namespace

std::shared_ptr<const http::StaticFiles> load_client_files(const std::string& folder,
                                                           std::span<const admin::PageFile> carried) {
  std::error_code error;
  if (!folder.empty() && !std::filesystem::is_directory(folder, error))
    throw std::invalid_argument("client_files_dir '" + folder + "' is no folder that can be read");
  auto files = std::make_shared<http::StaticFiles>();
  for (const std::string_view name : names) {
    const std::string type =
        std::string("application/") + (name.ends_with(".map") ? "json" : "javascript") + "; charset=utf-8";
    auto content = folder.empty() ? std::nullopt : read_file(std::filesystem::path(folder) / name);
    const auto embedded =
        std::find_if(carried.begin(), carried.end(), [&](const auto& file) { return file.path.substr(1) == name; });
    if (content) {
      auto owner = std::make_shared<const std::string>(std::move(*content));
      const std::string_view view = *owner;
      files->add(std::string(name), type, view, std::move(owner));
    } else if (embedded != carried.end()) {
      files->add(std::string(name), type, embedded->content);
    } else {
      files->add_missing(std::string(name), why_missing(name, folder));
    }
  }
  return files;
}

}  // namespace carillon::runtime
