package ledger_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/ledger"
)

const original = "sl1-a1-1-7" // the id of the message that everything is said of

// told is the message that things are said of, in the archive of the account.
func told() *story {
	return fresh().sent(1, 1, ledger.OK).both(2, 1, "e-1").
		add(90, ledger.Entry{Op: ledger.OpStored, Who: "a1", From: "sl1", N: 1, ID: original})
}

// says is a relation that its server took; an id without archives is in none.
func (s *story) says(at int64, who string, n int, what string, archives ...string) *story {
	e := ledger.Entry{Op: ledger.OpRelate, Who: who, Account: "a1", From: "sl1", N: n, ID: fmt.Sprint(who, "-", n), Key: original, Text: what}
	begun := e
	begun.Phase = ledger.Invoke
	s.add(at, begun).add(at+1, e)
	if who == "a1" {
		s.add(at+2, ledger.Entry{Op: ledger.OpStatus, Account: "a1", To: "sl1", ID: e.ID, Text: "acked"})
	}
	return s.kept(at+2, e, archives...)
}

func (s *story) kept(at int64, e ledger.Entry, archives ...string) *story {
	for _, owner := range archives {
		s.add(at, ledger.Entry{Op: ledger.OpKept, Who: e.Who, Account: "a1", From: "sl1", To: owner, ID: e.ID, Key: e.Key, Text: strings.TrimPrefix(e.Text, "forged ")})
	}
	return s
}

// shows is what two clients show in the end.
func (s *story) shows(edits int, text, words string) *story {
	return s.show("a1/ws1", edits, text, words).show("a1/sse", edits, text, words)
}

func (s *story) show(client string, edits int, text, words string) *story {
	e := ledger.Entry{Op: ledger.OpShown, Who: client, Account: "a1", From: "sl1", ID: original, N: edits, Key: text, Text: words}
	return s.add(99, e).add(99, ledger.Entry{Op: ledger.OpShown, Who: client, Account: "a1", N: 1})
}

func (s *story) relationsAudited() *story {
	return s.add(98, ledger.Entry{Op: ledger.OpAudited, Who: "a1", Text: "relations"})
}

