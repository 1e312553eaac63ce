// SQLite's C interface as C++ objects: a connection, and statements that are prepared once.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "inbox/store_error.hpp"

namespace carillon::inbox {

// What one of SQLite's result codes means for the store.
StoreError store_error(int code);

bool is_corrupt(int code);  // a code of SQLite

// One connection. Owned by one thread at a time.
class Database {
 public:
  // Errors are SQLite's codes.
  static Result<Database, int> open(const std::string& path);

  sqlite3* handle() const { return handle_.get(); }
  // Statements without results, separated by semicolons.
  int execute(const std::string& sql);
  // "database disk image is malformed (11)": of the last call that failed.
  std::string last_error() const;
  std::int64_t last_rowid() const { return sqlite3_last_insert_rowid(handle_.get()); }
  bool in_transaction() const { return sqlite3_get_autocommit(handle_.get()) == 0; }

 private:
  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  explicit Database(sqlite3* handle) : handle_(handle) {}
  std::unique_ptr<sqlite3, Close> handle_;
};

// Bytes that are no text.
struct Blob {
  std::string bytes;
};

// A prepared statement. Texts that are bound must live until reset(). An error stays until reset(): callers step through
// all rows and look at it once.
class Statement {
 public:
  Statement(Database& database, std::string_view sql);

  template <class... T>
  Statement& bind(const T&... values) {
    reset();
    [[maybe_unused]] int place = 0;
    (bind_one(++place, values), ...);
    return *this;
  }
  // Runs it with these values. What went wrong, or SQLITE_OK.
  template <class... T>
  int execute(const T&... values) {
    bind(values...).run();
    const int code = error_;
    reset();
    return code;
  }
  bool step();                          // true: there is a row
  bool run();                           // to the end; true: no error
  void reset();                         // forgets rows and bound values
  int error() const { return error_; }  // SQLITE_OK, or what went wrong

  std::int64_t integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  std::uint64_t number(int column) const { return static_cast<std::uint64_t>(integer(column)); }
  std::string text(int column) const;  // or the bytes of a blob
  bool is_null(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }

 private:
  void bind_one(int place, std::int64_t value) { note(sqlite3_bind_int64(statement_.get(), place, value)); }
  void bind_one(int place, std::uint64_t value) { bind_one(place, static_cast<std::int64_t>(value)); }
  void bind_one(int place, int value) { bind_one(place, std::int64_t{value}); }
  void bind_one(int place, bool value) { bind_one(place, std::int64_t{value}); }
  void bind_one(int place, std::string_view value) {
    note(sqlite3_bind_text(statement_.get(), place, value.data() != nullptr ? value.data() : "",
                           static_cast<int>(value.size()), SQLITE_STATIC));
  }
  void bind_one(int place, const Blob& value) {
    note(sqlite3_bind_blob(statement_.get(), place, value.bytes.data(), static_cast<int>(value.bytes.size()),
                           SQLITE_STATIC));
  }
  void bind_one(int place, std::nullptr_t) { note(sqlite3_bind_null(statement_.get(), place)); }
  void note(int code);

  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int error_ = SQLITE_OK;
};

}  // namespace carillon::inbox
