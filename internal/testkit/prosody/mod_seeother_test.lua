-- For tests only. Answers <see-other-host/> (RFC 6120, 4.9.3.19) at one stage: "pretls",
-- "posttls" or "postauth"; "none" answers as usual.
local stage = module:get_option_string("seeother_stage", "none");
local target = module:get_option_string("seeother_target", "");

-- Prosody calls this hook between its stream header and the features that it is about to
-- send. The error goes out here and now, ahead of the features, and the stream ends: a
-- timer would let a fast client get past the stage. What is written after close is dropped.
module:hook("stream-features", function (event)
	local origin = event.origin;
	local at = (origin.type == "c2s" or origin.username) and "postauth"
		or (origin.secure and "posttls" or "pretls");
	if at ~= stage then return; end
	origin.send("<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>"
		..target.."</see-other-host></stream:error></stream:stream>");
	origin.conn:close();
end, 1000);
