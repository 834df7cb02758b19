-- Asks for one phone's file after another; PHONES says how many there are.
local phones, n = tonumber(os.getenv("PHONES")), 0
request = function()
	n = (n + 7919) % phones
	return wrk.format("GET", string.format("/SEP00000%d.cnf.xml", 1000000 + n))
end
