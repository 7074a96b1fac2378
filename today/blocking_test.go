package today_test

import (
	"slices"
	"testing"

	"github.com/perch-im/perch/internal/xmpptest"
)

const nsBlocking = "urn:xmpp:blocking"

func blockItem(verb string, jids ...string) string {
	b := "<" + verb + " xmlns='" + nsBlocking + "'>"
	for _, j := range jids {
		b += "<item jid='" + j + "'/>"
	}
	return b + "</" + verb + ">"
}

func blockedBy(c *xmpptest.Client) []string {
	c.T.Helper()
	var list []string
	for _, i := range c.IQ("get", "", "<blocklist xmlns='"+nsBlocking+"'/>").At("blocklist").Kids {
		list = append(list, i.Get("jid"))
	}
	return list
}

func TestBlockList(t *testing.T) {
	s := start(t, world())
	ann := online(t, s, "ann", "a")
	for _, step := range []struct {
		name, payload, condition string
		want                     []string
	}{
		{"blocked", blockItem("block", at("ben"), "else.example"), "", []string{at("ben"), "else.example"}},
		{"in capitals again", blockItem("block", "BEN@Perch.Localhost"), "", []string{at("ben"), "else.example"}},
		{"with a report", "<block xmlns='" + nsBlocking + "'><item jid='a@b'><report xmlns='urn:xmpp:reporting:1' reason='urn:xmpp:reporting:spam'/></item></block>", "", []string{at("ben"), "else.example", "a@b"}},
		{"nobody", blockItem("block"), "bad-request", []string{at("ben"), "else.example", "a@b"}},
		{"no JID", blockItem("block", "@"), "jid-malformed", []string{at("ben"), "else.example", "a@b"}},
		{"oneself", blockItem("block", at("ann")), "not-allowed", []string{at("ben"), "else.example", "a@b"}},
		{"unblocked", blockItem("unblock", at("ben")), "", []string{"else.example", "a@b"}},
		{"unblocked again", blockItem("unblock", at("ben")), "item-not-found", []string{"else.example", "a@b"}},
		{"all", blockItem("unblock"), "", nil},
	} {
		if got := ann.IQ("set", "", step.payload).Condition(); got != step.condition {
			t.Errorf("%s: got the condition %q, want %q", step.name, got, step.condition)
		}
		if got := blockedBy(ann); !slices.Equal(got, step.want) {
			t.Errorf("%s: got the list %q, want %q", step.name, got, step.want)
		}
	}
	for i := range 6 {
		jids := make([]string, 100)
		for j := range jids {
			jids[j] = string(rune('a'+i)) + string(rune('a'+j/26)) + string(rune('a'+j%26)) + "@b"
		}
		if got, want := ann.IQ("set", "", blockItem("block", jids...)).Condition(), map[bool]string{true: "resource-constraint"}[i == 5]; got != want {
			t.Errorf("hundred %d: got the condition %q, want %q", i, got, want)
		}
	}
}

func TestBlockPushes(t *testing.T) {
	s := start(t, world())
	ann, second, deaf := online(t, s, "ann", "a"), online(t, s, "ann", "b"), online(t, s, "ann", "c")
	blockedBy(ann)
	blockedBy(second)
	for _, step := range []struct {
		payload, verb string
		items         int
	}{{blockItem("block", at("ben")), "block", 1}, {blockItem("unblock", at("ben")), "unblock", 1}, {blockItem("unblock"), "unblock", 0}} {
		deaf.IQ("set", "", step.payload)
		for _, c := range []*xmpptest.Client{ann, second} {
			pushes := xmpptest.Only(c.Sync(), "iq set")
			if len(pushes) != 1 || pushes[0].At(step.verb).XMLName.Space != nsBlocking || len(pushes[0].At(step.verb).Kids) != step.items {
				t.Errorf("%s: got %v, want one push with %d items", step.payload, pushes, step.items)
			}
		}
		if got := xmpptest.Only(deaf.Sync(), "iq set"); len(got) != 0 {
			t.Errorf("%s: who has not asked got %v, want no push", step.payload, got)
		}
	}
}

