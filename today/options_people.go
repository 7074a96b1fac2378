package today

import (
	"time"

	"github.com/perch-im/perch"
)

// Room is a room that is there from the start, and stays when the last one has left (XEP-0045). What is
// left out is as in a new room: open, public, archived, and nobody but moderators sees who the others are.
type Room struct {
	Local             string // localpart of its address at rooms.<domain>
	Name, Description string
	Subject           string
	Password          string
	Photo             []byte // PNG

	MembersOnly   bool
	Moderated     bool // only those with voice may speak
	Hidden        bool // it is in no list of rooms
	RealJIDs      bool // all see who the others are
	ChangeSubject bool // participants may set the subject

	Owners, Admins, Members []string // localparts of accounts
	Archive                 []PastMessage

	// Talk is what bots that are in the room say there, one after another and again, one each TalkEvery
	// (default 20 s), while somebody else is in the room and for five minutes after.
	Talk      []Line
	TalkEvery time.Duration
}

// PastMessage is in the archives from the start.
type PastMessage struct {
	ID       string // of the message; that in archives is derived from it
	From, To string // localparts of accounts; no To in a room
	Time     time.Time
	Body     string
	Picture  []byte   // PNG, in place of Body: it is uploaded, where there is a listener for HTTP
	Replaces string   // ID of the message that this one corrects (XEP-0308)
	ReactsTo string   // ID of the message that Emojis are about (XEP-0444)
	Emojis   []string // instead of a body

	url string // of the picture, once it is uploaded
}

// Line is something that a bot does in a room.
type Line struct {
	From    string // localpart of its account
	Body    string
	Correct bool   // Body is what its last line should have been
	React   string // an emoji about the newest message of somebody else, in place of Body
	Picture []byte // PNG, in place of Body: it is uploaded
}

// Bot lets the service itself play an account: it is online, says that it has read what it gets, and
// answers after a moment.
type Bot struct {
	Presence perch.OwnPresence
	Rooms    []string      // localparts of rooms that it is in, under its nickname
	Delay    time.Duration // until it answers; default 1.2 s

	// Answer is what it says to a text; nil: nothing. In a room it answers to who names it. It is called with
	// the service locked: it returns at once, and calls no method of the Service.
	Answer func(text string) Answer
}

// Answer of a bot.
type Answer struct {
	Body      string
	Corrected string // what Body becomes a moment later; "": it stays
	Reaction  string // an emoji about the text; "": none
}
