package perch

import _ "embed"

// OpenAPI is the description of the HTTP API, generated from the comments of package api.
// It stands at the top of the module, where people and tools look for it first, and only
// a file of this folder can embed it.
//
//go:generate go run ./internal/openapigen
//go:embed openapi.yaml
var OpenAPI []byte
