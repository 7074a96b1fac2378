package stanza_test

import "github.com/perch-im/perch/xmppconn/internal/streamtest"

// stanzaSeeds are stanzas of every kind, as servers send them and as none should.
var stanzaSeeds = []string{
	streamtest.Presence, streamtest.Message,
	"<presence from='b@b.test' type='subscribe'><status>it's me</status><nick xmlns='http://jabber.org/protocol/nick'>Bo</nick></presence>",
	"<presence from='b@b.test/1' type='unavailable'/>",
	"<iq type='result' id='1' from='b@b.test'><pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:avatar:metadata'><item id='x'><metadata xmlns='urn:xmpp:avatar:metadata'>" +
		"<info id='0beec7b5ea3f0fdbc95d0dd47f3c5bc275da8a33' bytes='3' type='image/png' url='https://b.test/a'/></metadata><data xmlns='urn:xmpp:avatar:data'>Zm9v</data></item></items></pubsub></iq>",
	"<iq type='set' id='1' from='me@a.test'><block xmlns='urn:xmpp:blocking'><item jid='b@b.test'/></block></iq>",
	"<iq type='result' id='1'><blocklist xmlns='urn:xmpp:blocking'><item jid='b@b.test'/><item/></blocklist></iq>",
	"<presence type='error' from='b@b.test'><error type='cancel'><remote-server-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>",
	"<presence from='b@b.test/1'><priority>999</priority><show>busy</show><delay xmlns='urn:xmpp:delay' stamp='yesterday'/></presence>",
	"<message type='error' id='1' from='b@b.test'><error type='cancel' by='a.test'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>no</text></error></message>",
	"<message from='me@a.test'><received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='b@b.test/1' to='me@a.test/other'><body>hi</body></message></forwarded></received></message>",
	"<message from='me@a.test'><sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' to='b@b.test' from='me@a.test/other'><body>hi</body></message></forwarded></sent></message>",
	"<message to='me@a.test/home'><result xmlns='urn:xmpp:mam:2' queryid='q' id='1'><forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2024-01-01T00:00:00Z'/><message xmlns='jabber:client' from='b@b.test/1' to='me@a.test'><body>hi</body></message></forwarded></result></message>",
	"<message>text<result xmlns='urn:xmpp:mam:2'/></message>",
	"<message from='b@b.test/1'><composing xmlns='http://jabber.org/protocol/chatstates'/><received xmlns='urn:xmpp:receipts' id='9'/></message>",
	"<message from='b@b.test/1'><displayed xmlns='urn:xmpp:chat-markers:0' id='9'/></message>",
	"<message from='b@b.test/1'><body>new</body><replace xmlns='urn:xmpp:message-correct:0' id='1'/><markable xmlns='urn:xmpp:chat-markers:0'/></message>",
	"<message from='b@b.test/1'><retract xmlns='urn:xmpp:message-retract:1' id='1'><reason>x</reason></retract><fallback xmlns='urn:xmpp:fallback:0'/><body>gone</body></message>",
	"<message from='r@c.test' type='groupchat'><apply-to xmlns='urn:xmpp:fasten:0' id='1'><moderated xmlns='urn:xmpp:message-moderate:0' by='r@c.test/m'><retract xmlns='urn:xmpp:message-retract:0'/></moderated></apply-to></message>",
	"<message from='r@c.test/x' type='groupchat'><retracted xmlns='urn:xmpp:message-retract:1' stamp='2024-01-01T00:00:00Z'><moderated xmlns='urn:xmpp:message-moderate:1' by='r@c.test/m'/></retracted></message>",
	"<message from='b@b.test/1'><reactions xmlns='urn:xmpp:reactions:0' id='1'><reaction>👍</reaction></reactions></message>",
	"<message from='b@b.test/1'><body>&gt; o\nn @me</body><reply xmlns='urn:xmpp:reply:0' to='me@a.test' id='1'/><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='4'/></fallback>" +
		"<reference xmlns='urn:xmpp:reference:0' type='mention' uri='xmpp:me@a.test' begin='6' end='9'/></message>",
	"<message from='b@b.test/1'><x xmlns='jabber:x:oob'><url>u</url></x>" + sharedFile("u") + "</message>",
	"<message from='b@b.test/1'><encrypted xmlns='eu.siacs.conversations.axolotl'><payload>A</payload></encrypted><encryption xmlns='urn:xmpp:eme:0' namespace='x'/><body>no</body><a xmlns='urn:a' xml:lang='de'>x<b/>y</a></message>",
	"<message from='r@c.test'><x xmlns='http://jabber.org/protocol/muc#user'><invite from='b@b.test'/><password>p</password></x><body>come</body></message>",
	"<message from='b@b.test/1'><x xmlns='jabber:x:conference' jid='r@c.test'/></message>",
	"<message from='me@a.test' type='headline'><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='urn:xmpp:mds:displayed:0'><item id='b@b.test'><displayed xmlns='urn:xmpp:mds:displayed:0'>" +
		"<stanza-id xmlns='urn:xmpp:sid:0' by='me@a.test' id='7'/></displayed></item></items></event></message>",
	"<message from='me@a.test' type='headline'><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='urn:xmpp:bookmarks:1'><item id='r@c.test'><conference xmlns='urn:xmpp:bookmarks:1' autojoin='1'>" +
		"<nick>Al</nick><extensions><x xmlns='urn:x'/></extensions></conference></item><retract id='s@c.test'/></items></event></message>",
	"<message from='me@a.test' type='headline'><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='storage:bookmarks'><item><storage xmlns='storage:bookmarks'><conference jid='r@c.test'/></storage></item></items></event></message>",
	"<message from='b@b.test/1'><body>hi</body><spoiler xmlns='urn:xmpp:spoiler:0'>x</spoiler><unstyled xmlns='urn:xmpp:styling:0'/><store xmlns='urn:xmpp:hints'/></message>",
	"<message from='r@c.test' type='groupchat'><subject/></message>",
	"<message from='r@c.test/x' type='groupchat'><body>hi</body><composing xmlns='http://jabber.org/protocol/chatstates'/><delay xmlns='urn:xmpp:delay' from='r@c.test' stamp='2024-01-01T00:00:00Z'/>" +
		"<stanza-id xmlns='urn:xmpp:sid:0' by='r@c.test' id='7'/><occupant-id xmlns='urn:xmpp:occupant-id:0' id='o'/></message>",
	"<message from='r@c.test'><x xmlns='http://jabber.org/protocol/muc#user'><status code='104'/><item affiliation='member' jid='b@b.test/1'><reason>x</reason></item></x></message>",
	"<message from='r@c.test'><x xmlns='http://jabber.org/protocol/muc#user'><decline from='b@b.test'><reason>x</reason></decline></x><body>no</body></message>",
	"<message from='r@c.test/x' type='chat'><x xmlns='http://jabber.org/protocol/muc#user'/><body>hi</body></message>",
	"<presence from='r@c.test/x' type='unavailable' id='1'><x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='none' role='none' nick='y'><actor nick='z'/></item><status code='303'/><destroy jid='n@c.test'/></x></presence>",
	"<presence from='r@c.test/x' type='error' id='1'><x xmlns='http://jabber.org/protocol/muc'/><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>xmpp:n@c.test?join</gone></error></presence>",
	"<iq id='1' type='result'><pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><configure node='n'><x xmlns='jabber:x:data'><field var='pubsub#max_items'><value>255</value></field></x></configure></pubsub></iq>",
	"<iq id='1' type='get' from='a.test'><query xmlns='http://jabber.org/protocol/disco#info' node='n'/></iq>",
	"<iq id='1' type='get' from='a.test'><time xmlns='urn:xmpp:time'/></iq>",
	"<iq id='1' type='result' from='me@a.test'><query xmlns='jabber:iq:roster' ver='7'><item jid='b@b.test/x' name='Bo' subscription='both' ask='subscribe' approved='1'><group>Friends</group></item></query></iq>",
	"<iq id='1' type='set'><query xmlns='jabber:iq:roster'><item jid='b@b.test' subscription='remove'/></query></iq>",
	"<iq id='1' type='result'><vCard xmlns='vcard-temp'><FN>Bo</FN><N><GIVEN>B</GIVEN></N><EMAIL><USERID>b@b.test</USERID></EMAIL><PHOTO><TYPE>image/png</TYPE><BINVAL>iVBOR w0KGgo=</BINVAL></PHOTO></vCard></iq>",
	"<iq id='1' type='result'><chat xmlns='urn:xmpp:archive' with='b@b.test' start='2012-05-01T10:00:00Z'><from secs='0'><body>hi</body></from><to secs='11'><body>hello</body></to><from utc='2012-05-01T11:00:00Z'><body>x</body></from></chat></iq>",
	"<iq id='1' type='result'><fin xmlns='urn:xmpp:mam:2' complete='true'><set xmlns='http://jabber.org/protocol/rsm'><first>1</first><last>2</last><count>2</count></set></fin></iq>",
	"<iq id='1' type='result'><getjid xmlns='jidlookup'><jid>1@b.test</jid></getjid></iq>",
	"<iq id='1' type='result'><query xmlns='http://jabber.org/protocol/disco#info'><feature var='urn:xmpp:mam:2'/></query></iq>",
	"<iq id='1' type='result'><query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data' type='form'><field var='withtext'/><field var='{urn:xmpp:fulltext:0}fulltext'/></x></query></iq>",
	"<enabled xmlns='urn:xmpp:sm:3' id='x' resume='true' max='60' location='h:1'/>",
	"<failed xmlns='urn:xmpp:sm:3' h='4294967296'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>",
	"<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>[::1]:5222</see-other-host></stream:error>",
}
