package stanza

import (
	"slices"
	"strconv"
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// roomFeatures are what rooms say of themselves (XEP-0045, 15.3 and 15.4), and what they can do.
var roomFeatures = map[string]func(*perch.RoomFeatures) *bool{
	nsMAM:                   func(f *perch.RoomFeatures) *bool { return &f.Archive },
	nsOccupantID:            func(f *perch.RoomFeatures) *bool { return &f.OccupantIDs },
	nsModeration:            func(f *perch.RoomFeatures) *bool { return &f.Moderation },
	nsModerationOld:         func(f *perch.RoomFeatures) *bool { return &f.Moderation },
	nsVCard:                 func(f *perch.RoomFeatures) *bool { return &f.Avatar },
	"muc_membersonly":       func(f *perch.RoomFeatures) *bool { return &f.MembersOnly },
	"muc_nonanonymous":      func(f *perch.RoomFeatures) *bool { return &f.RealJIDs },
	"muc_passwordprotected": func(f *perch.RoomFeatures) *bool { return &f.Password },
	"muc_moderated":         func(f *perch.RoomFeatures) *bool { return &f.Moderated },
	"muc_persistent":        func(f *perch.RoomFeatures) *bool { return &f.Persistent },
	"muc_public":            func(f *perch.RoomFeatures) *bool { return &f.Public },
}

// roomPhotoFields are what the form about a room calls the hash of its photo: XEP-0486, and Prosody
// before it.
var roomPhotoFields = []string{"muc#roominfo_avatarhash", "{http://modules.prosody.im/mod_vcard_muc}avatar#sha1"}

// ParseRoomInfo reads the answer of a room to EncodeDiscoInfo (XEP-0045, 6.4). The error is of
// KindItemNotFound for the answer of anything else.
func ParseRoomInfo(payload *xmlstream.Element) (perch.RoomInfo, error) {
	info, room := perch.RoomInfo{Occupants: -1}, false
	if isDiscoInfo(payload) {
		for _, c := range payload.Children() {
			switch {
			case c.Is(nsDiscoInfo, "identity") && c.Attr("category") == "conference":
				if !room {
					info.Name = strings.Clone(c.Attr("name"))
				}
				room = true
			case c.Is(nsDiscoInfo, "feature"):
				if is := roomFeatures[c.Attr("var")]; is != nil {
					*is(&info.Features) = true
				}
			}
		}
	}
	if !room {
		return perch.RoomInfo{}, perch.Errorf(perch.KindItemNotFound, "this is not the address of a room")
	}
	return info, readRoomForm(&info, payload)
}

// readRoomForm reads the form in the answer (XEP-0045, 15.5.2; XEP-0128).
func readRoomForm(info *perch.RoomInfo, payload *xmlstream.Element) error {
	for _, c := range payload.Children() {
		if !c.Is(nsForms, "x") {
			continue
		}
		f, err := parseForm(c)
		if err != nil {
			return err
		}
		if f.field(formTypeField).text() != nsMUCRoomInfo {
			continue
		}
		info.Description = f.field("muc#roominfo_description").text()
		info.Language = f.field("muc#roominfo_lang").text()
		info.Subject = f.field("muc#roominfo_subject").text()
		if n, err := strconv.ParseUint(strings.TrimSpace(f.field("muc#roominfo_occupants").text()), 10, 31); err == nil {
			info.Occupants = int(n)
		}
		for _, name := range roomPhotoFields {
			if field := f.field(name); field != nil && info.PhotoHash == "" {
				info.PhotoHash = photoHashOf(field.values)
			}
		}
	}
	return nil
}

// photoHashOf is the first hash that can be one.
func photoHashOf(values []string) string {
	i := slices.IndexFunc(values, func(v string) bool {
		_, ok := isSHA1(strings.TrimSpace(v))
		return ok
	})
	if i < 0 {
		return ""
	}
	return strings.ToLower(strings.TrimSpace(values[i]))
}
