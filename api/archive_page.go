package api

import (
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// messageRelation is an edit, a retraction or reactions whose message is not on the page: it is for a
// client that has it. The fields beside relation are those of the message that brought it; of an edit
// they are the new text.
type messageRelation struct {
	perch.Message
	Time     perch.Time   `json:"time"`
	Relation relationItem `json:"relation"`
} // @name MessageRelation

// relationItem is a perch.Relation, and the handle of the message that it is about.
type relationItem struct {
	perch.Relation
	Ref string `json:"ref,omitempty"`
} // @name Relation

func messageRelationOf(it *perch.ArchiveItem) messageRelation {
	out := messageRelation{Message: it.Message, Time: it.Time, Relation: relationItem{Relation: *it.Relation, Ref: it.Ref}}
	out.Message.Ref = ""
	return out
}

// mergedPage is a page of the archive as clients see it.
type mergedPage struct {
	items     []perch.ArchiveItem // messages, with what the page has about them merged
	relations []messageRelation
	dropped   []archiveDropped
}

// pageOfArchive merges the edits, retractions and reactions of a page into its messages; own is the
// account.
func pageOfArchive(found perch.ArchivePage, own perch.JID) mergedPage {
	page := mergedPage{relations: []messageRelation{}, dropped: []archiveDropped{}}
	merged, relations := sessions.MergeArchive(found.Items, own)
	for i := range merged {
		if it := &merged[i]; it.Dropped != "" {
			page.dropped = append(page.dropped, archiveDroppedOf(it))
		} else {
			page.items = append(page.items, *it)
		}
	}
	for i := range relations {
		page.relations = append(page.relations, messageRelationOf(&relations[i]))
	}
	return page
}
