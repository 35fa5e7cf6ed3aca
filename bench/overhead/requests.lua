-- wrk's script: numbers every request and finds the number in the answer, so that only right
-- answers count and each is timed by itself. Prints one line of JSON.
--
-- Arguments: "get", or "post" BODY ANSWER STATUS (see peers.py, Question).

local ffi = require("ffi")
ffi.cdef [[
  typedef struct { long seconds; long nanoseconds; } bench_time;
  int clock_gettime(int clock, bench_time *time);
]]
local CLOCK_MONOTONIC = 1
local time = ffi.new("bench_time")

local function now_us()
  ffi.C.clock_gettime(CLOCK_MONOTONIC, time)
  return tonumber(time.seconds) * 1e6 + tonumber(time.nanoseconds) / 1e3
end

local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  is_post = args[1] == "post"
  body_format, answer_pattern, status_pattern = args[2], args[3], args[4]
  headers = { ["Content-Type"] = "application/json" }
  number = 0
  sent_at = {}     -- number of a request -> when it was sent
  statuses = {}    -- HTTP status -> count
  latencies = {}   -- microseconds of a right answer -> count
  succeeded = 0
  wrong = 0        -- 2xx with something else than the answer to an open request
end

function request()
  if not is_post then return wrk.format("GET") end
  number = number + 1
  sent_at[number] = now_us()
  return wrk.format("POST", nil, headers, string.format(body_format, number))
end

local function count_answer(body)
  local asked = tonumber(string.match(body, answer_pattern) or "")
  local sent = asked and sent_at[asked]
  if not sent or (status_pattern ~= "" and not string.find(body, status_pattern)) then
    wrong = wrong + 1
    return
  end
  sent_at[asked] = nil
  succeeded = succeeded + 1
  local latency = math.floor(now_us() - sent)
  latencies[latency] = (latencies[latency] or 0) + 1
end

function response(status, headers, body)
  statuses[status] = (statuses[status] or 0) + 1
  if status < 200 or status > 299 then return end
  if is_post then count_answer(body) else succeeded = succeeded + 1 end
end

local function as_json(counts)
  local parts = {}
  for key, count in pairs(counts) do
    table.insert(parts, string.format('"%d":%d', key, count))
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

function done(summary, latency, requests)
  local thread = threads[1]
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"duration_us":%d,"statuses":%s,"succeeded":%d,"wrong":%d,"latencies_us":%s,' ..
    '"socket_errors":%d,"all_p50_us":%d,"all_p99_us":%d}\n',
    summary.duration, as_json(thread:get("statuses")), thread:get("succeeded"),
    thread:get("wrong"), as_json(thread:get("latencies")),
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
