#include "inbox/sqlite_heads.hpp"

#include <cstddef>
#include <utility>

namespace carillon::inbox {
namespace {

constexpr std::int64_t users_per_row = 250;  // a row fits a page
constexpr std::size_t number_bytes = 8;
constexpr std::size_t head_bytes = 2 * number_bytes;

std::int64_t row_of(std::int64_t user) { return user - user % users_per_row; }
std::size_t place_of(std::int64_t user) { return static_cast<std::size_t>(user % users_per_row) * head_bytes; }

std::uint64_t number_at(const std::string& heads, std::size_t place) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < number_bytes; ++i)
    number |= std::uint64_t{static_cast<unsigned char>(heads[place + i])} << (8 * i);
  return number;
}

void set_number(std::string& heads, std::size_t place, std::uint64_t number) {
  for (std::size_t i = 0; i < number_bytes; ++i) heads[place + i] = static_cast<char>(number >> (8 * i));
}

}  // namespace

struct SqliteHeads::Statements {
  explicit Statements(Database& database) : db(database) {}
  Database& db;
  Statement row{db, "SELECT heads FROM head WHERE first = ?"};
  Statement set_row{db, "INSERT OR REPLACE INTO head(first, heads) VALUES(?, ?)"};
};

SqliteHeads::SqliteHeads(Database& database) : sql_(std::make_unique<Statements>(database)) {}

SqliteHeads::~SqliteHeads() = default;

int SqliteHeads::read_row(std::int64_t first, std::string& heads) {
  Statement& row = sql_->row.bind(first);
  heads = row.step() ? row.text(0) : std::string();
  const int code = row.error();
  row.reset();
  if (code == SQLITE_OK && heads.empty()) heads.assign(users_per_row * head_bytes, '\0');
  if (code == SQLITE_OK && heads.size() != users_per_row * head_bytes) return SQLITE_CORRUPT;
  return code;
}

int SqliteHeads::read(std::int64_t user, Head& head) {
  std::string heads;
  if (const int code = read_row(row_of(user), heads); code != SQLITE_OK) return code;
  head = {number_at(heads, place_of(user)), number_at(heads, place_of(user) + number_bytes)};
  return SQLITE_OK;
}

int SqliteHeads::set(std::int64_t user, const Head& head) {
  if (row_of(user) != first_) {
    if (const int code = flush(); code != SQLITE_OK) return code;
    if (const int code = read_row(row_of(user), heads_); code != SQLITE_OK) return code;
    first_ = row_of(user);
  }
  set_number(heads_, place_of(user), head.head);
  set_number(heads_, place_of(user) + number_bytes, head.bytes_total);
  return SQLITE_OK;
}

int SqliteHeads::flush() {
  if (first_ < 0) return SQLITE_OK;
  const Blob heads{std::move(heads_)};
  return sql_->set_row.execute(std::exchange(first_, -1), heads);
}

void SqliteHeads::forget() { first_ = -1; }

}  // namespace carillon::inbox
