package perch

import _ "embed"

// The descriptions of the API stand at the top of the module, where people and tools look
// for them first; only a file of this folder can embed them.

// OpenAPI is the OpenAPI 3.1 description of the HTTP API, generated from the comments of
// package api. It must not be modified.
//
//go:generate go run ./internal/openapigen
//go:embed openapi.yaml
var OpenAPI []byte

// AsyncAPI is the AsyncAPI 3.0 description of the event stream, whole: the schemas that it shares with
// OpenAPI are in it as well. It must not be modified.
//
//go:embed asyncapi.yaml
var AsyncAPI []byte
