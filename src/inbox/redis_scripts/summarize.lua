-- KEYS: facts, unread; ARGV: now
-- -> epoch, head, how many are unread. Does not write.
local log = load_log()
if not log then return {epoch_of(nil), 0, 0} end
return {epoch_of(log), log.head, redis.call('ZCOUNT', KEYS[2], '(' .. ARGV[1], '+inf')}
