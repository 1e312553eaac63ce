-- Marks entries as read.
-- KEYS: facts, unread; ARGV: 1 epoch, 2 up to here, 3 when, then numbers
-- -> epoch (the given one if it is of this log), head, how many are unread
local log = load_log()
if not log then return {epoch_of(nil), 0, 0} end
local valid = valid_upto(log, ARGV[1])
local epoch = epoch_of(log)
if valid then
  epoch = ARGV[1]
  local function mark(number)
    if redis.call('ZREM', KEYS[2], number) == 1 then redis.call('HSET', KEYS[1], 'read:' .. number, ARGV[3]) end
  end
  for i = 4, #ARGV do
    if tonumber(ARGV[i]) <= valid then mark(ARGV[i]) end
  end
  local upto = math.min(tonumber(ARGV[2]), valid)
  if upto > 0 then
    for _, number in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
      if tonumber(number) <= upto then mark(number) end
    end
  end
end
return {epoch, log.head, redis.call('ZCOUNT', KEYS[2], '(' .. ARGV[3], '+inf')}
