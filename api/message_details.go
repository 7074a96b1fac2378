package api

import (
	"cmp"
	"fmt"
	"mime"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/payload"
	"github.com/perch-im/perch/sessions"
)

// detailsRequest are the fields of a message beside its text, in every request that has one.
type detailsRequest struct {
	ReplyTo     *replyRequest       `json:"reply_to"`
	Mentions    []mentionRequest    `json:"mentions"`
	Attachments []attachmentRequest `json:"attachments"`
	Markable    bool                `json:"markable"`
	Unstyled    bool                `json:"unstyled"`
	Spoiler     *spoilerRequest     `json:"spoiler"`
	Encryption  *encryptionRequest  `json:"encryption"`
	Fallback    string              `json:"fallback"`
	Payloads    []string            `json:"payloads"`
}

// replyRequest names the message that is replied to.
type replyRequest struct {
	Ref string `json:"ref" need:"yes"`
} // @name ReplyRequest

// mentionRequest is a perch.Mention: without a range when both ends are left out.
type mentionRequest struct {
	JID   string `json:"jid" need:"yes"`
	Begin int    `json:"begin"`
	End   int    `json:"end"`
} // @name MentionRequest

// attachmentRequest is a perch.Attachment.
type attachmentRequest struct {
	URL         string `json:"url" need:"yes"`
	Name        string `json:"name"`
	Type        string `json:"type" example:"image/png"`
	Size        int64  `json:"size"`
	Width       int    `json:"width"`
	Height      int    `json:"height"`
	Description string `json:"description"`
} // @name AttachmentRequest

// spoilerRequest is a perch.Spoiler.
type spoilerRequest struct {
	Hint string `json:"hint"`
} // @name SpoilerRequest

// encryptionRequest is a perch.Encryption: what is encrypted is one of the payloads, and there is no
// body.
type encryptionRequest struct {
	Method string `json:"method" example:"eu.siacs.conversations.axolotl" need:"yes"`
	Name   string `json:"name" example:"OMEMO"`
} // @name EncryptionRequest

// Bounds of the texts of the details, beside those of perch.
const (
	maxURLBytes         = 2048
	maxNameChars        = 255
	maxDescriptionChars = 1024
	maxHintChars        = 256
	maxSide             = 1 << 20 // of an image, in pixels
)

// defaultFallback is what clients without the method show of an encrypted message.
const defaultFallback = "This message is encrypted."

// text checks the body and the details, and sets them in m, whose To is set. Without a body a message
// has the addresses of its attachments, as it has on the wire.
func (d *detailsRequest) text(s *sessions.Session, body string, m *sessions.NewMessage) error {
	if err := d.checkSecrecy(body); err != nil {
		return err
	}
	if body == "" && d.Encryption == nil {
		body = d.addresses()
	}
	if strings.TrimSpace(body) == "" && d.Encryption == nil {
		return perch.Invalid("/body", "must not be empty")
	}
	var err error
	m.Body = body
	m.Details, err = d.checked(s, body)
	return err
}

// addresses are those of the attachments, a line each.
func (d *detailsRequest) addresses() string {
	lines := make([]string, 0, len(d.Attachments))
	for _, a := range d.Attachments {
		lines = append(lines, a.URL)
	}
	return strings.Join(lines, "\n")
}

// checkSecrecy checks that an encrypted message has nothing in clear that it should not have.
func (d *detailsRequest) checkSecrecy(body string) error {
	switch {
	case d.Encryption == nil && d.Fallback != "":
		return perch.Invalid("/fallback", "is of encrypted messages only: encryption is needed with it")
	case d.Encryption == nil:
	case body != "":
		return perch.Invalid("/body", "must be left out of an encrypted message, which has a payload and a fallback")
	case len(d.Payloads) == 0:
		return perch.Invalid("/payloads", "is needed with encryption")
	}
	return oneLine("/fallback", d.Fallback, maxDescriptionChars)
}

// checked returns the details; nil when there are none.
func (d *detailsRequest) checked(s *sessions.Session, body string) (*perch.MessageDetails, error) {
	given := d.Markable || d.Unstyled || d.ReplyTo != nil || d.Spoiler != nil || d.Encryption != nil
	if !given && len(d.Mentions)+len(d.Attachments)+len(d.Payloads) == 0 {
		return nil, nil
	}
	out := &perch.MessageDetails{Markable: d.Markable, Unstyled: d.Unstyled, Payloads: d.Payloads}
	var err error
	if out.ReplyTo, err = d.ReplyTo.checked(); err != nil {
		return nil, err
	}
	if out.Mentions, err = mentionsOf(s, d.Mentions, utf8.RuneCountInString(body)); err != nil {
		return nil, err
	}
	if out.Attachments, err = attachmentsOf(d.Attachments); err != nil {
		return nil, err
	}
	if out.Encryption, err = d.Encryption.checked(); err != nil {
		return nil, err
	}
	if out.Encryption != nil {
		out.Fallback = cmp.Or(d.Fallback, defaultFallback)
	}
	if d.Spoiler != nil {
		out.Spoiler = &perch.Spoiler{Hint: d.Spoiler.Hint}
		err = oneLine("/spoiler/hint", d.Spoiler.Hint, maxHintChars)
	}
	if err != nil {
		return nil, err
	}
	return out, checkPayloads(d.Payloads)
}

