-- requests.lua, with a pause after every answer: a random number of milliseconds between the last
-- two arguments.
--
-- Arguments: those of requests.lua, MIN_MS MAX_MS.

dofile("requests.lua")

local init_requests = init

function init(args)
  init_requests(args)
  min_ms, max_ms = tonumber(args[5]), tonumber(args[6])
  math.randomseed(1)
end

-- wrk asks for it before every request but the first. Source: wrk, SCRIPTING.
function delay()
  return math.random(min_ms, max_ms)
end
