-- Appends notifications to users' logs, each to one, and tells who listens.
-- KEYS: of each: facts, entries, and its summary where ARGV 7 is 3. A user's other two keys are used by name, since they are rarely
--       needed; in a Redis Cluster, where ARGV 7 is 4, they are named, too: a slot that moves is moved key by key, and Redis refuses
--       (TRYAGAIN) what has only some of its keys at one place.
-- ARGV: 1 entries at most, 2 bytes at most, 3 how long a trace is kept, 4 how long a log without entries is kept, 5 epoch, where
--       a new one begins, 6 PUBLISH or SPUBLISH, 7 keys of each; of each: record, bytes, collapse key, 1 if its request has a key: others
--       may append it, too; summary or nothing
-- -> of each: {epoch, number, 1 if it was appended or 0 if it had been before}, or the text of an error: that one was not
local entries_max, bytes_max = tonumber(ARGV[1]), tonumber(ARGV[2])
local trace_keep, log_keep = tonumber(ARGV[3]), tonumber(ARGV[4])
local never = 2 ^ 53
local sweep_pace = 16  -- appends from one look for what has expired to the next, where there is room

local run = string.match(call('INFO', 'server'), 'run_id:(%x+)') or '-'
local facts, entries, log, now  -- of the one that is being appended

local function key_of(name) return string.sub(facts, 1, -6) .. name end

local function live_until(key) call('PEXPIRE', key, text(math.max(log.kept - now, 0) + trace_keep + 1000)) end

