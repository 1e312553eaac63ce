-- Appends one notification to one user's log, and tells who listens.
-- KEYS: facts, entries, expiry, unread, known, proofs
-- ARGV: 1 id, 2 record, 3 sent at, 4 expires at, 5 bytes, 6 collapse key, 7 entries at most, 8 bytes at most,
--       9 how long a trace is kept, 10 how long a log without entries is kept, 11 epoch, if a new one begins, 12 PUBLISH or SPUBLISH,
--       13 channel
-- -> epoch, number, 1 if it was appended or 0 if it had been before
local id, record, sent_at, expires_at, bytes = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local collapse_key, entries_max, bytes_max = ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[8])
local trace_keep, log_keep = tonumber(ARGV[9]), tonumber(ARGV[10])
local sweep_max = 100  -- of each kind in one call

local log = load_log()
local before = log and redis.call('HGET', KEYS[1], 'id:' .. id)
if before then return {epoch_of(log), tonumber(before), 0} end

local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') or ''
local past
if not log then
  log = {epoch = ARGV[11], run = run, head = 0, dropped = 0, bytes = 0, kept = 0}
elseif log.run ~= run then
  past = load_past()
  past[#past + 1] = {log.epoch, log.head}
  if #past > past_max then table.remove(past, 1) end
  log.epoch = ARGV[11]
  log.run = run
end

-- Takes a live entry out.
local function take_out(number)
  local member = redis.call('ZRANGEBYSCORE', KEYS[2], number, number)[1]
  if not member then return end
  redis.call('ZREM', KEYS[2], member)
  redis.call('ZREM', KEYS[3], number)
  redis.call('ZREM', KEYS[4], number)
  local colon = string.find(member, ':', 1, true)
  local line = string.find(member, '\n', colon, true)
  local its_id, event_bytes, key_bytes = string.match(string.sub(member, colon + 1, line - 1), '^(%S+) %d+ %d+ (%d+) (%d+)$')
  log.bytes = log.bytes - (#member - line + #its_id)
  if tonumber(key_bytes) > 0 then
    local field = 'key:' .. string.sub(member, line + 1 + event_bytes, line + event_bytes + key_bytes)
    if redis.call('HGET', KEYS[1], field) == number then redis.call('HDEL', KEYS[1], field) end
  end
end

local function is_proven(number)
  if highest_cursor(load_devices()) >= number then return true end
  for _, packed in ipairs(redis.call('ZRANGEBYSCORE', KEYS[6], number, '+inf')) do
    if cmsgpack.unpack(packed)[1] < number then return true end
  end
  return false
end

local function forget(its_id)
  local number = redis.call('HGET', KEYS[1], 'id:' .. its_id)
  redis.call('ZREM', KEYS[5], its_id)
  if not number then return end
  take_out(number)
  redis.call('HDEL', KEYS[1], 'id:' .. its_id, 'read:' .. number, 'ending:' .. number)
  redis.call('ZREMRANGEBYSCORE', KEYS[6], number, number)
end

-- What time has ended.
for _, number in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', sent_at, 'LIMIT', 0, sweep_max)) do take_out(number) end
for _, its_id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[5], '-inf', sent_at - trace_keep, 'LIMIT', 0, sweep_max)) do
  forget(its_id)
end

-- Nothing is known any more: neither is what the facts say of single notifications, whose keys may have gone by themselves.
local purged = log.head > 0 and redis.call('ZCARD', KEYS[5]) == 0
if purged then
  local lasting = redis.call('HMGET', KEYS[1], 'devices', 'past', 'proofs')
  redis.call('DEL', KEYS[1])
  for i, name in ipairs({'devices', 'past', 'proofs'}) do
    if lasting[i] then redis.call('HSET', KEYS[1], name, lasting[i]) end
  end
  log.bytes = 0
end

-- What the new one ends.
if collapse_key ~= '' then
  local older = redis.call('HGET', KEYS[1], 'key:' .. collapse_key)
  if older and not is_proven(tonumber(older)) then
    take_out(older)
    redis.call('HSET', KEYS[1], 'ending:' .. older, '2 ' .. ARGV[3])
  end
end

-- Room for it.
local live = redis.call('ZCARD', KEYS[2])
while live > 0 and (live >= entries_max or log.bytes + bytes > bytes_max) do
  local oldest = string.match(redis.call('ZRANGE', KEYS[2], 0, 0)[1], '^%d+')
  local expired = tonumber(redis.call('ZSCORE', KEYS[3], oldest)) <= sent_at
  take_out(oldest)
  live = live - 1
  if not expired then
    log.dropped = tonumber(oldest)
    redis.call('HSET', KEYS[1], 'ending:' .. oldest, '3 ' .. ARGV[3])
  end
end

log.head = log.head + 1
log.bytes = log.bytes + bytes
local number = text(log.head)

-- Keys go by themselves when their user hears of nothing any more. That is put off rarely, and for a key that is new.
local life = math.max(expires_at - sent_at, 0)
local renew = expires_at > log.kept
if renew then log.kept = expires_at + math.floor(life / 8) end
local function add(key, score, member)
  redis.call('ZADD', key, score, member)
  if renew or redis.call('ZCARD', key) == 1 then redis.call('PEXPIRE', key, text(log.kept - sent_at + trace_keep + 1000)) end
end
add(KEYS[2], number, number .. ':' .. record)
add(KEYS[3], ARGV[4], number)
add(KEYS[4], ARGV[4], number)
add(KEYS[5], ARGV[4], id)
redis.call('HSET', KEYS[1], 'epoch', log.epoch, 'run', log.run, 'head', number, 'dropped', text(log.dropped),
           'bytes', text(log.bytes), 'until', text(log.kept), 'id:' .. id, number)
if past then redis.call('HSET', KEYS[1], 'past', cmsgpack.pack(past)) end
if collapse_key ~= '' then redis.call('HSET', KEYS[1], 'key:' .. collapse_key, number) end
if renew or purged or log.head == 1 then redis.call('PEXPIRE', KEYS[1], text(log.kept - sent_at + trace_keep + log_keep)) end

local epoch = epoch_of(log)
redis.call(ARGV[12], ARGV[13], 'n ' .. epoch .. ' ' .. number .. ' ' .. record)
return {epoch, log.head, 1}
