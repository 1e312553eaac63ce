-- Read before each of the other scripts.
--
-- Keys of one user, all in one slot:
--   log      hash: state (see state_format), NUMBER -> record of what is live, or has expired and was not swept yet, past (packed:
--            {epoch, end}, ..., oldest first), key:COLLAPSE_KEY -> number of the newest that is live, id:ID -> number where others may
--            append it, too, read:NUMBER -> when. Signals are published on the channel of this name.
--   endings  hash: id -> "NUMBER KIND WHEN READ_AT"; what is no entry any more and still traced
--   ended    sorted set: the same ids by time of expiry
--   proofs   sorted set: packed {after, upto, device, node, socket, at, acknowledged, order} by upto
--   devices  packed: {epoch, head, dropped and past of the log when a device has last proven something, proofs (counted), name ->
--            {cursor, used at}}. It outlives the others: a log that is gone goes on from there, in another epoch, since numbers
--            behind that head may have been given, and seen.
-- Keys of many users:
--   notification:PREFIX  list: summaries (src/inbox/redis_record.hpp) of the notifications whose ids begin with the prefix, one behind
--            the other in each element, as they came. Lives as long as the one of them that lives longest.
--   key:IDEMPOTENCY_KEY  "open" or "done", and then " ID RECIPIENTS WHEN FINGERPRINT"
--
-- A record is a head of numbers, the id, the event, the collapse key and the data (src/inbox/redis_record.hpp).
--
-- Epochs: a Redis that has restarted, or another one that has taken over, may have lost what was written last. The first
-- append in another process than that of the append before (an epoch begins with the process) begins a new epoch, and notes where
-- the last one ends: of an earlier epoch only numbers up to its end are still what they were. An epoch that is not known was
-- lost itself.

local past_max = 16
local chunk = 256  -- fields in one command
local never = 2 ^ 48 - 1  -- in ms; what the state has room for

local call, struct_pack, struct_unpack, format, sub = redis.call, struct.pack, struct.unpack, string.format, string.sub

local function text(number) return format('%d', number) end

-- first: of the entries, at least; kept: until then something lives; due: not before then is there anything to sweep.
local state_format = '<I6I6I6I6I6I6I6s'  -- head, first, dropped, bytes, live, kept, due, epoch

-- Takes room in the log: what is behind its head.
local record_head_bytes = 22
local function expiry_of(record) return (struct_unpack('<I6', record)) end
local function id_of(record) return sub(record, 23, 22 + struct_unpack('<I2', record, 13)) end

local function load_devices(devices)
  local packed = call('GET', devices)
  if not packed then return nil end
  local v = cmsgpack.unpack(packed)
  return {epoch = v[1], head = v[2], dropped = v[3], past = v[4], proofs = v[5], devices = v[6]}
end

-- nil: nothing is known of the user.
local function load_log(key, devices)
  local packed = call('HGET', key, 'state')
  local log = {}
  if packed then
    log.head, log.first, log.dropped, log.bytes, log.live, log.kept, log.due, log.epoch =
      struct_unpack(state_format, packed)
    return log
  end
  local last = load_devices(devices)
  if not last then return nil end
  return {head = last.head, first = last.head + 1, dropped = last.dropped, bytes = 0, live = 0, kept = 0, due = never,
          epoch = last.epoch, past = last.past}
end

local function epoch_of(log)
  if not log then return '0' end
  return log.epoch
end

local function load_past(key)
  local packed = call('HGET', key, 'past')
  if not packed then return {} end
  return cmsgpack.unpack(packed)
end

local function with_end(past, epoch, head)
  past[#past + 1] = {epoch, head}
  if #past > past_max then table.remove(past, 1) end
  return past
end

-- Up to which number the epoch says the same as the log; nil: it is of another log.
local function valid_upto(key, log, epoch)
  if not log then return nil end
  if epoch == log.epoch then return log.head end
  local upto = log.head
  local past = log.past or load_past(key)
  for i = #past, 1, -1 do
    if past[i][2] < upto then upto = past[i][2] end
    if past[i][1] == epoch then return upto end
  end
  return nil
end

local function highest_cursor(devices)
  local highest = 0
  for _, device in pairs(devices) do
    if device[1] > highest then highest = device[1] end
  end
  return highest
end

-- Calls visit(number, record) for each entry behind `after`, oldest first, until it returns something, and returns that.
-- Reads `some` numbers at once.
local function each_entry(key, log, after, some, visit)
  local before = math.max(after, log.first - 1)
  local count, numbers = log.head - before, nil
  if count > 4 * log.live + chunk then  -- mostly holes
    numbers = {}
    for _, field in ipairs(call('HKEYS', key)) do
      local number = tonumber(field)
      if number and number > before then numbers[#numbers + 1] = number end
    end
    table.sort(numbers)
    count = #numbers
  end
  for done = 0, count - 1, some do
    local fields = {}
    for i = done + 1, math.min(done + some, count) do fields[#fields + 1] = text(numbers and numbers[i] or before + i) end
    for i, record in ipairs(call('HMGET', key, unpack(fields))) do
      local found = record and visit(tonumber(fields[i]), record)
      if found then return found end
    end
  end
  return nil
end

-- Of these numbers: number -> when it was read.
local function read_marks(key, numbers)
  local marks = {}
  for first = 1, #numbers, chunk do
    local fields = {}
    for i = first, math.min(first + chunk - 1, #numbers) do fields[#fields + 1] = 'read:' .. text(numbers[i]) end
    local times = call('HMGET', key, unpack(fields))
    for i = 1, #fields do
      if times[i] then marks[numbers[first + i - 1]] = times[i] end
    end
  end
  return marks
end

local function count_unread(key, log, now)
  local numbers = {}
  each_entry(key, log, 0, chunk, function(number, record)
    if expiry_of(record) > now then numbers[#numbers + 1] = number end
  end)
  local unread, marks = 0, read_marks(key, numbers)
  for _, number in ipairs(numbers) do
    if not marks[number] then unread = unread + 1 end
  end
  return unread
end

-- Notes who is to get notifications. What is there lives no shorter than before.
local function note_summaries(group, life, summaries)
  call('RPUSH', group, summaries)
  if call('PTTL', group) < life then call('PEXPIRE', group, text(life + 1000)) end
end

-- What is said of an idempotency key; nothing: it is free.
-- -> "open" or "done", id, recipients; or "conflict": it was used for something else
local function claimed(key, fingerprint, now, keep)
  local known = call('GET', key)
  if not known then return nil end
  local state, id, recipients, at, print = string.match(known, '^(%a+) (%S+) (%d+) (%d+) (.*)$')
  if tonumber(at) + keep <= now then return nil end
  if print ~= fingerprint then return 'conflict' end
  return state, id, recipients
end

local function claim(key, state, id, recipients, now, fingerprint, keep)
  call('SET', key, state .. ' ' .. id .. ' ' .. recipients .. ' ' .. text(now) .. ' ' .. fingerprint, 'PX', text(keep))
end
