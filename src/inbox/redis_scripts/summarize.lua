-- KEYS: log, devices; ARGV: now
-- -> epoch, head, how many are unread. Does not write.
local log = load_log(KEYS[1], KEYS[2])
if not log then return {epoch_of(nil), 0, 0} end
return {epoch_of(log), log.head, count_unread(KEYS[1], log, tonumber(ARGV[1]))}