func TestBlockingEndsAllOfIt(t *testing.T) {
	s := start(t, world())
	ann, ben := online(t, s, "ann", "a"), online(t, s, "ben", "b")
	for _, how := range []string{at("ben"), at("ben") + "/b"} {
		ann.Sync()
		ben.Sync()
		ann.IQ("set", "", blockItem("block", how))
		ann.Sync()
		before := len(ask(ben, "", mamQuery(nil, "")).ids)
		ben.Send("<message id='m' type='chat' to='%s'><body>x</body></message>", at("ann"))
		ben.Send("<iq id='i' type='get' to='%s/a'><ping xmlns='urn:xmpp:ping'/></iq>", at("ann"))
		ben.Send("<iq id='v' type='get' to='%s'><vCard xmlns='vcard-temp'/></iq>", at("ann"))
		ben.Send("<iq id='r' type='result' to='%s/a'/>", at("ann"))
		ben.Send("<presence to='%s'/>", at("ann"))
		refused := map[string]string{}
		for _, n := range ben.Sync() {
			if n.Get("type") == "error" {
				refused[n.Get("id")] = n.Condition()
			}
		}
		if len(refused) != 3 || refused["m"] != "service-unavailable" || refused["i"] != "service-unavailable" || refused["v"] != "service-unavailable" {
			t.Errorf("%s: who is blocked got %v, want three times service-unavailable", how, refused)
		}
		if got := ann.Sync(); len(got) != 0 {
			t.Errorf("%s: who has blocked got %v, want nothing", how, got)
		}
		if got := len(ask(ben, "", mamQuery(nil, "")).ids); got != before {
			t.Errorf("%s: got %d messages in the archive, want %d", how, got, before)
		}
		ann.Send("<message id='m' type='chat' to='%s/b'><body>x</body></message>", at("ben"))
		n := ann.Find("the refusal", func(n xmpptest.Node) bool { return n.Get("type") == "error" })
		if n.Condition() != "not-acceptable" || n.At("error", "blocked").XMLName.Space != nsBlocking+":errors" {
			t.Errorf("%s: to the blocked one: got %v, want not-acceptable with blocked", how, n)
		}
		ann.IQ("set", "", blockItem("unblock"))
	}
}

func TestBlockingHidesPresence(t *testing.T) {
	s := start(t, world())
	ann, ben := online(t, s, "ann", "a"), online(t, s, "ben", "b")
	ann.Sync()
	ann.IQ("set", "", blockItem("block", at("ben")))
	if got := xmpptest.Only(ben.Sync(), "presence unavailable"); len(got) != 1 || got[0].Get("from") != at("ann")+"/a" {
		t.Errorf("blocked: ben sees %v, want ann leave", got)
	}
	ann.Send("<presence><show>away</show></presence>")
	ben.Send("<presence><show>dnd</show></presence>")
	ben.Send("<presence type='probe' to='%s'/>", at("ann"))
	ann.Sync()
	for _, n := range ben.Sync() {
		if n.Get("from") != at("ben")+"/b" {
			t.Errorf("while blocked: ben sees %v, want nothing of ann", n)
		}
	}
	late := online(t, s, "ben", "late")
	if got := xmpptest.Only(late.Sync(), "presence"); len(got) > 2 {
		t.Errorf("while blocked: ben's new session sees %v, want its own account alone", got)
	}
	ann.Sync()
	ann.IQ("set", "", blockItem("unblock", at("ben")))
	back := xmpptest.Only(ben.Sync(), "presence")
	if got := back[len(back)-1]; got.Get("from") != at("ann")+"/a" || got.At("show").Text != "away" {
		t.Errorf("unblocked: ben sees %v, want ann away", back)
	}
	if got := xmpptest.Only(ann.Sync(), "presence"); len(got) != 2 {
		t.Errorf("unblocked: ann sees %v, want both sessions of ben", got)
	}
}
