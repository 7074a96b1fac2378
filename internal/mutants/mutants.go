package mutants

// Mutant is a mistake in one file of the gateway, or in a few of one package.
type Mutant struct {
	Name  string
	Does  string // what the gateway does then
	File  string // by its path in the module
	Edits []Edit
	Also  []Mutant // edits of other files, without a name of their own
}

// Edit is a text of the file, which has to be there once, and what stands there instead.
type Edit struct{ Old, New string }

// All are the mistakes, by name.
var All = []Mutant{
	{
		Name: "ack", Does: "acknowledges stanzas to the server before they are committed",
		File: "sessions/connection_stream.go",
		Edits: []Edit{{
			"\tb := c.log.cover(l, l.lastSeq)\n",
			"\tb := c.log.cover(l, l.lastSeq)\n\tdefer l.conn.Handled(l.lastSeq)\n",
		}},
	},
	{
		Name: "archive", Does: "does not read the archive after a stream that could not be resumed",
		File: "sessions/catchup_archive.go",
		Edits: []Edit{{
			"\t\tif after == \"\" && since == 0 && !first {\n",
			"\t\tif after != \"\" || since != 0 {\n\t\t\treturn nil\n\t\t}\n\t\tif after == \"\" && since == 0 && !first {\n",
		}},
	},
	{
		Name: "close", Does: "closes the XMPP stream when a node drains, so that no other node resumes it",
		File: "sessions/session_end.go",
		Edits: []Edit{{
			"\t\t\te.signOut = false\n",
			"\t\t\te.signOut = true\n",
		}},
	},
	{
		Name: "dedupe", Does: "logs a message again that it has logged before",
		File: "sessions/dedupe_log.go",
		Edits: []Edit{{
			"\treturn cu.known.take(c, o) != nil\n",
			"\t_ = cu.known.take(c, o)\n\treturn false\n",
		}},
	},
	{
		Name: "epoch", Does: "continues a log whose end nothing proves",
		File: "cache/scripts/open.lua",
		Edits: []Edit{{
			"if older or not (sure or held) then",
			"if older then",
		}},
	},
	{
		Name: "parkedbytes", Does: "now and then parks a reader that holds a stanza, which the next reader drops",
		File: "xmppconn/conn_read.go",
		Edits: []Edit{{
			"\t\terr = c.handleGuarded(&f)\n",
			"\t\tif f.Local == \"message\" && c.d.counters.Parks.Load()%8 == 3 && c.park() {\n\t\t\treturn\n\t\t}\n" +
				"\t\terr = c.handleGuarded(&f)\n",
		}},
	},
	{
		Name: "readercursor", Does: "moves the cursor of a webhook before its server has answered",
		File: "sessions/readers_turn.go",
		Edits: []Edit{{
			"\tr.at, r.row.Sending, r.row.Reset = p.from, p.to, p.reset\n",
			"\tr.at, r.row.Sending, r.row.Reset = p.to, 0, \"\"\n",
		}},
	},
	{
		Name: "relations", Does: "takes a correction or reactions of the archive for new ones that it has logged before",
		File: "sessions/catchup_archive.go",
		Edits: []Edit{{
			"\tif logged {\n\t\treturn\n\t}\n",
			"\tif logged && it.Relation == nil {\n\t\treturn\n\t}\n",
		}},
	},
	{
		Name: "roombuffer", Does: "logs what a room sends while it is joined, before what is missed was read",
		File: "sessions/rooms_message.go",
		Edits: []Edit{{
			"\tcase r.row.State != perch.RoomStateJoining || !r.row.Features.Archive:\n\t\treturn false\n",
			"\tcase true:\n\t\treturn false\n",
		}},
	},
	{
		Name: "roomhistory", Does: "takes the history of a room that is joined again, and reads its archive as well",
		File: "sessions/rooms_archive.go",
		Edits: []Edit{{
			"\tj.step, j.history = joinReading, nil\n",
			"\tfor _, in := range j.history[min(len(j.history), r.after(j.history, r.row.LastSeenAt)):] {\n" +
				"\t\tx.name(r, in)\n\t\tin.Source = perch.SourceArchive\n\t\tx.show(r, messageEvent(in), &in.Message)\n\t}\n" +
				"\tj.step, j.history = joinReading, nil\n",
		}},
		Also: []Mutant{
			{File: "sessions/rooms_join.go", Edits: []Edit{{"\tif !r.row.Features.Archive && r.row.JoinedAt != 0 {\n", "\tif r.row.JoinedAt != 0 {\n"}}},
			{File: "sessions/rooms_message.go", Edits: []Edit{{
				"\tif r.row.Features.Archive && in.RoomStanzaID != \"\" || r.row.JoinedAt == 0 ||", "\tif r.row.JoinedAt == 0 ||",
			}}},
		},
	},
	{
		Name: "wakeup", Does: "arms the socket of a parked reader the first time only",
		File: "xmppconn/internal/readiness/poller.go",
		Edits: []Edit{
			{"syscall.EPOLL_CTL_MOD, fd, event)\n", "syscall.EPOLL_CTL_ADD, fd, event)\n"},
			{"if errors.Is(ctlErr, syscall.ENOENT) { // the first time\n", "if errors.Is(ctlErr, syscall.EEXIST) {\n"},
			{"\t\t\tctlErr = syscall.EpollCtl(int(epoll), syscall.EPOLL_CTL_ADD, fd, event)\n", "\t\t\tctlErr = nil\n"},
		},
	},
	{
		Name: "leak", Does: "keeps half a KiB of every request for good",
		File: "api/middleware.go",
		Edits: []Edit{
			{"\t\"context\"\n", "\t\"context\"\n\t\"sync\"\n"},
			{"\t\t\tid = rand.Text()\n", "\t\t\tid = rand.Text()\n\t\t\tleaked.Store(new(byte), make([]byte, 512))\n"},
			{"func validRequestID(", "var leaked sync.Map\n\nfunc validRequestID("},
		},
	},
	{
		Name: "fence", Does: "takes commits of an owner that another one has replaced",
		File: "cache/scripts/commit.lua",
		Edits: []Edit{
			{
				"if tonumber(s[2]) > tonumber(fence) then return {'FENCED'} end",
				"if s[2] ~= fence then c, prev, first = n - 1, 0, tip + 1 end",
			},
			{"if s[2] ~= fence then return {'LOST'} end", ""},
		},
	},
}
