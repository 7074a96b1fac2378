package main

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// description says what the requests of a description have in common: answers that any may get, and
// those that one with a token or a body may get beside them; and the headers of every answer.
type description struct {
	anyRequest, withToken, withContent []int
	headers                            []string
}

var (
	// client: the first request of a token signs in upstream and waits for it, the upstream may not
	// let it in, and the session may be ended while a request waits.
	client = description{
		anyRequest: []int{422, 429, 500, 503}, withToken: []int{401, 403, 404, 502, 504}, withContent: []int{400, 409, 413, 415},
		headers: []string{"X-Request-Id", "RateLimit", "RateLimit-Policy"},
	}
	// operator: one who has the token has no limit of requests; a node that is asked may have to be
	// waited for.
	operator = description{
		anyRequest: []int{422, 500}, withToken: []int{401, 403, 501, 503, 504}, withContent: []int{400, 413, 415},
		headers: []string{"X-Request-Id"},
	}
	// ofRooms may be said by a room that the account is not in, or that is gone.
	ofRooms = []int{409, 410}
)

// asksRooms are the paths whose requests may go to a room.
var asksRooms = regexp.MustCompile(`^/v1/(rooms/|directory$|archive$|conversations/\{jid\}/messages)`)

// mendOperations gives every operation the answers, media types and headers that it has.
func (d description) mendOperations(doc object) {
	for path, item := range doc["paths"].(object) {
		for _, op := range item.(object) {
			op := op.(object)
			mendBody(op)
			mendParameters(op)
			d.mendAnswers(path, op)
		}
	}
}

// mendBody undoes the oneOf that swag writes around the type of a body.
func mendBody(op object) {
	body, ok := op["requestBody"].(object)
	if !ok {
		return
	}
	for _, media := range body["content"].(object) {
		media := media.(object)
		schema := media["schema"].(object)
		if list, ok := schema["oneOf"].([]any); ok {
			media["schema"] = object{"$ref": list[len(list)-1].(object)["$ref"]}
		}
	}
}

func mendParameters(op object) {
	params, _ := op["parameters"].([]any)
	for i, p := range params {
		p := p.(object)
		if ref, ok := commonParameters[p["in"].(string)+" "+p["name"].(string)]; ok {
			params[i] = object{"$ref": "#/components/parameters/" + ref}
		}
	}
}

// commonParameters are described once; see overlay.yaml.
var commonParameters = map[string]string{
	"path jid": "JID", "path ref": "Ref", "query limit": "Limit", "query cursor": "Cursor", "query since": "Since", "query types": "Types",
	"query conversations": "Conversations", "header Idempotency-Key": "IdempotencyKey",
	"query include": "Include", "query refresh": "Refresh",
}

func (d description) mendAnswers(path string, op object) {
	answers := op["responses"].(object)
	want := slices.Clone(d.anyRequest)
	if _, ok := op["security"]; ok {
		want = append(want, d.withToken...)
	}
	if _, ok := op["requestBody"]; ok {
		want = append(want, d.withContent...)
	}
	if asksRooms.MatchString(path) {
		want = append(want, ofRooms...)
	}
	for _, status := range want {
		if answers[strconv.Itoa(status)] == nil {
			answers[strconv.Itoa(status)] = object{"description": http.StatusText(status)}
		}
	}
	_, tagged := answers["304"]
	for text, answer := range answers {
		status, _ := strconv.Atoi(text)
		answers[text] = d.mendAnswer(status, answer.(object), tagged)
	}
}

func (d description) mendAnswer(status int, answer object, tagged bool) object {
	if status >= 400 {
		if answer["description"] == http.StatusText(status) {
			return object{"$ref": "#/components/responses/" + responseName(status)}
		}
		return d.problemAnswer(status, answer["description"].(string))
	}
	names := d.commonHeaders(status)
	if tagged && (status == 200 || status == 304) {
		names = append(names, "ETag")
	}
	headers := headerRefs(names)
	if given, ok := answer["headers"].(object); ok {
		for name := range given {
			headers[name] = object{"$ref": "#/components/headers/" + name}
		}
	}
	answer["headers"] = headers
	if status == 304 || status == 204 || status == 101 {
		delete(answer, "content")
	}
	return answer
}

// problemAnswer is a refusal: RFC 9457, whatever the answer would have been.
func (d description) problemAnswer(status int, description string) object {
	return object{
		"description": description,
		"headers":     headerRefs(d.commonHeaders(status)),
		"content": object{"application/problem+json": object{
			"schema": object{"$ref": schemaPrefix + "Problem"},
		}},
	}
}

func (d description) commonHeaders(status int) []string {
	names := slices.Clone(d.headers)
	switch status {
	case 401:
		names = append(names, "WWW-Authenticate")
	case 429, 503:
		names = append(names, "Retry-After")
	}
	return names
}

func headerRefs(names []string) object {
	refs := object{}
	for _, name := range names {
		refs[name] = object{"$ref": "#/components/headers/" + name}
	}
	return refs
}

func responseName(status int) string {
	return strings.ReplaceAll(strings.ReplaceAll(http.StatusText(status), " ", ""), "-", "")
}

// addCommon adds the shared refusals that some operation points to, and nothing else.
func (d description) addCommon(doc object) {
	used := map[string]bool{}
	eachRef(doc["paths"], func(ref string) string {
		used[ref] = true
		return ref
	})
	responses := object{}
	for status := 400; status < 600; status++ {
		if name := responseName(status); name != "" && used["#/components/responses/"+name] {
			responses[name] = d.problemAnswer(status, http.StatusText(status))
		}
	}
	doc["components"].(object)["responses"] = responses
	prune(doc, "schemas")
}

// prune drops components of one kind that nothing points to any more.
func prune(doc object, kind string) {
	parts := doc["components"].(object)[kind].(object)
	for {
		used := map[string]bool{}
		eachRef(doc, func(ref string) string {
			used[ref] = true
			return ref
		})
		before := len(parts)
		maps.DeleteFunc(parts, func(name string, _ any) bool { return !used["#/components/"+kind+"/"+name] })
		if len(parts) == before {
			return
		}
	}
}
