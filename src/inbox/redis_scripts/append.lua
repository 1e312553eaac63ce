-- Appends notifications to users' logs, each to one, and tells who listens.
-- KEYS: the log of each; the keys of groups of summaries; the idempotency key of each that is to take one. A user's other keys are used
--       by name, since they are rarely needed; in a Redis Cluster, where there is one append only, they come last: a slot that moves is
--       moved key by key, and Redis refuses (TRYAGAIN) what has only some of its keys at one place.
-- ARGV: 1 entries at most, 2 bytes at most, 3 how long a trace is kept, 4 how long a user's devices are kept beyond his log, 5 what a new
--       epoch ends with, 6 PUBLISH or SPUBLISH, 7 now, 8 how long an idempotency key is remembered, 9 appends, 10 groups, 11 appends whose
--       idempotency key is to be taken;
--       the record of each;
--       of each group: summaries or nothing, how long it lives;
--       of each idempotency key: its append, fingerprint, group, summary;
--       the appends whose key was taken before: others may append them, too
-- -> of each, a text: "n EPOCH NUMBER" it was appended, "h EPOCH NUMBER" it had been before, "d ID RECIPIENTS" its idempotency key is known,
--    "c" that was used for something else, "o" that is not free: claim.lua knows, or "- ERROR": it was not appended
local entries_max, bytes_max = tonumber(ARGV[1]), tonumber(ARGV[2])
local trace_keep, devices_keep = tonumber(ARGV[3]), tonumber(ARGV[4])
local epoch_ending, publish, now, key_keep = ARGV[5], ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[8])
local arguments = 11  -- before the records
local sweep_pace = 16  -- appends from one look for what has expired to the next, where there is room

local run = string.match(call('INFO', 'server'), 'run_id:(%x+)') or '-'
run = sub(run, 1, 12)  -- 48 bits of chance

-- The log that is being appended to, and its state.
local log
local head, first, dropped, bytes, live, kept, due, epoch

local function key_of(name) return sub(log, 1, -4) .. name end

-- What is kept beside the log, until then.
local function live_until(key) call('PEXPIRE', key, text(math.max(kept - now, 0) + trace_keep + 1000)) end

local function each(visit, some) return each_entry(log, {head = head, first = first, live = live}, 0, some, visit) end

local function collapse_key_of(record)
  local id_bytes, event_bytes, key_bytes, from = struct_unpack('<I2I4I4', record, 13)
  if key_bytes == 0 then return '' end
  return sub(record, from + id_bytes + event_bytes, from + id_bytes + event_bytes + key_bytes - 1)
end

