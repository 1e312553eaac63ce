// docs/close-reasons.md says what the code does.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "runtime/refusal.hpp"
#include "socketio/disconnect_reason.hpp"
#include "websocket/frame.hpp"

namespace carillon::runtime {
namespace {

using Row = std::vector<std::string>;

// The cells of the table below the heading, without the column "meaning" and without backquotes.
std::vector<Row> table_below(const std::string& heading) {
  std::ifstream file(std::filesystem::path(CARILLON_SOURCE_DIR) / "docs/close-reasons.md");
  std::vector<Row> rows;
  bool below = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("## ")) below = line == "## " + heading;
    if (!below || !line.starts_with("| `")) continue;
    std::erase(line, '`');
    Row row;
    for (std::size_t at = 2; at < line.size();) {
      const std::size_t end = line.find(" |", at);
      row.push_back(line.substr(at, end - at));
      at = end + 3;
    }
    row.erase(row.begin() + 1);
    rows.push_back(std::move(row));
  }
  return rows;
}

TEST(CloseReasons, OfSessionsAreDocumented) {
  std::vector<Row> expected;
  for (std::size_t i = 0; i < engineio::close_reason_count; ++i) {
    const auto reason = static_cast<engineio::CloseReason>(i);
    const auto code = engineio::websocket_code(reason);
    const std::string frame = !code                                  ? "none: the connection is reset"
                              : *code == websocket::close_code::none ? "empty"
                                                                     : std::to_string(*code);
    expected.push_back({std::string(to_string(reason)), frame,
                        std::string(carillon::to_string(socketio::disconnect_reason_of(reason)))});
  }
  EXPECT_EQ(table_below("Sessions"), expected);
}

TEST(CloseReasons, OfConnectionsWithoutASessionAreDocumented) {
  std::vector<Row> expected;
  for (std::size_t i = 0; i < refusal_count; ++i) {
    const auto refusal = static_cast<Refusal>(i);
    const auto status = http_status(refusal);
    expected.push_back({std::string(to_string(refusal)), status ? std::to_string(*status) : "none"});
  }
  EXPECT_EQ(table_below("Connections, requests and handshakes that came to nothing"), expected);
}

}  // namespace
}  // namespace carillon::runtime
