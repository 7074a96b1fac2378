package stanza_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
)

// archiveForm is the answer of an archive with these fields.
func archiveForm(fields ...string) string {
	var b strings.Builder
	b.WriteString("<query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data' type='form'><field type='hidden' var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field>")
	for _, name := range fields {
		b.WriteString("<field type='text-single' var='" + name + "'/>")
	}
	return b.String() + "</x></query>"
}

func TestParseArchiveForm(t *testing.T) {
	const fulltext = "{urn:xmpp:fulltext:0}fulltext"
	for name, tt := range map[string]struct{ raw, want string }{
		"Prosody":                  {archiveForm("with", "start", "end", "before-id", "after-id", "ids"), ""},
		"ejabberd":                 {archiveForm("with", "start", "end"), ""},
		"ejabberd with SQL":        {archiveForm("with", "start", "end", "withtext"), "withtext"},
		"XEP-0431":                 {archiveForm("with", fulltext), fulltext},
		"Openfire":                 {archiveForm("with", "search", "withtext", fulltext), fulltext},
		"MongooseIM":               {archiveForm("with", "full-text-search"), "full-text-search"},
		"a field without a name":   {archiveForm(""), ""},
		"a field that is text":     {"<query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data'><field type='fixed' var='withtext'/></x></query>", ""},
		"no form":                  {"<query xmlns='urn:xmpp:mam:2'/>", ""},
		"a form of something else": {"<query xmlns='urn:xmpp:mam:1'><x xmlns='jabber:x:data'><field var='withtext'/></x></query>", ""},
	} {
		if got, err := stanza.ParseArchiveForm(streamtest.Parse(t, tt.raw)); got != tt.want || err != nil {
			t.Errorf("%s: got %q, %v; want %q", name, got, err, tt.want)
		}
	}
	if got, err := stanza.ParseArchiveForm(nil); got != "" || err != nil {
		t.Errorf("nothing: got %q, %v; want none", got, err)
	}
	many := make([]string, 300)
	for i := range many {
		many[i] = fmt.Sprint("f", i)
	}
	if got, err := stanza.ParseArchiveForm(streamtest.Parse(t, archiveForm(many...))); got != "" || !errors.Is(err, perch.ErrAnswerTooLarge) {
		t.Errorf("too many fields: got %q, %v; want %v", got, err, perch.ErrAnswerTooLarge)
	}
	equal(t, "EncodeArchiveForm()", string(stanza.EncodeArchiveForm()), "<query xmlns='urn:xmpp:mam:2'/>")
}
