#include "inbox/sqlite.hpp"

namespace carillon::inbox {

StoreError store_error(int code) {
  switch (code & 0xff) {  // the rest tells details
    case SQLITE_FULL:
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG:
      return StoreError::full;
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return StoreError::read_only;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
      return StoreError::corrupt;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_CANTOPEN:
      return StoreError::unavailable;
    default:
      return StoreError::failed;
  }
}

bool is_corrupt(int code) { return code != SQLITE_OK && store_error(code) == StoreError::corrupt; }

Result<Database, int> Database::open(const std::string& path) {
  sqlite3* handle = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(handle);
  if (code != SQLITE_OK) return Failure(code);
  sqlite3_extended_result_codes(handle, 1);
  return database;
}

int Database::execute(const std::string& sql) {
  return sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
}

std::string Database::last_error() const {
  return std::string(sqlite3_errmsg(handle_.get())) + " (" + std::to_string(sqlite3_extended_errcode(handle_.get())) +
         ")";
}

Statement::Statement(Database& database, std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  note(sqlite3_prepare_v3(database.handle(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                          &statement, nullptr));
  statement_.reset(statement);
}

bool Statement::step() {
  if (error_ != SQLITE_OK) return false;
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) error_ = code;
  return false;
}

bool Statement::run() {
  while (step()) continue;
  const bool good = error_ == SQLITE_OK;
  sqlite3_reset(statement_.get());  // lets go of its pages; the error stays to be asked for
  return good;
}

void Statement::reset() {
  if (statement_ == nullptr) return;  // it could not be prepared: that error stays
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
  error_ = SQLITE_OK;
}

std::string Statement::text(int column) const {
  const void* bytes = sqlite3_column_blob(statement_.get(), column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  return bytes == nullptr ? std::string() : std::string(static_cast<const char*>(bytes), size);
}

void Statement::note(int code) {
  if (code != SQLITE_OK && error_ == SQLITE_OK) error_ = code;
}

}  // namespace carillon::inbox
