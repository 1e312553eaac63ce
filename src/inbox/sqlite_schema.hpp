// The tables of the SQLite store, how a file is recognized as ours, and how an older one becomes a newer one.
#pragma once

#include <cstddef>
#include <string>

#include "base/random.hpp"
#include "base/result.hpp"
#include "inbox/sqlite.hpp"
#include "inbox/store_error.hpp"

namespace carillon::inbox {

inline constexpr std::size_t newest_schema = 3;

struct OpenError {
  StoreError kind;
  std::string message;  // a sentence: what is wrong with which file
};

// Opens or makes the database at `path`, brings it to the newest schema, and checks that it is what it should be: the
// application's id, the version, and a checksum over the text of the schema. Tests make files of older schemas.
Result<Database, OpenError> open_database(const std::string& path, Random& random, std::size_t schema = newest_schema);

// Of an open database.
Result<std::string, OpenError> read_epoch(Database& database);

}  // namespace carillon::inbox
