--- Helps.
-- More.
local function helper() end
function M.setup(opts) end
function M:run() end
function glob() end
M.load = function(x) end
local x = function() end
local LIMIT = 3
local t = { a = function() end, b = 2 }
M.t = { c = function() end }
return { foo = function() end, bar = 1 }
