-- Asks for one phone's file after another; PHONES says how many there are. However few there are,
-- no request is written like the one before it, so that asking costs the same for all numbers: the
-- server does not look at what follows the question mark.
local phones, n = tonumber(os.getenv("PHONES")), 0
request = function()
	n = (n + 7919) % 60000
	return wrk.format("GET", string.format("/SEP00000%d.cnf.xml?%d", 1000000 + n % phones, n))
end
