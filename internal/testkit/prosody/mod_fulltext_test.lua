-- For tests only. Archives that can be searched for a text (XEP-0431): the form of mod_mam and
-- mod_muc_mam has the field for it, and what they find in the store is filtered by its body.
local st = require "util.stanza";
local dataform = require "util.dataforms".new;
local xmlns_mam = "urn:xmpp:mam:2";
local field = "{urn:xmpp:fulltext:0}fulltext";
local muc = module:get_host_type() == "component";
local hook = muc and "bare" or "self";

local query_form = dataform {
	{ name = "FORM_TYPE"; type = "hidden"; value = xmlns_mam };
	{ name = "with"; type = "jid-single" };
	{ name = "start"; type = "text-single" };
	{ name = "end"; type = "text-single" };
	{ name = field; type = "text-single" };
};

module:hook("iq-get/"..hook.."/"..xmlns_mam..":query", function (event)
	event.origin.send(st.reply(event.stanza):query(xmlns_mam):add_child(query_form:form()));
	return true;
end, 10);

local text; -- of the query that is about to be answered
module:hook("iq-set/"..hook.."/"..xmlns_mam..":query", function (event)
	local form = event.stanza.tags[1]:get_child("x", "jabber:x:data");
	text = form and query_form:data(form)[field];
end, 10);

-- The first call of find after the hook is that of the query. All stores of a host have these methods.
local methods = getmetatable(module:open_store(muc and "muc_log" or "archive", "archive")).__index;
local find = methods.find;
function methods:find(username, query)
	local wanted, limit = text, query and query.limit;
	text = nil;
	if not wanted then return find(self, username, query); end
	query.limit = nil;
	local data, err = find(self, username, query);
	if not data then return data, err; end
	local count = 0;
	return function ()
		if limit and count >= limit then return; end
		for id, item, when, with in data do
			local stanza = st.is_stanza(item) and item or st.deserialize(item);
			local body = stanza:get_child_text("body");
			if body and body:lower():find(wanted:lower(), 1, true) then
				count = count + 1;
				return id, item, when, with;
			end
		end
	end, err;
end
