-- For tests only. Accounts are two text files that tests append to while the server runs:
-- "passwords" with lines "user password", "tokens" with lines "token user". Offers PLAIN,
-- OAUTHBEARER (by mod_sasl_oauthbearer), X-OAUTH2 (authzid NUL user NUL token) and
-- X-MESSENGER-OAUTH2 (the token alone).
local new_sasl = require "util.sasl".new;
local register = require "util.sasl".registerMechanism;
local base64 = require "util.encodings".base64;
local dir = module:get_option_string("bearertest_dir");

local function lookup(file, key)
	local f = io.open(dir.."/"..file, "r");
	if not f then return nil; end
	local found;
	for line in f:lines() do
		local k, v = line:match("^(%S+) (%S+)$");
		if k == key then found = v; end
	end
	f:close();
	return found;
end

register("X-OAUTH2", { "x_oauth2" }, function (self, message)
	local user, token = (message or ""):match("^[^%z]*%z([^%z]*)%z(.+)$");
	if not user then return "failure", "malformed-request"; end
	if lookup("tokens", token) ~= user then return "failure", "not-authorized", "bad token"; end
	self.username = user;
	return "success";
end);

-- The text on the wire is the token, itself base64, which Prosody has already decoded.
register("X-MESSENGER-OAUTH2", { "x_messenger" }, function (self, message)
	local user = message and lookup("tokens", base64.encode(message));
	if not user then return "failure", "not-authorized"; end
	self.username = user;
	return "success";
end);

local provider = {};
function provider.test_password(user, password) return lookup("passwords", user) == password; end
function provider.user_exists(user) return lookup("passwords", user) ~= nil; end
function provider.users() return function () end; end
function provider.set_password(user, password)
	local f = io.open(dir.."/passwords", "a"); -- the last line of a user counts
	if not f then return nil, "no file"; end
	f:write(user.." "..password.."\n");
	f:close();
	return true;
end
function provider.create_user() return nil, "not supported"; end
function provider.delete_user() return nil, "not supported"; end
function provider.get_sasl_handler()
	return new_sasl(module.host, {
		plain_test = function (_, user, password) return provider.test_password(user, password), true; end;
		oauthbearer = function (_, user, token) return lookup("tokens", token) == user, true; end;
		x_oauth2 = true;
		x_messenger = true;
	});
end
module:provides("auth", provider);