func TestCheckRelations(t *testing.T) {
	twice := func() *story { return told().says(10, "sl1", 1, "edit x", "a1").says(20, "sl1", 2, "edit y", "a1") }
	found(t, map[string]finding{
		"all is well": {twice().says(30, "a1", 1, "react A B", "a1").relationsAudited().shows(2, "y", "a1:A a1:B"), ""},
		"a correction that has no effect": {twice().relationsAudited().show("a1/ws1", 2, "y", "").show("a1/sse", 1, "x", ""),
			"relation, lost: a1/sse shows of a1, with sl1: sl1-a1-1-7: 1 edits x; said was: 2 edits y"},
		"a correction that was undone":     {twice().relationsAudited().shows(2, "x", ""), "relation, lost: a1/sse shows"},
		"a correction that counts twice":   {twice().relationsAudited().shows(3, "y", ""), "relation, doubled: a1/sse shows"},
		"a correction that is twice there": {twice().kept(40, ledger.Entry{Who: "sl1", ID: "sl1-2", Key: original, Text: "edit y"}, "a1").relationsAudited(), "relation, doubled:"},
		"reactions that are gone":          {told().says(30, "a1", 1, "react A", "a1").relationsAudited().show("a1/ws1", 0, "", ""), "relation, lost: a1/ws1 shows"},
		"reactions that were replaced":     {told().says(30, "a1", 1, "react A", "a1").says(40, "a1", 2, "react B", "a1").relationsAudited().shows(0, "", "a1:B"), ""},
		"reactions that were taken back":   {told().says(30, "a1", 1, "react A", "a1").says(40, "a1", 2, "react", "a1").relationsAudited().shows(0, "", "a1:A"), "relation, wrong: a1/sse shows"},
		"a retraction":                     {twice().says(30, "sl1", 3, "retract", "a1").relationsAudited().shows(0, "", "retracted"), ""},
		"a retraction that has no effect":  {twice().says(30, "sl1", 3, "retract", "a1").relationsAudited().shows(2, "y", ""), "relation, lost: a1/sse shows"},
		"taken, and not in the archive":    {told().says(10, "sl1", 1, "edit x").relationsAudited(), `relation, lost: "edit x" of sl1 about sl1-a1-1-7, as sl1-1, is not in the archive of a1`},
		"gone with the server's restart":   {told().fault(0, 50, ledger.FaultServerRestart).says(10, "sl1", 1, "edit x").relationsAudited().shows(0, "", ""), ""},
		"forged, without an effect":        {told().says(10, "js1", 1, "forged edit x", "a1").relationsAudited().shows(0, "", ""), ""},
		"forged, with an effect":           {told().says(10, "js1", 1, "forged retract", "a1").relationsAudited().shows(0, "", "retracted"), "relation, wrong: a1/sse shows"},
		"forged, and shown as of somebody else": {told().says(10, "js1", 1, "forged edit x", "a1").add(99, ledger.Entry{Op: ledger.OpShown, Who: "a1/ws1", Account: "a1", From: "js1", ID: original, N: 1, Key: "x"}).
			relationsAudited().shows(0, "", ""), ""},
		"of a message that is twice there after lost data": {told().fault(20, 22, ledger.FaultRedisFlush).says(10, "a1", 1, "react A", "a1").
			add(90, ledger.Entry{Op: ledger.OpStored, Who: "a1", From: "sl1", N: 1, ID: original}).relationsAudited().shows(0, "", ""), ""},
		"of a message that is twice there": {told().says(10, "a1", 1, "react A", "a1").
			add(90, ledger.Entry{Op: ledger.OpStored, Who: "a1", From: "sl1", N: 1, ID: original}).relationsAudited().shows(0, "", ""), "relation, lost: a1/sse shows"},
		"said by nobody":                    {told().kept(40, ledger.Entry{Who: "sl1", ID: "sl1-9", Key: original, Text: "edit y"}, "a1").relationsAudited(), "which was never said"},
		"of a message that the server lost": {fresh().says(10, "sl1", 1, "edit x", "a1").relationsAudited().shows(0, "", ""), ""},
		"sent again after lost data":        {told().fault(10, 12, ledger.FaultRedisFlush).says(10, "a1", 1, "react A", "a1", "a1").relationsAudited().shows(0, "", "a1:A"), ""},
		"sent again, and no data was lost":  {told().says(10, "a1", 1, "react A", "a1", "a1").relationsAudited().shows(0, "", "a1:A"), "relation, doubled:"},
		"a reaction to what was taken back": {told().says(10, "sl1", 1, "retract", "a1").refusedTo(20, "409 conflict: this message was taken back").relationsAudited().shows(0, "", "retracted"), ""},
		"a reaction that is refused":        {told().refusedTo(20, "422 validation: no").relationsAudited(), "was refused: 422"},
		"an account's relation without an end": {told().says(10, "a1", 1, "react A", "a1").add(50, ledger.Entry{Op: ledger.OpStatus, Account: "a1", To: "sl1", ID: "a1-1", Text: "sent"}).
			relationsAudited().shows(0, "", "a1:A"), `ended as "sent"`},
	})
}

// refusedTo is a reaction of the account that the gateway refuses.
func (s *story) refusedTo(at int64, problem string) *story {
	e := ledger.Entry{Op: ledger.OpRelate, Phase: ledger.Invoke, Who: "a1", Account: "a1", From: "sl1", N: 9, Key: original, Text: "react A"}
	s.add(at, e)
	e.Phase, e.Text = ledger.Fail, problem
	return s.add(at+1, e)
}

// three are messages in the archive of the account.
func three() *story {
	s := fresh()
	for n := range 3 {
		s.sent(int64(n+1), n+1, ledger.OK).both(int64(n+5), n+1, fmt.Sprint("e-", n))
		s.add(90, ledger.Entry{Op: ledger.OpStored, Who: "a1", From: "sl1", N: n + 1, ID: fmt.Sprint("m", n+1)})
	}
	return s
}

