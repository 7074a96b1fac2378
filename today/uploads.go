package today

import (
	"encoding/xml"
	"mime"
	"strconv"
	"strings"
	"time"

	"github.com/perch-im/perch/internal/xmppserver"
)

const (
	nsUpload   = "urn:xmpp:http:upload:0"
	uploadHost = "upload."
)

// stanza answers requests to the component; it has no messages and no presence.
func (u *uploads) stanza(x *session, e *xmppserver.Element) {
	kind := e.Get("type")
	switch {
	case kind == "result" || kind == "error" || e.Name.Local == "presence":
		return
	case e.Name.Local != "iq" || strings.Contains(e.Get("to"), "@"):
		x.bounce(e, "service-unavailable")
		return
	}
	r := &request{s: u.s, from: x, iq: e, payload: e.Payload(), set: kind == "set"}
	handle := map[xml.Name]func(*request){
		{Space: xmppserver.NSInfo, Local: "query"}: u.info,
		{Space: nsItems, Local: "query"}:           u.items,
		{Space: xmppserver.NSPing, Local: "ping"}:  ping,
		{Space: nsUpload, Local: "request"}:        u.slot,
	}
	switch {
	case (kind != "get" && kind != "set") || e.Get("id") == "" || len(e.Elements()) != 1:
		r.fail("bad-request")
	case handle[r.payload.Name] == nil:
		r.fail("service-unavailable")
	case r.set:
		r.fail("bad-request")
	default:
		handle[r.payload.Name](r)
	}
}

// leave does nothing: a file outlives the session that has sent it.
func (u *uploads) leave(*session) {}

// info says what the component is, and how large a file may be (XEP-0363, 4).
func (u *uploads) info(r *request) {
	if r.payload.Get("node") != "" {
		r.fail("item-not-found")
		return
	}
	b := append([]byte("<query xmlns='"+xmppserver.NSInfo+"'>"), "<identity category='store' type='file' name='Uploads'/>"...)
	b = appendFeatures(b, xmppserver.NSInfo, nsItems, xmppserver.NSPing, nsUpload)
	b = appendField(appendForm(b, "result", nsUpload), "", "max-file-size", strconv.Itoa(maxUpload))
	r.result(append(b, "</x></query>"...))
}

func (u *uploads) items(r *request) { r.result([]byte("<query xmlns='" + nsItems + "'/>")) }

// slot gives a place for one file (XEP-0363, 5).
func (u *uploads) slot(r *request) {
	f, condition := parseSlot(r.payload)
	switch {
	case condition == "too-large":
		r.failMore("not-acceptable", "<file-too-large xmlns='"+nsUpload+"'><max-file-size>"+strconv.Itoa(maxUpload)+"</max-file-size></file-too-large>")
		return
	case condition != "":
		r.fail(condition)
		return
	}
	f.owner, f.at, f.key = r.from.acct, time.Now(), xmppserver.NewID()
	if !u.add(f) {
		retry := time.Now().Add(slotTime).UTC().Format(xmppserver.StampLayout)
		r.failMore("resource-constraint", "<retry xmlns='"+nsUpload+"' stamp='"+retry+"'/>")
		return
	}
	address := u.address(f)
	b := xmppserver.AppendAttr([]byte("<slot xmlns='"+nsUpload+"'><put"), "url", address)
	b = xmppserver.AppendAttr(append(b, "/><get"...), "url", address)
	r.result(append(b, "/></slot>"...))
}

// parseSlot reads a request for a slot; a condition refuses it.
func parseSlot(e *xmppserver.Element) (f *file, condition string) {
	size, err := strconv.ParseInt(e.Get("size"), 10, 64)
	f = &file{name: e.Get("filename"), typ: e.Get("content-type"), size: int(min(size, maxUpload+1))}
	switch {
	case err != nil || size < 0 || f.name == "":
		return nil, "bad-request"
	case len(f.name) > maxFileName || f.name == "." || f.name == ".." || len(f.typ) > maxFileName:
		return nil, "not-acceptable"
	case f.size > maxUpload:
		return nil, "too-large"
	case f.typ != "" && mediaType(f.typ) == "":
		return nil, "bad-request"
	}
	return f, ""
}

// mediaType is a content type without what could end a header, or "".
func mediaType(typ string) string {
	name, params, err := mime.ParseMediaType(typ)
	if err != nil || !strings.Contains(name, "/") {
		return ""
	}
	return mime.FormatMediaType(name, params)
}
