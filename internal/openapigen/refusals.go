package main

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

const problemMedia = "application/problem+json"

// foldRefusals makes one answer, default, of all refusals of an operation: they are the same in all but the
// status, and generated clients have one type and one branch for them then, in place of fourteen. Which
// there are is in x-refusals; those that the operation says something about, in its description, too.
func (d description) foldRefusals(doc object) {
	for _, item := range doc["paths"].(object) {
		for _, op := range item.(object) {
			foldRefusals(op.(object))
		}
	}
	doc["components"].(object)["responses"] = object{"Refused": object{
		"description": "The request was refused (RFC 9457).",
		"headers":     headerRefs(append(slices.Clone(d.headers), "Retry-After", "WWW-Authenticate")),
		"content":     object{problemMedia: object{"schema": ref("Problem")}},
	}}
	prune(doc, "schemas")
}

func foldRefusals(op object) {
	answers, refusals := op["responses"].(object), object{}
	var own []string
	for _, status := range slices.Sorted(maps.Keys(answers)) {
		code, _ := strconv.Atoi(status)
		answer := answers[status].(object)
		text, _ := answer["description"].(string)
		if code < 400 {
			continue
		}
		refusals[status] = text
		if text != http.StatusText(code) {
			own = append(own, fmt.Sprintf("\n- %s: %s", status, text))
		}
		if content, _ := answer["content"].(object); len(content) == 0 || len(content) == 1 && content[problemMedia] != nil {
			delete(answers, status)
		}
	}
	answers["default"] = object{"$ref": "#/components/responses/Refused"}
	op["x-refusals"] = refusals
	if own != nil {
		text, _ := op["description"].(string)
		op["description"] = strings.TrimSpace(text + "\n\nRefusals:\n" + strings.Join(own, ""))
	}
}
