package today

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/xmppserver"
)

// element reads bytes of a stranger as an element, or nil.
func element(raw []byte) *xmppserver.Element {
	d := xml.NewDecoder(bytes.NewReader(raw))
	var stack []*xmppserver.Element
	for {
		t, err := d.Token()
		if err != nil {
			return nil
		}
		switch t := t.(type) {
		case xml.StartElement:
			e := &xmppserver.Element{Name: t.Name, Attr: slices.Clone(t.Attr)}
			if len(stack) > 0 {
				top := stack[len(stack)-1]
				top.Kids = append(top.Kids, xmppserver.Node{El: e})
			}
			stack = append(stack, e)
		case xml.EndElement:
			if len(stack) == 1 {
				return stack[0]
			}
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if len(stack) > 0 {
				top := stack[len(stack)-1]
				top.Kids = append(top.Kids, xmppserver.Node{Text: string(t)})
			}
		}
	}
}

// wellFormed reports an error in what is written.
func wellFormed(b []byte) error {
	d := xml.NewDecoder(bytes.NewReader(b))
	for {
		if _, err := d.Token(); err == io.EOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("%w in %s", err, b)
		}
	}
}

func TestArchiveIsBounded(t *testing.T) {
	for _, tt := range []struct {
		name     string
		n, bytes int
		want     int
	}{
		{"few", 10, 10, 10},
		{"many", maxArchived + 5, 10, maxArchived},
		{"large", 100, 200 << 10, maxArchiveBytes / (200<<10 + 152)},
		{"one that is larger than all", 2, maxArchiveBytes, 1},
	} {
		var a archive
		for i := range tt.n {
			a.add(archived{id: fmt.Sprintf("%024d", i), at: time.UnixMilli(int64(i)), stanza: make([]byte, tt.bytes)})
		}
		sum := 0
		for i := range a.list {
			sum += a.list[i].size()
		}
		if len(a.list) != tt.want || a.bytes != sum {
			t.Errorf("%s: got %d messages of %d bytes, want %d of %d", tt.name, len(a.list), a.bytes, tt.want, sum)
		}
		for i, m := range a.list { // the newest, and in order
			if want := fmt.Sprintf("%024d", tt.n-tt.want+i); m.id != want {
				t.Fatalf("%s: message %d: got the id %s, want %s", tt.name, i, m.id, want)
			}
		}
	}
}

func TestArchiveTombstone(t *testing.T) {
	var a archive
	e := element([]byte("<message xmlns='jabber:client'><body>Secret words</body></message>"))
	a.add(newArchived("a@b", e, []byte("<message><body>Secret words</body></message>")))
	id := a.list[0].id
	if a.replace("other", nil) || !a.replace(id, []byte("<message/>")) {
		t.Error("replace: got another answer, want it for the id that there is alone")
	}
	if p, _ := a.query(archiveQuery{words: []string{"secret"}, max: 10}, 1000); len(p.items) != 0 {
		t.Errorf("got %d messages by a word that is gone, want none", len(p.items))
	}
	if got := a.get(id); got == nil || string(got.stanza) != "<message/>" || a.bytes != got.size() {
		t.Errorf("got %v with %d bytes in all, want the tombstone alone", got, a.bytes)
	}
}

func TestArchivePageIsBoundedInBytes(t *testing.T) {
	var a archive
	for i := range 5 {
		a.add(archived{id: fmt.Sprint(i), at: time.UnixMilli(int64(i)), stanza: make([]byte, 100)})
	}
	for _, tt := range []struct {
		name     string
		q        archiveQuery
		bytes    int
		want     string
		complete bool
	}{
		{"room for all", archiveQuery{max: 10}, 500, "01234", true},
		{"for two", archiveQuery{max: 10}, 299, "01", false},
		{"for two at the end", archiveQuery{max: 10, last: true}, 299, "34", false},
		{"for less than one", archiveQuery{max: 10}, 1, "0", false},
		{"for less than the only one", archiveQuery{max: 10, after: "3"}, 1, "4", true},
	} {
		p, ok := a.query(tt.q, tt.bytes)
		var got strings.Builder
		for _, m := range p.items {
			got.WriteString(m.id)
		}
		if !ok || got.String() != tt.want || p.complete != tt.complete || p.count != 5 {
			t.Errorf("%s: got %s, complete %v, count %d, want %s, %v, 5", tt.name, got.String(), p.complete, p.count, tt.want, tt.complete)
		}
	}
}

func FuzzMAMForm(f *testing.F) {
	for _, s := range []string{
		"<query xmlns='urn:xmpp:mam:2'/>",
		"<query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field><field var='with'><value>a@b/c</value></field><field var='ids'><value>1</value><value>2</value></field></x><set xmlns='http://jabber.org/protocol/rsm'><max>3</max><before/></set><flip-page/></query>",
		"<query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field><field var='start'><value>2020-01-01T00:00:00Z</value></field><field var='{urn:xmpp:fulltext:0}fulltext'><value>a b</value></field></x></query>",
	} {
		f.Add([]byte(s))
	}
	var a archive
	for i := range 4 {
		m := newArchived("a@b/c", element([]byte("<message xmlns='jabber:client'><body>a b</body></message>")), []byte("<message/>"))
		m.id = fmt.Sprint(i)
		a.add(m)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		e := element(raw)
		if e == nil {
			return
		}
		q, condition := parseArchiveQuery(e)
		if condition != "" {
			return
		}
		p, ok := a.query(q, 1<<20)
		if ok && (len(p.items) > q.max || p.index+len(p.items) > p.count) {
			t.Errorf("%+v: got %d items at %d of %d, want no more than there are", q, len(p.items), p.index, p.count)
		}
		if err := wellFormed(p.fin()); err != nil {
			t.Errorf("fin: got %v, want none", err)
		}
	})
}
