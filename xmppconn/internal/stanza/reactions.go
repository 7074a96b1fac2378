package stanza

import (
	"slices"
	"strconv"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// reactions reads XEP-0444. Longer ones than perch.MaxReactionBytes, and more than
// perch.MaxReactions, are left out.
func (x *extras) reactions(el *xmlstream.Borrowed) bool {
	if !el.Local().Is("reactions") || el.Attr("id").Empty() {
		return false
	}
	r := perch.Relation{Kind: perch.RelationReactions, Target: el.Attr("id").Copy()}
	for c := range el.Children() {
		emoji := c.InnerText()
		if !c.Is(nsReactions, "reaction") || emoji.Empty() || len(emoji.Peek()) > perch.MaxReactionBytes {
			continue
		}
		if len(r.Emojis) < perch.MaxReactions && !slices.Contains(r.Emojis, emoji.Peek()) {
			r.Emojis = append(r.Emojis, emoji.Copy())
		}
	}
	x.relate(r)
	return true
}

// reactions writes all reactions of the account to a message; none take the earlier ones back.
// There is no body beside them: older clients would show one line for each.
func (w *writer) reactions(r *perch.Relation) {
	if len(r.Emojis) > perch.MaxReactions {
		w.fail("/emojis", "at most %d are allowed", perch.MaxReactions)
	}
	w.target("reactions", nsReactions, r)
	w.Raw(">")
	for i, emoji := range r.Emojis {
		field := "/emojis/" + strconv.Itoa(i)
		if emoji == "" || len(emoji) > perch.MaxReactionBytes {
			w.fail(field, "it must have 1 to %d bytes", perch.MaxReactionBytes)
		}
		w.Element(field, "reaction", emoji)
	}
	w.Raw("</reactions>")
}
