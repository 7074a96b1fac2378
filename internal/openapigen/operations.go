package main

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
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
	"path jid": "JID", "path ref": "MessageRef", "query limit": "Limit", "query cursor": "PageCursor", "query since": "Since", "query types": "Types",
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
		return object{
			"description": answer["description"], "headers": headerRefs(d.headers),
			"content": object{problemMedia: object{"schema": ref("Problem")}},
		}
	}
	names := slices.Clone(d.headers)
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

func headerRefs(names []string) object {
	refs := object{}
	for _, name := range names {
		refs[name] = object{"$ref": "#/components/headers/" + name}
	}
	return refs
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
