package archive

import (
	"context"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// maxForms bounds of how many archives it is remembered how they are searched: a client may search rooms
// without an end.
const maxForms = 64

// Learn takes the answer of an archive, "" for the own one, to the question for its form, or the error in
// place of it: the form names the field by which the archive is searched for a text (XEP-0313, 4.1). An
// archive that has not answered will be asked.
func (a *Reader) Learn(archive perch.JID, payload *xmlstream.Element, err error) (field string, _ error) {
	switch {
	case err == nil:
		field, err = stanza.ParseArchiveForm(payload)
	case unknown(err):
		err = nil
	}
	if err != nil {
		return "", err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fields == nil {
		a.fields = map[perch.JID]string{}
	}
	if _, ok := a.fields[archive]; !ok && len(a.fields) >= maxForms {
		a.forgetOne()
	}
	a.fields[archive] = field
	return field, nil
}

// unknown reports whether an archive, or what is no archive, does not know the question.
func unknown(err error) bool {
	switch perch.ConditionOf(err) {
	case "service-unavailable", "feature-not-implemented", "bad-request":
		return true
	}
	return false
}

// forgetOne makes room for the form of another archive. That of the own one stays.
func (a *Reader) forgetOne() {
	for archive := range a.fields {
		if archive != "" {
			delete(a.fields, archive)
			return
		}
	}
}

// field is the one by which an archive is searched. It asks the archive once. The error is of
// KindFeatureUnsupported when there is none, and else that of the request.
func (a *Reader) field(ctx context.Context, archive perch.JID) (string, error) {
	a.mu.Lock()
	field, known := a.fields[archive]
	a.mu.Unlock()
	if !known {
		payload, err := a.ask(ctx, "get", archive, stanza.EncodeArchiveForm())
		if field, err = a.Learn(archive, payload, err); err != nil {
			return "", err
		}
	}
	if field == "" {
		return "", perch.Errorf(perch.KindFeatureUnsupported, "this archive cannot be searched for a text")
	}
	return field, nil
}

// Searches reports whether the own archive has said that it can be searched. It asks nothing.
func (a *Reader) Searches() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.fields[""] != ""
}
