package messenger

import (
	"bytes"
	"html/template"
	"net/http"
)

// consentView is what the consent page shows.
type consentView struct {
	Client, Target, Ticket, Action string
	Scopes                         []string
	Accounts                       []personView
}

type personView struct{ User, AccountID, Name string }

const pageHead = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Embedded Messenger service</title><link rel="stylesheet" href="` + stylePath + `"></head><body><main>
`

const pageFoot = `</main></body></html>
`

var consentPage = template.Must(template.New("consent").Parse(pageHead + `<h1>Sign in to Messenger</h1>
<p><strong>{{.Client}}</strong> at <code>{{.Target}}</code> asks to use this service for you:</p>
<ul>{{range .Scopes}}<li><code>{{.}}</code></li>{{end}}</ul>
<form method="post" action="{{.Action}}"><input type="hidden" name="ticket" value="{{.Ticket}}">
<fieldset><legend>Account</legend>{{range $i, $a := .Accounts}}
<label><input type="radio" name="account" value="{{$a.User}}"{{if eq $i 0}} checked{{end}}> {{$a.Name}} <small>{{$a.AccountID}}</small></label>{{end}}
</fieldset>
<p class="note">This is the demo service of the gateway: there are no passwords and no real accounts.</p>
<p><button name="decision" value="allow">Yes</button> <button name="decision" value="deny" class="quiet">No</button></p>
</form>
` + pageFoot))

var refusalPage = template.Must(template.New("refusal").Parse(pageHead + `<h1>This request cannot be served</h1><p>{{.}}</p>
` + pageFoot))

var desktopPage = template.Must(template.New("desktop").Parse(pageHead + `<h1>Done</h1>
<p>The answer stands in the address of this page: after <code>#access_token=</code> up to the next <code>&amp;</code>, percent-encoded, or after <code>?code=</code>.</p>
` + pageFoot))

const style = `:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
main{max-width:34rem;margin:3rem auto;padding:0 1rem}
fieldset{border:1px solid #8888;border-radius:.5rem}
label{display:block;padding:.4rem}
small,.note{opacity:.7}
button{font:inherit;padding:.5rem 1.5rem;border-radius:.5rem;border:1px solid #2563eb;background:#2563eb;color:#fff}
button.quiet{background:none;color:inherit;border-color:#8888}
`

func serveStyle(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = w.Write([]byte(style)) // the client is gone: no way to report it
}

// page renders whole or not at all.
func page(w http.ResponseWriter, status int, t *template.Template, data any) {
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

func refusePage(w http.ResponseWriter, text string) {
	page(w, http.StatusBadRequest, refusalPage, text)
}
