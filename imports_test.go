package perch_test

import (
	"cmp"
	"go/parser"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/perch-im/perch"

// arrow says what the code of one package, and of the packages below it, may import. The
// tests of a package are exempt: they put parts together on purpose.
type arrow struct {
	from  string   // folder in the module; "." is the root package
	may   []string // packages of the module; "*" is every one but those that only tests use
	libs  []string // modules of others, by the beginning of their path
	never []string // packages of the standard library
	why   string
}

var (
	extended = "golang.org/x/" // counts as the standard library: any package may use it
	arrows   = []arrow{
		{
			from: ".", may: []string{"internal/jsonappend"}, libs: []string{"mellium.im/xmpp/jid"},
			never: []string{"net", "net/http", "os", "encoding/xml", "sync", "context"},
			why:   "the root package has the words that all others speak: no I/O, no goroutines, nothing to configure",
		},
		{
			from:  "xmppconn",
			may:   []string{".", "internal/ttlmap", "internal/logingate", "xmppconn/internal/diagnosis", "xmppconn/internal/stanza", "xmppconn/internal/sasl", "xmppconn/internal/xmlstream", "xmppconn/internal/negotiate", "xmppconn/internal/exchange", "xmppconn/internal/smwire", "xmppconn/internal/address", "xmppconn/internal/password", "xmppconn/internal/readsync", "xmppconn/internal/roomadmin", "xmppconn/internal/blocking", "xmppconn/internal/cards", "xmppconn/internal/upload", "xmppconn/internal/archive", "xmppconn/internal/raw", "xmppconn/internal/passthrough", "xmppconn/internal/bookmarks", "xmppconn/internal/readiness", "xmppconn/internal/quickack", "xmppconn/internal/tlsbuffer", "xmppconn/internal/clientcert"},
			libs:  []string{"mellium.im/xmpp/"},
			never: []string{"net/http"},
			why:   "xmppconn is one XMPP connection and nothing else: it knows no session, no store and no HTTP",
		},
		{
			from: "xmppconn/internal/xmlstream", may: []string{"."},
			never: []string{"net", "encoding/xml", "context", "time"},
			why:   "xmlstream turns bytes into trees and texts into bytes: it knows no stanza, no socket and no clock",
		},
		{
			from: "xmppconn/internal/stanza", may: []string{".", "xmppconn/internal/xmlstream", "internal/payload"},
			never: []string{"net", "encoding/xml", "context", "sync"},
			why:   "stanza is the codec: what a payload says and how it is written, and neither a connection nor a session",
		},
		{
			from: "xmppconn/internal/diagnosis", may: []string{".", "xmppconn/internal/xmlstream"}, libs: []string{"mellium.im/xmpp/stream"},
			never: []string{"net/http", "encoding/xml"},
			why:   "diagnosis reads the errors of a login and has the words for them: it makes no connection, and decides nothing",
		},
		{
			from: "xmppconn/internal/pepnode", may: []string{".", "xmppconn/internal/stanza", "xmppconn/internal/xmlstream"},
			never: []string{"net", "encoding/xml", "time"},
			why:   "pepnode decides when a node of an account is safe: it asks by a function, and has no connection",
		},
		{
			from: "xmppconn/internal/raw", may: []string{".", "xmppconn/internal/stanza", "xmppconn/internal/xmlstream"},
			never: []string{"net", "encoding/xml", "time"},
			why:   "raw judges a stanza that a client has written: it has no connection",
		},
		{
			from: "xmppconn/internal/passthrough", may: []string{".", "xmppconn/internal/raw", "xmppconn/internal/stanza", "xmppconn/internal/xmlstream"},
			never: []string{"net", "encoding/xml", "context"},
			why:   "passthrough is what clients get of what arrives: it answers by a function, and has no connection",
		},
		{
			from: "xmppconn/internal/archive", may: []string{".", "xmppconn/internal/stanza", "xmppconn/internal/xmlstream"},
			never: []string{"net", "encoding/xml"},
			why:   "archive is how archives are read: it asks by a function, and has no connection",
		},
		{
			from: "xmppconn/internal/readsync", may: []string{".", "xmppconn/internal/pepnode", "xmppconn/internal/stanza"},
			never: []string{"net", "encoding/xml", "time"},
			why:   "readsync is the read positions that an account has on its server: it asks by a function, and has no connection",
		},
		{
			from: "xmppconn/internal/bookmarks", may: []string{".", "xmppconn/internal/pepnode", "xmppconn/internal/stanza", "xmppconn/internal/xmlstream"},
			never: []string{"net", "encoding/xml"},
			why:   "bookmarks is the rooms that an account has in its list on the server: it asks by a function, and has no connection",
		},
		{
			from: "xmppconn/internal/blocking", may: []string{".", "xmppconn/internal/stanza", "xmppconn/internal/xmlstream"},
			never: []string{"net", "encoding/xml", "time"},
			why:   "blocking is the block list that an account has on its server: it asks by a function, and has no connection",
		},
		{
			from: "xmppconn/internal/cards", may: []string{".", "xmppconn/internal/stanza", "xmppconn/internal/xmlstream"},
			never: []string{"net", "encoding/xml"},
			why:   "cards is the cards and pictures of accounts: it asks by a function, and has no connection",
		},
		{
			from: "xmppconn/internal/roomadmin", may: []string{".", "xmppconn/internal/stanza", "xmppconn/internal/xmlstream"},
			never: []string{"net", "encoding/xml", "time"},
			why:   "roomadmin is what rooms are asked for: it asks by a function, and has no connection",
		},
		{
			from: "xmppconn/internal/upload", may: []string{".", "xmppconn/internal/stanza", "xmppconn/internal/xmlstream"},
			never: []string{"net", "net/http", "encoding/xml"},
			why:   "upload asks for slots for files: it asks by a function, and neither has a connection nor sends a file",
		},
		{
			from: "xmppconn/internal/sasl", libs: []string{"github.com/xdg-go/"},
			never: []string{"net", "encoding/xml", "context", "sync"},
			why:   "sasl is the mechanisms: which of them may see which credential is decided by negotiate",
		},
		{
			from: "xmppconn/internal/clientcert", may: []string{".", "xmppconn/internal/diagnosis"},
			never: []string{"os", "net/http", "encoding/xml", "context", "sync"},
			why:   "clientcert is what an operator's certificate may be used for: it reads no file and makes no connection",
		},
		{
			from: "xmppconn/internal/negotiate", may: []string{".", "xmppconn/internal/clientcert", "xmppconn/internal/diagnosis", "xmppconn/internal/sasl", "xmppconn/internal/xmlstream"},
			never: []string{"net", "encoding/xml", "context", "sync", "time"},
			why:   "negotiate decides which mechanism a login uses: it makes no connection",
		},
		{
			from: "xmppconn/internal/exchange", may: []string{".", "xmppconn/internal/diagnosis", "xmppconn/internal/sasl", "xmppconn/internal/stanza", "xmppconn/internal/xmlstream"},
			never: []string{"net", "crypto/tls", "context", "sync"},
			why:   "exchange runs a mechanism on a stream: it writes and reads by functions, and has no connection",
		},
		{
			from: "xmppconn/internal/smwire", may: []string{".", "xmppconn/internal/stanza", "xmppconn/internal/xmlstream"},
			never: []string{"net", "encoding/xml", "context", "sync", "time"},
			why:   "smwire is the elements of stream management: what they mean for a stream is decided by its connection",
		},
		{
			from: "xmppconn/internal/password", may: []string{".", "xmppconn/internal/xmlstream"},
			never: []string{"net", "encoding/xml", "time"},
			why:   "password changes the password of an account: it asks by a function, and has no connection",
		},
		{
			from: "xmppconn/internal/address", may: []string{"internal/dialguard"},
			never: []string{"net/http", "context", "sync"},
			why:   "address judges addresses: it dials none",
		},
		{
			from: "xmppconn/internal/readiness", libs: []string{"go.uber.org/goleak"}, never: []string{"crypto/tls", "encoding/xml"},
			why: "readiness watches sockets for their readers, and knows nothing of what is read",
		},
		{
			from: "xmppconn/internal/quickack",
			why:  "quickack sets an option of a TCP connection",
		},
		{
			from: "xmppconn/internal/tlsbuffer",
			why:  "tlsbuffer knows one thing about tls.Conn, for one release of Go",
		},
		{
			from: "xmppconn/internal/streamtest", may: []string{"xmppconn/internal/xmlstream"},
			why: "streamtest gives the tests of xmppconn streams to read, and judges nothing",
		},
		{
			from: "sessions", may: []string{".", "internal/jsonappend", "internal/ttlmap", "internal/copies", "internal/contacts", "internal/conversations", "internal/occupants"},
			never: []string{"net", "net/http", "encoding/xml"},
			why:   "sessions sees neither XML nor HTTP: it declares the interfaces that it needs (DialFunc, Conn, Store)",
		},
		{
			from: "cache", may: []string{".", "sessions", "cache", "internal/ttlmap", "internal/copies", "internal/contacts", "internal/conversations"}, libs: []string{"github.com/redis/go-redis/"},
			never: []string{"net/http", "encoding/xml"},
			why:   "cache is sessions.Store in memory and on Redis, and knows of no protocol",
		},
		{
			from: "cache/storetest", may: []string{".", "sessions", "internal/contacts", "internal/conversations"}, libs: []string{"github.com/google/go-cmp/", "pgregory.net/rapid", "go.uber.org/goleak"},
			why: "storetest is what every Store must pass, so it knows none of them",
		},
		{
			from: "api", may: []string{".", "sessions", "internal/jsonappend", "internal/ttlmap", "internal/strictjson", "internal/payload", "internal/dialguard", "internal/static", "api/internal/mcptools"},
			libs:  []string{"github.com/go-chi/", "github.com/coder/websocket"},
			never: []string{"encoding/xml"},
			why:   "api never sees XML, an XMPP connection or a store: everything it asks, it asks a session",
		},
		{
			from: "api/internal/mcptools", may: []string{"."}, libs: []string{"github.com/modelcontextprotocol/go-sdk/"},
			never: []string{"encoding/xml"},
			why:   "mcptools turns calls of tools into requests to a handler: what a session is, and what a token may do, it does not know",
		},
		{
			from: "messenger", may: []string{".", "internal/xmppserver", "internal/ttlmap"}, libs: []string{"mellium.im/"},
			why: "messenger is the other side: sharing code with xmppconn would let one mistake hide the other",
		},
		{
			from: "today", may: []string{".", "internal/xmppserver", "internal/ttlmap"}, libs: []string{"mellium.im/", "github.com/xdg-go/"},
			why: "today is the other side, as messenger is",
		},
		{
			from: "internal/xmppserver", may: []string{"."}, libs: []string{"mellium.im/", "github.com/coder/websocket"},
			why: "xmppserver is what the embedded services are made of: it knows none of them, and shares no code with xmppconn",
		},
		{
			from: "internal/todaytest", may: []string{"today", "internal/testkit", "internal/canary"},
			why: "todaytest is the embedded service as one of the servers of tests, and knows nothing of the gateway",
		},
		{
			from: "internal/xmpptest",
			why:  "xmpptest is a client for tests of the embedded services: it shares no code with what it tests",
		},
		{
			from: "docs", may: []string{"internal/static"}, libs: []string{"github.com/yuin/goldmark"},
			why: "docs holds the guides and the API reference, and makes pages of them: what the gateway does, they say and do not know",
		},
		{
			from: "web", may: []string{"internal/static"}, why: "web holds the files of the console",
		},
		{
			from: "app", may: []string{"*"},
			libs: []string{"github.com/prometheus/", "go.opentelemetry.io/otel", "github.com/go-chi/", "github.com/miekg/dns"},
			why:  "app is the one wiring place",
		},
		{
			from: "cmd", may: []string{"app", "messenger", "today", "api"}, libs: []string{"github.com/alecthomas/kong", "go.yaml.in/yaml/"},
			why: "a command reads its settings and hands them to app, or to the embedded service alone; what it did beyond that, no test could start",
		},
		{
			from: "bench", may: []string{"*", "internal/testkit", "internal/fakexmpp", "internal/mutants"}, libs: []string{""},
			why: "bench measures everything",
		},
		{
			from: "internal/testkit", may: []string{"internal/testkit", "internal/contract", "internal/canary"}, libs: []string{""},
			why: "testkit stands for foreign servers and clients: with our own code in it, it would prove nothing",
		},
		{
			from: "internal/cluster", may: []string{"internal/cluster", "internal/testkit", "internal/canary"},
			why: "cluster runs programs as an operator does, and calls them as a client: it knows nothing of their code",
		},
		{
			from: "internal/ledger", may: []string{"internal/testkit", "internal/ledger", "internal/mutants"}, libs: []string{"github.com/coder/websocket", "github.com/redis/go-redis/"},
			why: "the ledger knows what the guides promise, and nothing of the code that must keep it",
		},
		{
			from: "internal/matrix", may: []string{"internal/testkit", "internal/todaytest"},
			why: "matrix runs tests and asks servers what they offer: with code of the gateway in it, it would find what that believes",
		},
		{
			from: "internal/mutants", why: "mutants is texts: no code of the gateway knows that it can be built with a mistake",
		},
		{
			from: "internal/fakexmpp", may: []string{".", "sessions"},
			why: "fakexmpp is a sessions.Conn for unit tests, and no part of the gateway",
		},
		{
			from: "internal/contract", may: []string{".", "internal/canary"}, libs: []string{"github.com/getkin/kin-openapi/", "github.com/santhosh-tekuri/jsonschema/", "go.yaml.in/yaml/"},
			why: "contract knows the descriptions and nothing of the code that is held against them",
		},
		{
			from: "internal/canary", may: []string{"internal/canary"},
			why: "canary writes down and searches text: knowing the code that is searched, it would share its mistakes",
		},
		{
			from: "internal/openapigen", libs: []string{"go.yaml.in/yaml/"},
			why: "openapigen reads sources as text: importing what it describes, it could not mend a package that does not build",
		},
		{
			from: "internal/strictjson", may: []string{"."},
			never: []string{"net/http"},
			why:   "strictjson knows how a body is read, and nothing of where it came from or what it asks",
		},
		{
			from: "internal/payload", never: []string{"net/http", "encoding/json"},
			why: "payload judges a piece of XML: what a message is, and who sends it, it does not know",
		},
		{
			from:  "internal/jsonappend",
			never: []string{"encoding/json"},
			why:   "jsonappend writes what encoding/json writes, and is held against it by its tests alone",
		},
		{
			from: "internal/static", never: []string{"os", "encoding/json"},
			why: "static sends files that do not change: what they are, and who may see them, it does not know",
		},
		{
			from: "internal/logingate",
			why:  "logingate counts places and sees a socket wait: what a login is, it does not know",
		},
		{
			from: "internal/dialguard", never: []string{"net", "net/http"},
			why: "dialguard judges addresses: who dials them, and why, it does not know",
		},
		{
			from: "internal/callout", may: []string{"internal/dialguard"},
			never: []string{"encoding/json"},
			why:   "callout makes requests to addresses of clients: what is in them, and what a failure means, it does not know",
		},
		{
			from: "internal/webpush", may: []string{".", "sessions", "internal/callout"},
			never: []string{"net", "encoding/xml", "os"},
			why:   "webpush is the sessions.Sender of push subscriptions: what is sent, and when, is decided by a session",
		},
		{
			from: "internal/webhook", may: []string{".", "sessions", "internal/callout", "internal/jsonappend"},
			never: []string{"net", "encoding/json"},
			why:   "webhook is what is sent to a receiver, and how it is signed: when, and how often, is decided by sessions",
		},
		{
			from: "internal/packed", never: []string{"context", "time", "encoding/json"},
			why: "packed reads and writes texts and numbers: of what, it does not know",
		},
		{
			from: "internal/conversations", may: []string{".", "internal/packed"},
			never: []string{"context", "time", "encoding/json"},
			why:   "conversations is how the list of chats lies in memory and in a row: what changes it, and when, is decided by a session",
		},
		{
			from: "internal/occupants", may: []string{".", "internal/packed"},
			never: []string{"context", "encoding/json"},
			why:   "occupants is who is in the rooms of a node: it is fed and read by sessions, and knows neither them nor a stream",
		},
		{
			from: "internal/contacts", may: []string{".", "internal/packed"},
			never: []string{"context", "time", "encoding/json"},
			why:   "contacts is how a roster lies in memory and in a row: what changes it, and when, is decided by a session",
		},
		{
			from: "internal/ttlmap",
			why:  "ttlmap is a container: knowing what is kept in it, it would become one map of many that look alike",
		},
		{
			from: "internal/copies",
			why:  "copies is a container, as ttlmap is: what is alike in it is said by its type",
		},
		{
			from: "internal/mutate",
			why:  "mutate changes sources as text and runs the go command: it needs nothing of what it changes",
		},
	}
	testOnly = []string{"internal/testkit", "internal/cluster", "internal/contract", "internal/canary", "internal/fakexmpp", "internal/ledger", "internal/matrix", "internal/mutate", "internal/todaytest", "internal/xmpptest", "cache/storetest", "xmppconn/internal/streamtest", "bench"}
)

// TestArrows keeps the floor plan: who may import whom, and why not.
func TestArrows(t *testing.T) {
	seen := map[string]bool{}
	for file, imports := range sourceImports(t) {
		pkg := path.Dir(file)
		a, ok := arrowFor(pkg)
		if !ok {
			t.Errorf("%s is not on the floor plan: add %s to imports_test.go and docs/architecture.md, want an arrow for it", file, pkg)
			continue
		}
		seen[a.from] = true
		for _, imp := range imports {
			if !a.allows(imp) {
				t.Errorf("%s imports %s: %s, want no such import", file, imp, a.why)
			}
		}
	}
	for _, must := range []string{".", "sessions"} {
		if !seen[must] {
			t.Errorf("no source of %s was read: this test looks in the wrong place, want one", must)
		}
	}
}

// TestFloorPlanIsDrawn: the page has every package that the arrows know, and no other.
func TestFloorPlanIsDrawn(t *testing.T) {
	page, err := os.ReadFile("docs/architecture.md")
	if err != nil {
		t.Fatalf("os.ReadFile: got error %v, want none", err)
	}
	for _, a := range arrows {
		if a.from != "." && !regexp.MustCompile("`"+a.from+"(/\\w+)?/`").Match(page) {
			t.Errorf("docs/architecture.md does not have %s/, want a row of it", a.from)
		}
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `([\\w/]+)/`").FindAllStringSubmatch(string(page), -1) {
		if _, err := os.Stat(m[1]); err != nil {
			t.Errorf("docs/architecture.md has %s/: got error %v, want none", m[1], err)
		}
	}
}

func TestArrowsRefuse(t *testing.T) {
	for _, c := range []struct {
		pkg, imp string
		ok       bool
	}{
		{".", "strings", true},
		{".", "mellium.im/xmpp/jid", true},
		{".", "mellium.im/xmpp", false},
		{".", "net/http", false},
		{".", module + "/sessions", false},
		{"xmppconn", module, true},
		{"xmppconn", "golang.org/x/text/secure/precis", true},
		{"xmppconn", module + "/sessions", false},
		{"xmppconn", "net/http", false},
		{"xmppconn", module + "/xmppconn/internal/stanza", true},
		{"xmppconn", module + "/xmppconn/internal/streamtest", false},
		{"xmppconn", "mellium.im/sasl", false},
		{"xmppconn/internal/xmlstream", module + "/xmppconn/internal/stanza", false},
		{"xmppconn/internal/xmlstream", module, true},
		{"xmppconn/internal/stanza", module + "/xmppconn/internal/xmlstream", true},
		{"xmppconn/internal/stanza", module + "/xmppconn/internal/sasl", false},
		{"xmppconn/internal/sasl", "github.com/xdg-go/scram", true},
		{"xmppconn/internal/sasl", module, false},
		{"sessions", module + "/xmppconn/internal/stanza", false},
		{"sessions", module + "/xmppconn", false},
		{"sessions", "github.com/redis/go-redis/v9", false},
		{"cache/storetest", module + "/cache", false},
		{"api", module + "/xmppconn", false},
		{"api", module + "/cache", false},
		{"api", module + "/web", false},
		{"app", "github.com/prometheus/client_golang/prometheus", true},
		{"sessions", "github.com/prometheus/client_golang/prometheus", false},
		{"app", "go.opentelemetry.io/otel/trace", true},
		{"api", "go.opentelemetry.io/otel/trace", false},
		{"web", module + "/api", false},
		{"api", "mellium.im/xmpp/jid", false},
		{"api", "encoding/xml", false},
		{"messenger", module + "/xmppconn", false},
		{"api/internal/mcptools", module + "/sessions", false},
		{"api", "github.com/modelcontextprotocol/go-sdk/mcp", false},
		{"app", module + "/messenger", true},
		{"app", module + "/internal/testkit", false},
		{"cmd/api", module + "/sessions", false},
		{"internal/testkit", module + "/xmppconn", false},
		{"bench", module + "/internal/testkit", true},
		{"messenger", module + "/internal/ttlmap", true},
		{"internal/ttlmap", module, false},
		{"internal/contacts", module + "/sessions", false},
		{"internal/conversations", module + "/sessions", false},
		{"internal/occupants", module + "/sessions", false},
		{"sessions", module + "/internal/occupants", true},
		{"api", module + "/internal/strictjson", true},
		{"internal/strictjson", module + "/api", false},
		{"internal/strictjson", "net/http", false},
	} {
		a, ok := arrowFor(c.pkg)
		if !ok {
			t.Errorf("no arrow for %s, want one", c.pkg)
		} else if got := a.allows(c.imp); got != c.ok {
			t.Errorf("%s may import %s: %v, want %v", c.pkg, c.imp, got, c.ok)
		}
	}
}

// arrowFor finds the arrow of a package, or of the closest package above it.
func arrowFor(pkg string) (arrow, bool) {
	for _, a := range slices.SortedFunc(slices.Values(arrows), func(a, b arrow) int {
		return cmp.Compare(len(b.from), len(a.from))
	}) {
		if within(pkg, a.from) {
			return a, true
		}
	}
	return arrow{}, false
}

func (a arrow) allows(imp string) bool {
	if imp == module || strings.HasPrefix(imp, module+"/") {
		pkg := cmp.Or(strings.TrimPrefix(strings.TrimPrefix(imp, module), "/"), ".")
		inside := func(may string) bool { return within(pkg, may) }
		return slices.ContainsFunc(a.may, inside) ||
			slices.Contains(a.may, "*") && !slices.ContainsFunc(testOnly, inside)
	}
	if first, _, _ := strings.Cut(imp, "/"); !strings.Contains(first, ".") {
		return !slices.Contains(a.never, imp)
	}
	return strings.HasPrefix(imp, extended) ||
		slices.ContainsFunc(a.libs, func(lib string) bool { return strings.HasPrefix(imp, lib) })
}

// within reports whether pkg is folder or below it; the root package has nothing below.
func within(pkg, folder string) bool {
	return pkg == folder || folder != "." && strings.HasPrefix(pkg, folder+"/")
}

// sourceImports reads the imports of every file that is not a test.
func sourceImports(t *testing.T) map[string][]string {
	t.Helper()
	imports := map[string][]string{}
	for name, f := range parse(t, parser.ImportsOnly) {
		if !strings.HasSuffix(name, "_test.go") {
			imports[name] = importsOf(f)
		}
	}
	return imports
}
