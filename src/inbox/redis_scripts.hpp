// The Lua scripts of RedisStore, one per side effect: redis_scripts/NAME.lua behind redis_scripts/common.lua, embedded by
// cmake/EmbedScripts.cmake. What each takes and answers is said at its beginning.
#pragma once

#include <string_view>

namespace carillon::inbox {

struct RedisScript {
  std::string_view text;
  std::string_view sha1;
};

namespace redis_scripts {
extern const RedisScript append;
extern const RedisScript claim;
extern const RedisScript complete;
extern const RedisScript find;
extern const RedisScript mark;
extern const RedisScript note;
extern const RedisScript open;
extern const RedisScript prove;
extern const RedisScript read;
extern const RedisScript summarize;
extern const RedisScript trace;
}  // namespace redis_scripts

}  // namespace carillon::inbox