// checked reads the handle; the session finds whose message it is.
func (req *replyRequest) checked() (*perch.Reply, error) {
	if req == nil {
		return nil, nil
	}
	_, err := refOfRequest("/reply_to/ref", req.Ref)
	return &perch.Reply{Ref: req.Ref}, err
}

// refOfRequest reads a handle; pointer names its field.
func refOfRequest(pointer, text string) (perch.Ref, error) {
	if text == "" {
		return perch.Ref{}, perch.Invalid(pointer, "is needed")
	}
	ref, err := perch.ParseRef(text)
	if err != nil {
		return perch.Ref{}, perch.Invalid(pointer, "is not the ref of a message")
	}
	return ref, nil
}

// mentionsOf checks the people that a body of so many code points names.
func mentionsOf(s *sessions.Session, list []mentionRequest, chars int) (out []perch.Mention, err error) {
	if len(list) > perch.MaxMentions {
		return nil, perch.Invalid("/mentions", "must have at most %d entries", perch.MaxMentions)
	}
	for i, m := range list {
		at := fmt.Sprintf("/mentions/%d", i)
		if m.JID == "" {
			return nil, perch.Invalid(at+"/jid", "is needed")
		}
		jid, err := addressOf(s, at+"/jid", m.JID)
		switch {
		case err != nil:
			return nil, err
		case m.Begin < 0:
			return nil, perch.Invalid(at+"/begin", "must not be negative")
		case m.End < m.Begin || m.End == m.Begin && m.End != 0:
			return nil, perch.Invalid(at+"/end", "must be after begin")
		case m.End > chars:
			return nil, perch.Invalid(at+"/end", "is behind the end of the body, which has %d code points", chars)
		}
		out = append(out, perch.Mention{JID: jid, Begin: m.Begin, End: m.End})
	}
	return out, nil
}

func attachmentsOf(list []attachmentRequest) (out []perch.Attachment, err error) {
	if len(list) > perch.MaxAttachments {
		return nil, perch.Invalid("/attachments", "must have at most %d entries", perch.MaxAttachments)
	}
	for i, a := range list {
		if err := a.check(fmt.Sprintf("/attachments/%d", i)); err != nil {
			return nil, err
		}
		out = append(out, perch.Attachment(a))
	}
	return out, nil
}

// check checks one attachment; at is its pointer. Nothing is fetched from its address.
func (a *attachmentRequest) check(at string) error {
	if a.URL == "" {
		return perch.Invalid(at+"/url", "is needed")
	}
	u, err := url.Parse(a.URL)
	if err != nil || len(a.URL) > maxURLBytes || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || strings.ContainsFunc(a.URL, isBlank) {
		return perch.Invalid(at+"/url", "must be an http or https URL of at most %d bytes", maxURLBytes)
	}
	if a.Type != "" {
		if media, _, err := mime.ParseMediaType(a.Type); err != nil || !strings.Contains(media, "/") || len(a.Type) > maxNameChars {
			return perch.Invalid(at+"/type", "must be a media type such as image/png")
		}
	}
	switch {
	case a.Size < 0:
		return perch.Invalid(at+"/size", "must not be negative")
	case a.Width < 0 || a.Width > maxSide:
		return perch.Invalid(at+"/width", "must be a whole number from 0 to %d", maxSide)
	case a.Height < 0 || a.Height > maxSide:
		return perch.Invalid(at+"/height", "must be a whole number from 0 to %d", maxSide)
	case utf8.RuneCountInString(a.Description) > maxDescriptionChars:
		return perch.Invalid(at+"/description", "must have at most %d characters", maxDescriptionChars)
	}
	return oneLine(at+"/name", a.Name, maxNameChars)
}

func isBlank(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

func (req *encryptionRequest) checked() (*perch.Encryption, error) {
	if req == nil {
		return nil, nil
	}
	if req.Method == "" || len(req.Method) > maxHintChars || !visible(req.Method) {
		return nil, perch.Invalid("/encryption/method", "must be the namespace of a method (XEP-0380), of at most %d characters", maxHintChars)
	}
	return &perch.Encryption{Method: req.Method, Name: req.Name}, oneLine("/encryption/name", req.Name, maxNameChars)
}

// checkPayloads checks each piece of XML, and the bounds of all.
func checkPayloads(list []string) error {
	if len(list) > perch.MaxPayloads {
		return perch.Invalid("/payloads", "must have at most %d entries", perch.MaxPayloads)
	}
	n := 0
	for _, text := range list {
		n += len(text)
	}
	if n > perch.MaxPayloadBytes {
		return perch.Invalid("/payloads", "must have at most %d bytes together", perch.MaxPayloadBytes)
	}
	for i, text := range list {
		if err := payload.Check(text); err != nil {
			return perch.Invalid(fmt.Sprintf("/payloads/%d", i), "%s", err)
		}
	}
	return nil
}