-- Takes an entry out. Its trace is kept if its time has not come.
local function take_out(number, record, kind)
  local id, key, expires_at = id_of(record), collapse_key_of(record), expiry_of(record)
  bytes = math.max(bytes - (#record - record_head_bytes), 0)
  live = math.max(live - 1, 0)
  if number == first then first = number + 1 end
  number = text(number)
  if key ~= '' then
    local field = 'key:' .. key
    if call('HGET', log, field) == number then call('HDEL', log, field) end
  end
  local read_at = call('HGET', log, 'read:' .. number)
  call('HDEL', log, number, 'read:' .. number, 'id:' .. id)
  if expires_at + trace_keep <= now then
    call('ZREMRANGEBYSCORE', key_of('proofs'), number, number)
    return
  end
  local endings, ended = key_of('endings'), key_of('ended')
  call('HSET', endings, id, number .. ' ' .. kind .. ' ' .. text(kind == 0 and 0 or now) .. ' ' .. (read_at or '0'))
  call('ZADD', ended, text(expires_at), id)
  live_until(endings)
  live_until(ended)
end

-- Takes out what has expired, and forgets what has been traced long enough. Counts anew what there is.
local function sweep()
  local overdue, lowest = {}, head + 1
  local counted_bytes, counted = 0, 0
  due = never
  each(function(number, record)
    local expires_at = expiry_of(record)
    counted = counted + 1
    counted_bytes = counted_bytes + #record - record_head_bytes
    lowest = math.min(lowest, number)
    if expires_at <= now then
      overdue[#overdue + 1] = {number, record}
    else
      due = math.min(due, expires_at)
    end
  end, chunk)
  bytes, live, first = counted_bytes, counted, lowest
  for _, entry in ipairs(overdue) do take_out(entry[1], entry[2], 0) end
  local endings, ended, proofs = key_of('endings'), key_of('ended'), key_of('proofs')
  for _, id in ipairs(call('ZRANGEBYSCORE', ended, '-inf', text(now - trace_keep))) do
    local number = string.match(call('HGET', endings, id) or '', '^%d+')
    if number then call('ZREMRANGEBYSCORE', proofs, number, number) end
    call('HDEL', endings, id)
    call('ZREM', ended, id)
  end
  local next_ended = call('ZRANGE', ended, 0, 0, 'WITHSCORES')[2]
  if next_ended then due = math.min(due, tonumber(next_ended) + trace_keep) end
end

-- Nothing is known of its notifications any more, and keys may have gone by themselves: what the log says of them goes, too.
local function start_over()
  local past = call('HGET', log, 'past')
  call('DEL', log, key_of('endings'), key_of('ended'))
  if past then call('HSET', log, 'past', past) end
  first, bytes, live, kept, due = head + 1, 0, 0, 0, never
end

local function is_proven(number)
  local known = load_devices(key_of('devices'))
  if known and highest_cursor(known.devices) >= number then return true end
  for _, packed in ipairs(call('ZRANGEBYSCORE', key_of('proofs'), text(number), '+inf')) do
    if cmsgpack.unpack(packed)[1] < number then return true end
  end
  return false
end

local function collapse(key)
  local number = call('HGET', log, 'key:' .. key)
  local record = number and call('HGET', log, number)
  if record and not is_proven(tonumber(number)) then take_out(tonumber(number), record, 2) end
end

local function make_room(wanted)
  while live > 0 and (live >= entries_max or bytes + wanted > bytes_max) do
    local oldest = each(function(number, record) return {number, record} end, 8)
    if not oldest then
      first, live, bytes = head + 1, 0, 0
      return
    end
    first = oldest[1]
    take_out(first, oldest[2], 3)
    dropped = oldest[1]
  end
end

-- Its number, if it was appended before.
local function known_number(id)
  local number = call('HGET', log, 'id:' .. id)
  if number then return number end
  return string.match(call('HGET', key_of('endings'), id) or '', '^%d+')
end

-- A log where there is none. -> past, if there was one before
local function begin()
  head, first, dropped, bytes, live, kept, due, epoch = 0, 1, 0, 0, 0, 0, never, run .. epoch_ending
  local last = load_devices(key_of('devices'))
  if not last then return nil end
  head, first, dropped = last.head, last.head + 1, last.dropped
  return with_end(last.past, last.epoch, last.head)
end

-- may_be_there: others may append it, too. is_heard: somebody may listen to the log's channel.
local function append(record, may_be_there, is_heard)
  local expires_at, _, _, _, key_bytes = struct_unpack('<I6I6I2I4I4', record)
  local size = #record - record_head_bytes
  local packed = call('HGET', log, 'state')
  local renews, past = not packed, nil
  if packed then
    head, first, dropped, bytes, live, kept, due, epoch = struct_unpack(state_format, packed)
    local before = may_be_there and known_number(id_of(record))
    if before then return 'h ' .. epoch .. ' ' .. before end
    if sub(epoch, 1, 12) ~= run then
      past = with_end(load_past(log), epoch, head)
      epoch = run .. epoch_ending
    end
    if kept + trace_keep <= now then
      start_over()
      renews = true
    end
  else
    past = begin()
  end
  local is_new = not packed and not past

  -- Keys go by themselves when their user hears of nothing any more. That is put off rarely.
  if expires_at > kept then
    kept = math.min(expires_at + math.floor(math.max(expires_at - now, 0) / 8), never)
    renews = true
  end
  local is_full = live >= entries_max or bytes + size > bytes_max
  if due <= now and (is_full or head % sweep_pace == 0) then sweep() end
  local collapse_key = key_bytes > 0 and collapse_key_of(record)
  if collapse_key then collapse(collapse_key) end
  if is_full then make_room(size) end

  head = head + 1
  if expires_at < due then due = expires_at end
  local number = text(head)
  packed = struct_pack(state_format, head, first, dropped, bytes + size, live + 1, kept, due, epoch)
  call('HSET', log, 'state', packed, number, record)
  if may_be_there then call('HSET', log, 'id:' .. id_of(record), number) end
  if past then call('HSET', log, 'past', cmsgpack.pack(past)) end
  if collapse_key then call('HSET', log, 'key:' .. collapse_key, number) end
  if renews then
    live_until(log)
    if not is_new then
      live_until(key_of('endings'))
      live_until(key_of('ended'))
      call('PEXPIRE', key_of('devices'), text(kept - now + trace_keep + devices_keep))
    end
  end
  local answer = 'n ' .. epoch .. ' ' .. number
  if is_heard then call(publish, log, answer .. ' ' .. record) end
  return answer
end

local count, groups, claims = tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])
local groups_at = arguments + count
local claims_at = groups_at + 2 * groups
local answers, keys, fingerprints, may_be_there = {}, {}, {}, {}
for i = claims_at + 4 * claims + 1, #ARGV do may_be_there[tonumber(ARGV[i])] = true end

-- What is said of idempotency keys; those that are free are taken with their append.
local function look_at_keys(summaries)
  local seen = {}
  for i = 1, claims do
    local at, key = claims_at + 4 * (i - 1), KEYS[count + groups + i]
    local append_of_it, fingerprint, group = tonumber(ARGV[at + 1]), ARGV[at + 2], tonumber(ARGV[at + 3])
    local state, id, recipients = claimed(key, fingerprint, now, key_keep)
    if state == 'conflict' then
      answers[append_of_it] = 'c'
    elseif state == 'done' then
      answers[append_of_it] = 'd ' .. id .. ' ' .. recipients
    elseif state or seen[key] then
      answers[append_of_it] = 'o'
    else
      seen[key], keys[append_of_it], fingerprints[append_of_it] = true, key, fingerprint
      local some = summaries[group]
      some[#some + 1] = ARGV[at + 4]
    end
  end
end

-- Who is to get them, before anybody has one of them: what is appended can be traced, and a Redis that takes no writes says so here.
local summaries = {}
for i = 1, groups do summaries[i] = {ARGV[groups_at + 2 * i - 1]} end
look_at_keys(summaries)
for i = 1, groups do
  local all = claims > 0 and table.concat(summaries[i]) or summaries[i][1]
  if all ~= '' then note_summaries(KEYS[count + i], tonumber(ARGV[groups_at + 2 * i]), all) end
end

-- Most users are not there: to ask for all of them at once costs less than to publish to nobody. In a Redis Cluster, where another server
-- may have the subscribers, there is one append only.
local subscribers  -- KEY, how many, ...
if count > 1 then
  subscribers = redis.pcall('PUBSUB', publish == 'SPUBLISH' and 'SHARDNUMSUB' or 'NUMSUB', unpack(KEYS, 1, count))
  if subscribers.err then subscribers = nil end
end

local place = 0  -- of the append that is on
local function append_on()
  while place < count do
    place = place + 1
    if not answers[place] then
      local record, key = ARGV[arguments + place], keys[place]
      log = KEYS[place]
      if key then claim(key, 'done', id_of(record), 1, now, fingerprints[place], key_keep) end
      answers[place] = append(record, may_be_there[place], not subscribers or subscribers[2 * place] > 0)
    end
  end
end

-- One user's damage is not the others'. Redis 7 gives errors as tables.
while place < count do
  local good, why = pcall(append_on)
  if not good then
    if keys[place] then redis.pcall('DEL', keys[place]) end
    answers[place] = '- ' .. (type(why) == 'table' and why.err or why)
  end
end
return answers
