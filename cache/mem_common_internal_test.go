package cache

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/copies"
	"github.com/perch-im/perch/sessions"
)

// fromRoom is a message of a room in the log of a session.
func fromRoom(epoch string, offset uint64, body string, common bool) *perch.Event {
	e := perch.NewEvent(perch.Position{Epoch: epoch, Offset: offset}, perch.EventMessageReceived, perch.Time(offset), perch.Message{Kind: perch.GroupchatMessage, Body: body})
	e.Common = common
	return e
}

// TestCommonEvents: what logs have alike is read as it was given, and stays so when others forget it.
func TestCommonEvents(t *testing.T) {
	common := copies.Texts{Max: 2, MaxBytes: 1 << 20}
	logs := []*memLog{{epoch: "a", common: &common}, {epoch: "b", common: &common}, {epoch: "c"}}
	now := time.Now()
	for i := range 5 {
		for _, l := range logs {
			l.append([]*perch.Event{fromRoom(l.epoch, uint64(2*i+1), fmt.Sprint("m", i), true), fromRoom(l.epoch, uint64(2*i+2), "own", false)}, now)
		}
	}
	for _, l := range logs {
		l.trim(sessions.Retention{Events: 8, Bytes: 1 << 20, Age: time.Hour}, now)
		p := l.page(0, 100)
		if len(p.Events) != 8 || p.First != 3 {
			t.Fatalf("log %s: got %d events from %d on, want 8 from 3 on", l.epoch, len(p.Events), p.First)
		}
		size := 0
		for i, e := range p.Events {
			body := "own"
			if i%2 == 0 {
				body = fmt.Sprint("m", i/2+1)
			}
			want := fromRoom(l.epoch, uint64(i+3), body, body != "own")
			if !bytes.Equal(e.Wire, want.Wire) || e.Position != want.Position || e.Common != want.Common || e.Type != want.Type || e.Time != want.Time {
				t.Errorf("log %s: got %s, want %s", l.epoch, e.Wire, want.Wire)
			}
			size += len(want.Wire)
		}
		if l.bytes != size {
			t.Errorf("log %s: got %d bytes counted, want %d", l.epoch, l.bytes, size)
		}
		again := []*perch.Event{fromRoom(l.epoch, 9, "m4", true)}
		if repeated, err := l.check(again); !repeated || err != nil {
			t.Errorf("log %s, the same event again: got %v and error %v, want it known", l.epoch, repeated, err)
		}
		if _, err := l.check([]*perch.Event{fromRoom(l.epoch, 9, "other", true)}); err != sessions.ErrLost {
			t.Errorf("log %s, another event in its place: got error %v, want %v", l.epoch, err, sessions.ErrLost)
		}
	}
}

// TestMemoryOfCommonEvents: a message of a room is once in memory, and not in each log.
func TestMemoryOfCommonEvents(t *testing.T) {
	const logs, events, most = 200, 50, 150
	common := copies.Texts{Max: commonTexts, MaxBytes: commonBytes}
	list := make([]*memLog, logs)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range list {
		list[i] = &memLog{epoch: "epoch", common: &common}
		for n := range events {
			list[i].append([]*perch.Event{fromRoom("epoch", uint64(n+1), strings.Repeat("m", 500)+fmt.Sprint(n), true)}, time.Now())
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(list)
	if got := int64(after.HeapAlloc-before.HeapAlloc) / (logs * events); got > most {
		t.Errorf("a message of 500 bytes in %d logs: got %d bytes each, want at most %d", logs, got, most)
	}
}