-- Takes an entry out. Its trace is kept if its time has not come.
local function take_out(number, record, kind)
  call('XDEL', entries, text(number))
  local line = string.find(record, '\n', 1, true)
  local id, expires_at, event_bytes, key_bytes = string.match(string.sub(record, 1, line - 1), '^(%S+) %d+ (%d+) (%d+) (%d+)$')
  log.bytes = math.max(log.bytes - (#record - line + #id), 0)
  log.live = math.max(log.live - 1, 0)
  number = text(number)
  if tonumber(key_bytes) > 0 then
    local field = 'key:' .. string.sub(record, line + 1 + event_bytes, line + event_bytes + key_bytes)
    if call('HGET', facts, field) == number then call('HDEL', facts, field) end
  end
  local read_at = call('HGET', facts, 'read:' .. number)
  call('HDEL', facts, 'read:' .. number, 'id:' .. id)
  if tonumber(expires_at) + trace_keep <= now then
    call('ZREMRANGEBYSCORE', key_of('proofs'), number, number)
    return
  end
  call('HSET', facts, 'ended:' .. id, number .. ' ' .. kind .. ' ' .. text(kind == 0 and 0 or now) .. ' ' .. (read_at or '0'))
  local ended = key_of('ended')
  call('ZADD', ended, expires_at, id)
  live_until(ended)
end

-- Takes out what has expired, and forgets what has been traced long enough. Counts anew what there is.
local function sweep()
  local overdue = {}
  log.bytes, log.live, log.due = 0, 0, never
  each_entry(entries, 0, function(number, record)
    local id, expires_at = string.match(record, '^(%S+) %d+ (%d+)')
    log.live = log.live + 1
    log.bytes = log.bytes + #record - string.find(record, '\n', 1, true) + #id
    if tonumber(expires_at) <= now then
      overdue[#overdue + 1] = {number, record}
    else
      log.due = math.min(log.due, tonumber(expires_at))
    end
  end)
  for _, entry in ipairs(overdue) do take_out(entry[1], entry[2], 0) end
  local ended, proofs = key_of('ended'), key_of('proofs')
  for _, id in ipairs(call('ZRANGEBYSCORE', ended, '-inf', text(now - trace_keep))) do
    local number = string.match(call('HGET', facts, 'ended:' .. id) or '', '^%d+')
    if number then call('ZREMRANGEBYSCORE', proofs, number, number) end
    call('HDEL', facts, 'ended:' .. id)
    call('ZREM', ended, id)
  end
  local next_ended = call('ZRANGE', ended, 0, 0, 'WITHSCORES')[2]
  if next_ended then log.due = math.min(log.due, tonumber(next_ended) + trace_keep) end
end

-- Nothing is known of its notifications any more, and keys may have gone by themselves: what the facts say of them goes, too.
local function start_over()
  local names = {'devices', 'past', 'proofs'}
  local lasting = call('HMGET', facts, unpack(names))
  call('DEL', facts, entries, key_of('ended'))
  for i, name in ipairs(names) do
    if lasting[i] then call('HSET', facts, name, lasting[i]) end
  end
  log.bytes, log.live, log.kept, log.due = 0, 0, 0, never
end

local function is_proven(number)
  if highest_cursor(load_devices(facts)) >= number then return true end
  for _, packed in ipairs(call('ZRANGEBYSCORE', key_of('proofs'), text(number), '+inf')) do
    if cmsgpack.unpack(packed)[1] < number then return true end
  end
  return false
end

local function collapse(key)
  local number = tonumber(call('HGET', facts, 'key:' .. key) or '')
  local entry = number and call('XRANGE', entries, text(number), text(number))[1]
  if entry and not is_proven(number) then take_out(number, entry[2][2], 2) end
end

local function make_room(bytes)
  while log.live > 0 and (log.live >= entries_max or log.bytes + bytes > bytes_max) do
    local oldest = call('XRANGE', entries, '-', '+', 'COUNT', 1)[1]
    if not oldest then
      log.live, log.bytes = 0, 0
      return
    end
    local number = tonumber(string.match(oldest[1], '^%d+'))
    take_out(number, oldest[2][2], 3)
    log.dropped = number
  end
end

-- Its number, if it was appended before.
local function known_number(id)
  local known = call('HMGET', facts, 'id:' .. id, 'ended:' .. id)
  return tonumber(known[1] or string.match(known[2] or '', '^%d+') or '')
end

local function append(record, bytes, collapse_key, is_keyed, summary_key, summary)
  local id, sent_at, expires_at = string.match(record, '^(%S+) (%d+) (%d+) ')
  now, expires_at = tonumber(sent_at), tonumber(expires_at)
  log = load_log(facts)
  local before = log and is_keyed and known_number(id)
  if before then return {log.epoch, before, 0} end

  local begins, past = not log, nil
  if begins then
    log = {epoch = ARGV[5], head = 0, dropped = 0, bytes = 0, live = 0, kept = 0, due = never}
  elseif log.run ~= run then
    past = load_past(facts)
    past[#past + 1] = {log.epoch, log.head}
    if #past > past_max then table.remove(past, 1) end
    log.epoch = ARGV[5]
  end

  local life = math.max(expires_at - now, 0)
  if not begins and log.kept + trace_keep <= now then
    start_over()
    begins = true
  end
  -- Keys go by themselves when their user hears of nothing any more. That is put off rarely.
  local renew = expires_at > log.kept
  if renew then log.kept = expires_at + math.floor(life / 8) end
  local is_full = log.live >= entries_max or log.bytes + bytes > bytes_max
  if log.due <= now and (is_full or log.head % sweep_pace == 0) then sweep() end
  if collapse_key ~= '' then collapse(collapse_key) end
  make_room(bytes)

  log.head = log.head + 1
  log.bytes = log.bytes + bytes
  log.live = log.live + 1
  log.due = math.min(log.due, expires_at)
  local number = text(log.head)
  call('XADD', entries, number .. '-0', 'r', record)
  local packed = cmsgpack.pack({log.epoch, log.head, log.dropped, log.bytes, log.live, log.kept, log.due, run})
  call('HSET', facts, 'log', packed)
  if is_keyed then call('HSET', facts, 'id:' .. id, number) end
  if past then call('HSET', facts, 'past', cmsgpack.pack(past)) end
  if collapse_key ~= '' then call('HSET', facts, 'key:' .. collapse_key, number) end
  if renew or begins then
    live_until(entries)
    if not begins then live_until(key_of('ended')) end
    call('PEXPIRE', facts, text(log.kept - now + trace_keep + log_keep))
  end
  if summary ~= '' then call('SET', summary_key, summary, 'PX', text(life + trace_keep + 1000)) end
  call(ARGV[6], key_of('signals'), 'n ' .. log.epoch .. ' ' .. number .. ' ' .. record)
  return {log.epoch, log.head, 1}
end

-- One user's damage is not the others'. Redis 7 gives errors as tables.
local answers = {}
local keys_each = tonumber(ARGV[7])
for i = 1, #KEYS / keys_each do
  local key, arg = (i - 1) * keys_each, 7 + (i - 1) * 5
  facts, entries = KEYS[key + 1], KEYS[key + 2]
  local good, answer = pcall(append, ARGV[arg + 1], tonumber(ARGV[arg + 2]), ARGV[arg + 3], ARGV[arg + 4] == '1', KEYS[key + 3],
                             ARGV[arg + 5])
  if not good and type(answer) == 'table' then answer = answer.err end
  answers[i] = answer
end
return answers
