package messenger_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch/messenger"
)

// TestDemoArchiveIsTheSameAtEachStart: a client that has seen it before a restart knows it again, by text and time.
func TestDemoArchiveIsTheSameAtEachStart(t *testing.T) {
	archive := func() []messenger.ArchivedMessage { return messenger.DemoAccounts()[0].Archive }
	synctest.Test(t, func(t *testing.T) {
		if last := slices.MaxFunc(archive(), func(a, b messenger.ArchivedMessage) int { return a.Time.Compare(b.Time) }); last.Time.After(time.Now()) {
			t.Errorf("with a clock of %s: got a message of %s, want none of the future", time.Now(), last.Time)
		}
		time.Sleep(27 * 366 * 24 * time.Hour) // from 2000 on
		before := archive()
		time.Sleep(25 * time.Hour)
		if after := archive(); len(before) == 0 || !slices.Equal(before, after) {
			t.Errorf("a day later: got %v, want %v", after, before)
		}
	})
}
