-- Read before each of the other scripts.
--
-- Keys of one user, all in one slot:
--   facts    hash: log (packed, see parse_log), past (packed: {epoch, end},
--            ..., oldest first), proofs (counted), devices (packed: name -> {cursor, used at}), key:COLLAPSE_KEY -> number of
--            the newest that is live, id:ID -> number where the request had a key, read:NUMBER -> when, ended:ID -> "NUMBER KIND WHEN READ_AT"
--   entries  stream: NUMBER-0, r -> record; what is live, or has expired and was not swept yet
--   ended    sorted set: id by time of expiry; what is no entry any more and still traced
--   proofs   sorted set: packed {after, upto, device, node, socket, at, acknowledged, order} by upto
--
-- A record is "ID SENT_AT EXPIRES_AT EVENT_BYTES COLLAPSE_KEY_BYTES\n" and then the event, the collapse key and the data
-- (src/inbox/redis_record.hpp).
--
-- Epochs: a Redis that has restarted, or another one that has taken over, may have lost what was written last. The first
-- append in another process than that of the append before begins a new epoch, and notes where the last one ends: of an
-- earlier epoch only numbers up to its end are still what they were. An epoch that is not known was lost itself.

local past_max = 16
local chunk = 256  -- entries, or fields, in one command

local call = redis.call

local function text(number) return string.format('%.0f', number) end

-- run: Redis' process. kept: until then something lives; due: not before then is there anything to sweep.
local function parse_log(packed)
  local v = cmsgpack.unpack(packed)
  return {epoch = v[1], head = v[2], dropped = v[3], bytes = v[4], live = v[5], kept = v[6], due = v[7], run = v[8]}
end

local function load_log(facts)
  local packed = call('HGET', facts, 'log')
  return packed and parse_log(packed)
end

local function epoch_of(log)
  if not log then return '0' end
  return log.epoch
end

local function load_past(facts)
  local packed = call('HGET', facts, 'past')
  if not packed then return {} end
  return cmsgpack.unpack(packed)
end

-- Up to which number the epoch says the same as the log; nil: it is of another log.
local function valid_upto(facts, log, epoch)
  if not log then return nil end
  if epoch == log.epoch then return log.head end
  local upto = log.head
  local past = load_past(facts)
  for i = #past, 1, -1 do
    if past[i][2] < upto then upto = past[i][2] end
    if past[i][1] == epoch then return upto end
  end
  return nil
end

local function load_devices(facts)
  local packed = call('HGET', facts, 'devices')
  if not packed then return {} end
  return cmsgpack.unpack(packed)
end

local function highest_cursor(devices)
  local highest = 0
  for _, device in pairs(devices) do
    if device[1] > highest then highest = device[1] end
  end
  return highest
end

-- Calls visit(number, record) for each entry behind `after`, oldest first, until it returns something, and returns that.
local function each_entry(entries, after, visit)
  local from = after
  while true do
    local some = call('XRANGE', entries, text(from + 1), '+', 'COUNT', chunk)
    for _, entry in ipairs(some) do
      from = tonumber(string.match(entry[1], '^%d+'))
      local found = visit(from, entry[2][2])
      if found then return found end
    end
    if #some < chunk then return nil end
  end
end

-- Of these numbers: number -> when it was read.
local function read_marks(facts, numbers)
  local marks = {}
  for first = 1, #numbers, chunk do
    local fields = {}
    for i = first, math.min(first + chunk - 1, #numbers) do fields[#fields + 1] = 'read:' .. text(numbers[i]) end
    local times = call('HMGET', facts, unpack(fields))
    for i = 1, #fields do
      if times[i] then marks[numbers[first + i - 1]] = times[i] end
    end
  end
  return marks
end

local function count_unread(facts, entries, now)
  local numbers = {}
  each_entry(entries, 0, function(number, record)
    if tonumber(string.match(record, '^%S+ %d+ (%d+)')) > now then numbers[#numbers + 1] = number end
  end)
  local unread, marks = 0, read_marks(facts, numbers)
  for _, number in ipairs(numbers) do
    if not marks[number] then unread = unread + 1 end
  end
  return unread
end

-- Where the notification is or was in the log: its number, and if it is no entry any more kind, time and reading time of its end.
local function find_id(facts, entries, id)
  local ended = call('HGET', facts, 'ended:' .. id)
  if ended then return string.match(ended, '^(%d+) (%d+) (%d+) (%d+)$') end
  local front = id .. ' '
  return each_entry(entries, 0, function(number, record)
    if string.sub(record, 1, #front) == front then return text(number) end
  end)
end
