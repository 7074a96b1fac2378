-- For tests only. Answers <see-other-host/> (RFC 6120, 4.9.3.19) at one stage: "pretls",
-- "posttls" or "postauth"; "none" answers as usual.
local stage = module:get_option_string("seeother_stage", "none");
local target = module:get_option_string("seeother_target", "");

module:hook("stream-features", function (event)
	local origin = event.origin;
	local at = (origin.type == "c2s" or origin.username) and "postauth"
		or (origin.secure and "posttls" or "pretls");
	if at ~= stage then return; end
	module:add_timer(0, function ()
		origin.send("<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>"
			..target.."</see-other-host></stream:error></stream:stream>");
		origin.conn:close();
	end);
end, 1000);