func (s *story) read(id string, p ledger.Phase) *story {
	return s.add(50, ledger.Entry{Op: ledger.OpReadUpTo, Phase: p, Account: "a1", From: "sl1", ID: id})
}

func (s *story) unread(node, id string, n int, exact string) *story {
	return s.add(99, ledger.Entry{Op: ledger.OpUnread, Who: node, Account: "a1", From: "sl1", ID: id, N: n, Text: exact})
}

func (s *story) readAt(at int64, id string) *story {
	return s.add(at, ledger.Entry{Op: ledger.OpReadUpTo, Account: "a1", From: "sl1", ID: id})
}

func (s *story) unreadAt(at int64, node, id string, n int) *story {
	return s.add(at, ledger.Entry{Op: ledger.OpUnread, Who: node, Account: "a1", From: "sl1", ID: id, N: n, Text: "exact"})
}

func TestCheckReads(t *testing.T) {
	found(t, map[string]finding{
		"all is well":                         {three().read("m2", ledger.OK).read("m1", ledger.OK).unread("n1", "m2", 1, "exact").unread("n2", "m2", 1, "exact"), ""},
		"nothing was read":                    {three().unread("n1", "", 3, "exact"), ""},
		"a position that went back":           {three().read("m2", ledger.OK).unread("n1", "m1", 2, "exact"), "read, wrong: a1, with sl1: n1 says that it was read up to message 1 of 3 (m1), want 2"},
		"a position that nobody read":         {three().read("m1", ledger.OK).unread("n1", "m2", 1, "exact"), "up to message 2 of 3 (m2), want 1"},
		"a request without an answer":         {three().read("m1", ledger.OK).read("m2", ledger.Info).unread("n1", "m2", 1, "exact"), ""},
		"a count that is wrong":               {three().read("m1", ledger.OK).unread("n1", "m1", 3, "exact"), "n1 says that 3 are unread after message 1 of 3, want 2"},
		"a count that is not exact":           {three().read("m1", ledger.OK).unread("n1", "m1", 1, "inexact"), ""},
		"nodes that differ":                   {three().read("m2", ledger.OK).unread("n1", "m2", 1, "exact").unread("n2", "m1", 2, "exact"), "n2 says"},
		"a position that was lost with Redis": {three().read("m2", ledger.OK).fault(60, 70, ledger.FaultRedisFlush).unread("n1", "", 1, "exact"), ""},
		"a count that was lost with Redis":    {three().read("m2", ledger.OK).fault(60, 70, ledger.FaultRedisFlush).unread("n1", "", 3, "exact"), "n1 says that 3 are unread"},
		"one before it, whose name was lost":  {three().read("m1", ledger.OK).readAt(10_000_000, "m2").fault(10_000_001, 10_000_002, ledger.FaultRedisRestore).unreadAt(10_000_003, "n1", "", 2), ""},
		"one before that":                     {three().read("m1", ledger.OK).readAt(10_000_000, "m2").fault(10_000_001, 10_000_002, ledger.FaultRedisRestore).unreadAt(10_000_003, "n1", "", 3), "n1 says that 3 are unread"},
		"one that the backup had not":         {three().read("m1", ledger.OK).read("m2", ledger.OK).fault(60, 70, ledger.FaultRedisRestore).unread("n1", "m1", 2, "exact"), ""},
		"its count":                           {three().read("m2", ledger.OK).fault(60, 70, ledger.FaultRedisRestore).unread("n1", "m1", 1, "exact"), "n1 says that 1 are unread after message 1 of 3, want 2"},
		"one long before the backup":          {three().read("m2", ledger.OK).fault(20_000, 20_010, ledger.FaultRedisRestore).unread("n1", "m1", 2, "exact"), "read up to message 1 of 3 (m1), want 2"},
		"a position of nothing":               {three().read("m2", ledger.OK).unread("n1", "m9", 1, "exact"), "which did not come"},
	})
}
