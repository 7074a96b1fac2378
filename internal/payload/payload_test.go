package payload_test

import (
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/payload"
)

func TestCheckTakes(t *testing.T) {
	for _, text := range []string{
		`<x xmlns='urn:example:x'/>`,
		`<x xmlns="urn:example:x" a="1" b="&lt;"><y>text &amp; more</y><z xmlns=''/></x>`,
		`<e:x xmlns:e='urn:example:x' e:a='1' a='2'><e:y xmlns:e='urn:other'/></e:x>`,
		`<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'><key rid='2'>AA==</key></header><payload>AAAA</payload></encrypted>`,
		`<x xmlns='urn:example:x' xml:lang='de'><![CDATA[<]]></x>`,
		`<forwarding xmlns='urn:example:x'><forwarded xmlns='urn:xmpp:forward:0'/></forwarding>`, // only its own namespace is reserved
		strings.Repeat(`<x xmlns='urn:example:x'>`, 16) + strings.Repeat(`</x>`, 16),
	} {
		if err := payload.Check(text); err != nil {
			t.Errorf("Check(%s): got error %v, want none", text, err)
		}
	}
}

func TestCheckRefuses(t *testing.T) {
	for text, want := range map[string]string{
		``:                                  "one XML element",
		`text`:                              "nothing beside it",
		` <x xmlns='urn:example:x'/>`:       "nothing beside it",
		`<x xmlns='urn:example:x'/> `:       "nothing beside it",
		`<x xmlns='urn:example:x'/><y/>`:    "nothing beside it",
		`<x/>`:                              "namespace of its own",
		`<x xmlns=''/>`:                     "namespace of its own",
		`<x xmlns='urn:xmpp:reactions:0'/>`: "the gateway's",
		`<r:x xmlns:r='urn:xmpp:message-retract:1'/>`:                                "the gateway's",
		`<x xmlns='urn:example:x'>`:                                                  "not closed",
		`</x>`:                                                                       "not open",
		`<x xmlns='urn:example:x'></y>`:                                              "not open",
		`<x xmlns='urn:example:x'></x></x>`:                                          "not open",
		`<x xmlns='urn:example:x'></message>`:                                        "not open",
		`<x xmlns='urn:example:x'><!-- y --></x>`:                                    "comments",
		`<?y z?><x xmlns='urn:example:x'/>`:                                          "comments",
		`<!DOCTYPE x><x xmlns='urn:example:x'/>`:                                     "comments",
		`<x xmlns='urn:example:x'>&y;</x>`:                                           "not well-formed",
		`<x xmlns='urn:example:x' a=1/>`:                                             "not well-formed",
		`<x xmlns='urn:example:x' a='<'/>`:                                           "not well-formed",
		`<x xmlns='urn:example:x' a='1' a='2'/>`:                                     "twice",
		`<x xmlns='urn:example:x' xmlns='urn:y'/>`:                                   "twice",
		`<x xmlns='urn:a' xmlns:p='urn:b' xmlns:q='urn:b' p:a='1' q:a='2'/>`:         "twice",
		`<p:x xmlns='urn:example:x'/>`:                                               "does not declare",
		`<x xmlns='urn:example:x' p:a='1'/>`:                                         "does not declare",
		`<x xmlns='urn:a'><y xmlns:p='urn:b'/><p:z/></x>`:                            "does not declare",
		`<:x xmlns='urn:a'/>`:                                                        "colon",
		`<x xmlns='urn:a' :b='1'/>`:                                                  "colon",
		`<x xmlns='urn:a' xmlns:p=''/>`:                                              "cannot be declared",
		`<x xmlns='urn:a' xmlns:xml='urn:b'/>`:                                       "cannot be declared",
		strings.Repeat(`<x xmlns='urn:example:x'>`, 17) + strings.Repeat(`</x>`, 17): "16 levels",
		`<x xmlns='urn:example:x'` + attributes(64) + `/>`:                           "64 attributes",
	} {
		if err := payload.Check(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Check(%.200s): got error %v, want one with %q", text, err, want)
		}
	}
}

// attributes are n different ones.
func attributes(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(" a" + strings.Repeat("b", i) + "='1'")
	}
	return b.String()
}
