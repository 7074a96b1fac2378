package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/api"
)

// hostileBytes is about the size of the largest body that is read.
const hostileBytes = 240_000

// repeat fills a body up to its size with parts that know their number.
func repeat(open string, part func(i int) string, end string) []byte {
	var b strings.Builder
	b.WriteString(open)
	for i := 0; b.Len() < hostileBytes; i++ {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(part(i))
	}
	return []byte(b.String() + end)
}

// oneLongValue is what the cost of the others is measured by.
func oneLongValue() []byte {
	return []byte(`{"to":"bob@example.net","body":"` + strings.Repeat("x", hostileBytes) + `"}`)
}

func hostileBodies() map[string][]byte {
	same := func(s string) func(int) string { return func(int) string { return s } }
	unknown := func(i int) string { return fmt.Sprintf(`"%x":0`, i) }
	return map[string][]byte{
		"unknown keys":           repeat(`{`, unknown, `}`),
		"unknown keys inside":    repeat(`{"to":{`, unknown, `}}`),
		"unknown keys of a list": repeat(`{"groups":[{`, unknown, `}]}`),
		"duplicate keys":         repeat(`{`, same(`"to":""`), `}`),
		"duplicate unknown keys": repeat(`{`, same(`"x":0`), `}`),
		"one long key":           []byte(`{"` + strings.Repeat("k", hostileBytes) + `":0}`),
		"a key of escapes":       []byte(`{"` + strings.Repeat(`~/`, hostileBytes/2) + `":0}`),
		"long keys":              repeat(`{`, func(i int) string { return fmt.Sprintf(`"%d%s":0`, i, strings.Repeat("k", 5000)) }, `}`),
		"deep nesting":           []byte(strings.Repeat(`{"x":`, hostileBytes/6) + `0` + strings.Repeat(`}`, hostileBytes/6)),
		"deep lists":             []byte(`{"groups":` + strings.Repeat(`[`, hostileBytes/2) + strings.Repeat(`]`, hostileBytes/2) + `}`),
		"nesting without an end": []byte(strings.Repeat(`{"x":[`, hostileBytes/6)),
		"a huge number":          []byte(`{"priority":` + strings.Repeat("9", hostileBytes) + `}`),
		"a huge exponent":        []byte(`{"to":1e` + strings.Repeat("9", hostileBytes) + `}`),
		"many items":             repeat(`{"jid":"a@b","groups":[`, same(`"g"`), `]}`),
		"many wrong items":       repeat(`{"groups":[`, same(`0`), `]}`),
		"many empty items":       repeat(`{"groups":[`, same(`{}`), `]}`),
		"items of a wrong field": repeat(`{"to":[`, same(`0`), `]}`),
		"escapes":                []byte(`{"to":"bob@example.net","body":"` + strings.Repeat(`\u0041`, hostileBytes/6) + `"}`),
		"pairs":                  []byte(`{"to":"bob@example.net","body":"` + strings.Repeat(`\ud83d\ude00`, hostileBytes/12) + `"}`),
		"forbidden characters":   []byte(`{"body":"` + strings.Repeat(`\u0000`, hostileBytes/6) + `"}`),
		"blanks":                 []byte(`{` + strings.Repeat(" ", hostileBytes) + `"x":0}`),
		"quotes":                 []byte(`{"body":"` + strings.Repeat(`\"`, hostileBytes/2) + `"}`),
		"a pipe of commands":     repeat(`{"id":"c1","type":"ping","data":{`, unknown, `}}`),
	}
}

// decoders are what reads JSON of clients: a body into a message, into a buddy, and a frame.
var decoders = map[string]func([]byte){
	"message": func(b []byte) { _, _ = api.DecodeMessage(b) },
	"buddy":   func(b []byte) { _, _ = api.DecodeBuddy(b) },
	"command": func(b []byte) { _ = api.DecodeCommand(b) },
}

// TestHostileBodiesAreCheap bounds what a body can make the decoder allocate, which says
// the same on every machine, and the time it takes, by the best of several runs, with
// much room.
func TestHostileBodiesAreCheap(t *testing.T) {
	best := func(do func()) time.Duration {
		least := time.Hour
		for range 7 {
			began := time.Now()
			do()
			least = min(least, time.Since(began))
		}
		return least
	}
	for door, decode := range decoders {
		long := oneLongValue()
		unit := best(func() { decode(long) })
		for name, body := range hostileBodies() {
			// A list that is looked at, item by item, has at most 256.
			if n := testing.AllocsPerRun(1, func() { decode(body) }); n > 3000 {
				t.Errorf("%s by %s: %.0f allocations for one body, want at most 3000", door, name, n)
			}
			took := best(func() { decode(body) })
			for tries := 0; took > 12*unit+2*time.Millisecond; tries++ {
				if tries == 5 { // a busy machine may disturb one measurement, and not all of them
					t.Errorf("%s by %s: %v, one long value %v: more than 12 times that, want at most 12 times", door, name, took, unit)
					break
				}
				unit, took = best(func() { decode(long) }), best(func() { decode(body) })
			}
		}
	}
}

// BenchmarkHostileBody reports the cost of each body in units of one long value.
func BenchmarkHostileBody(b *testing.B) {
	bodies := hostileBodies()
	bodies["one long value"] = oneLongValue()
	began, n := time.Now(), 0
	for ; n < 50; n++ {
		_, _ = api.DecodeMessage(bodies["one long value"])
	}
	unit := float64(time.Since(began).Nanoseconds()) / float64(n)
	for name, body := range bodies {
		b.Run(strings.ReplaceAll(name, " ", "-"), func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				_, _ = api.DecodeMessage(body)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/unit, "x-of-one-value")
		})
	}
}
